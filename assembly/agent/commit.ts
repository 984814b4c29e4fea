// SPDX-License-Identifier: Apache-2.0
// The ends of a transaction with a record in the journal: Commit (Fig. 6A), Abort's roll-back and
// notice (Fig. 6B), and doubt, which is neither (docs/protocol.md rule 4.3). Used by live
// transactions and, after a loss of power, for the records alone.
import { step } from "../board";
import { Bytes } from "../codec/bytes";
import { composeHost, sendHost } from "../session/buffers";
import { beginBatch } from "../ticket/batch";
import { readTicket, Ticket } from "../ticket/ticket";
import { beginWithTicket } from "../ticket/ticketHolder";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { CommandResult, putResult } from "./commandMemory";
import { OpenKind, OpenTransaction } from "./openTransaction";
import { PaymentOutcome, PaymentState } from "./paymentOutcome";
import { LogEntry, LogKind, putLog } from "./tranLog";

/** Tells the host of what a peer began (docs/protocol.cddl section 8). */
const RECEIVED: i32 = 64;

/**
 * Commits: receipt, log entry and the command's result become durable in one append (230), then the
 * host is told (232). Returns the key of the log entry, 0 where the journal did not take it.
 */
export function commitOpen(open: OpenTransaction, outcome: PaymentOutcome, annex: Bytes): u32 {
  const receipt = open.receipt.length > 0 ? readTicket(open.receipt) : null;
  const entry = new LogEntry();
  entry.startedMs = open.startedMs;
  entry.peerMs = open.peerMs;
  entry.kind = logKindOf(open.kind);
  entry.state = outcome.state;
  entry.transactionId = open.transactionId;
  entry.payId = open.payId;
  entry.peer = open.peer;
  entry.amount = outcome.amount;
  entry.unit = outcome.unit;
  const terms = open.terms;
  if (open.kind == OpenKind.EXCHANGE) {
    entry.gained = terms.counterAmount;
    entry.gainedUnit = terms.counterUnit;
  } else if (open.kind == OpenKind.EXCHANGE_TAKEN) {
    entry.amount = terms.counterAmount;
    entry.unit = terms.counterUnit;
    entry.gained = outcome.amount;
    entry.gainedUnit = outcome.unit;
  }
  if (receipt !== null) entry.ticketId = receipt.id;
  if (open.mandate.length > 0) entry.evidence.push(open.mandate);
  if (open.approval.length > 0) entry.evidence.push(open.approval);
  if (annex.length > 0) entry.evidence.push(annex);
  const result = resultOf(open, PaymentState.COMMITTED, Reason.NONE, receipt);
  step(230);
  beginWithTicket(receipt);
  const logKey = putLog(entry);
  if (!open.isTaken) putResult(result);
  open.putRemoval();
  if (!open.commitEnd()) return 0;
  step(232);
  tellEnd(open, result, outcome);
  step(234);
  return logKey;
}

/** Rolls back: the record is removed and the result kept, then the host is told (238). */
export function rollBackOpen(open: OpenTransaction, result: CommandResult, reason: i32): void {
  result.state = PaymentState.ABORTED;
  result.reason = reason;
  if (open.payId.length > 0) {
    result.transactionId = open.transactionId;
    result.payId = open.payId;
  }
  beginBatch();
  if (!open.isTaken) putResult(result);
  open.putRemoval();
  // Where even this does not go in, the next boot finds the record and rolls it back then.
  open.commitEnd();
  step(238);
  tellEnd(open, result, nothingPaid(open));
}

/** The module does not know yet: the record stays, and says so from now on. */
export function tellDoubt(open: OpenTransaction, outcome: PaymentOutcome): void {
  if (!open.isInDoubt) {
    open.isInDoubt = true;
    open.store();
  }
  const receipt = open.receipt.length > 0 ? readTicket(open.receipt) : null;
  tellEnd(open, resultOf(open, PaymentState.IN_DOUBT, Reason.IN_DOUBT, receipt), outcome);
}

/** How an open transaction stands, for a host that asks (command 30). */
export function standOf(open: OpenTransaction): CommandResult {
  const state = open.isInDoubt ? PaymentState.IN_DOUBT : PaymentState.RUNNING;
  return resultOf(open, state, open.isInDoubt ? Reason.IN_DOUBT : Reason.NONE, null);
}

function resultOf(
  open: OpenTransaction,
  state: i32,
  reason: i32,
  receipt: Ticket | null,
): CommandResult {
  const result = new CommandResult(open.commandId);
  result.state = state;
  result.reason = reason;
  result.transactionId = open.transactionId;
  result.payId = open.payId;
  if (receipt !== null) result.ticketId = receipt.id;
  return result;
}

/** A host hears of its command, the other one of what a peer began. */
function tellEnd(open: OpenTransaction, result: CommandResult, outcome: PaymentOutcome): void {
  if (!open.isTaken) {
    result.tell(result.state == PaymentState.ABORTED ? null : receiptOf(open));
    return;
  }
  const terms = open.terms;
  const isExchange = open.kind == OpenKind.EXCHANGE_TAKEN;
  const writer = composeHost(RECEIVED, isExchange ? 9 : 7);
  writer.bytesFrom(open.commandId);
  writer.uint(u64(result.state));
  writer.uint(u64(result.reason));
  writer.bytesFrom(open.payId);
  writer.uint(outcome.amount);
  if (outcome.unit.length > 0) writer.textFrom(outcome.unit);
  else writer.nil();
  const isPayer = open.kind == OpenKind.PAYMENT_GRANTED;
  writer.bytesFrom(isPayer ? identity.certificate.id : open.peer);
  if (isExchange) {
    writer.uint(terms.counterAmount);
    if (terms.isExchange) writer.textFrom(terms.counterUnit);
    else writer.nil();
  }
  sendHost();
}

function receiptOf(open: OpenTransaction): Bytes | null {
  return open.receipt.length > 0 ? open.receipt : null;
}

function nothingPaid(open: OpenTransaction): PaymentOutcome {
  const outcome = new PaymentOutcome();
  outcome.payId = open.payId;
  outcome.state = PaymentState.ABORTED;
  outcome.unit = [];
  outcome.evidence = [];
  return outcome;
}

function logKindOf(kind: i32): i32 {
  if (kind == OpenKind.PURCHASE) return LogKind.PURCHASE;
  if (kind == OpenKind.EXCHANGE || kind == OpenKind.EXCHANGE_TAKEN) return LogKind.EXCHANGE;
  const isPayer = kind == OpenKind.PAYMENT_SENT || kind == OpenKind.PAYMENT_GRANTED;
  return isPayer ? LogKind.PAYMENT_SENT : LogKind.PAYMENT_RECEIVED;
}
