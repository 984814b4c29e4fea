// SPDX-License-Identifier: Apache-2.0
// The card side of a merchant's agent (To Host 172; steps 796-802, 810-815; docs/protocol.md
// section 6). The host asks the network and is not believed: only the issuer's signature counts.
// How the hold ends follows from the own money module alone: post, void, or wait while in doubt.
import { step } from "../board";
import { Bytes, bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { composeHost, sendHost } from "../session/buffers";
import { readPosting, Settlement } from "../ticket/mandate";
import { readTicket } from "../ticket/ticket";
import { Reason } from "../trust/reasons";
import {
  Obligation,
  obligationByPayId,
  obligationByTransaction,
  obligationPayIds,
  ObligationState,
} from "./obligation";
import { PAY_ID_SIZE, PaymentOutcome, PaymentState } from "./paymentOutcome";
import { LogEntry, LogKind, writeOrNull } from "./tranLog";

/** Messages at the merchant's host (docs/protocol.cddl section 8). */
const AUTHORIZE: i32 = 45;
const SERVED: i32 = 49;

/** Asks the host to have this mandate authorized (796, 810). The record is durable by now. */
export function askAuthorization(obligation: Obligation, merchantCredential: Bytes): void {
  const writer = composeHost(AUTHORIZE, 4);
  writer.bytesFrom(obligation.sessionTag);
  writer.rawFrom(obligation.mandate);
  writer.rawFrom(obligation.card);
  writer.bytesFrom(merchantCredential);
  sendHost();
}

/** Tells the host how serving a customer ended (49); ids and receipt where there are any. */
export function tellServed(
  sessionTag: Bytes,
  state: i32,
  reason: i32,
  transactionId: Bytes | null,
  payId: Bytes | null,
  receipt: Bytes | null,
): void {
  const writer = composeHost(SERVED, 6);
  writer.bytesFrom(sessionTag);
  writer.uint(u64(state));
  writer.uint(u64(reason));
  writeOrNull(writer, transactionId);
  writeOrNull(writer, payId);
  writeOrNull(writer, receipt);
  sendHost();
}

/** Tells the host how the purchase of this obligation stands. */
export function tellObligation(obligation: Obligation, state: i32, reason: i32): void {
  const isAborted = state == PaymentState.ABORTED;
  tellServed(
    obligation.sessionTag,
    state,
    reason,
    obligation.transactionId,
    obligation.payId,
    isAborted ? null : obligation.receipt,
  );
}

/**
 * Commits the merchant's side (Fig. 6A): the duty to post and the log entry in one append (230),
 * then the host is told (232) and given the completion. False where the journal did not take it.
 */
export function commitServed(obligation: Obligation, outcome: PaymentOutcome): bool {
  const entry = logEntryFor(obligation, LogKind.PURCHASE_SERVED, outcome.state);
  step(230);
  if (!obligation.enter(ObligationState.POST_OWED, entry)) return false;
  step(232);
  tellObligation(obligation, PaymentState.COMMITTED, Reason.NONE);
  step(234);
  obligation.tellCompletion();
  return true;
}

/** Rolls back: a hold that may exist is to be voided (paragraph 71); the host is told (238). */
export function rollBackServed(obligation: Obligation, reason: i32): void {
  obligation.enter(ObligationState.VOID_OWED, null);
  step(238);
  tellObligation(obligation, PaymentState.ABORTED, reason);
  obligation.tellCompletion();
}

/** Rolls back after the issuer's signed refusal: there is no hold, so nothing is owed. */
export function forgetRefused(obligation: Obligation): void {
  obligation.remove(null);
  step(238);
  tellObligation(obligation, PaymentState.ABORTED, Reason.CARD_REFUSED);
}

/** The issuer's signed word came (48): the obligation ends. 0 or the reason against it. */
export function completed(body: CborReader): i32 {
  const transactionId = body.bytesExact(PAY_ID_SIZE);
  if (!body.raw() || !body.atEnd()) return Reason.MALFORMED;
  const obligation = obligationByTransaction(transactionId);
  // Repeated by the host after the end: answered as the first time.
  if (obligation === null) return Reason.NONE;
  const hash = obligation.mandateHash();
  const key = obligation.approvalKey();
  if (hash === null || key === null) return Reason.TICKET_INVALID;
  const posting = readPosting(body.viewPointer, body.viewLength, hash, key);
  const isPost = obligation.state == ObligationState.POST_OWED;
  if (!isPost && obligation.state != ObligationState.VOID_OWED) return Reason.WRONG_STATE;
  const asked = isPost ? Settlement.POST : Settlement.VOID;
  if (posting != asked && posting != Settlement.REFUSED) return Reason.APPROVAL_INVALID;
  const entry = logEntryFor(obligation, LogKind.CARD_SETTLED, posting);
  return obligation.remove(entry) ? Reason.NONE : Reason.JOURNAL_FULL;
}

/** Purchases whose record needs a look, by pay id: one per tick, for the heap's sake. */
let toReview: Array<Bytes> = [];

/** True while `reviewNext` has something to do. */
export function hasReview(): bool {
  return toReview.length > 0;
}

/** At boot: every record is looked at. */
export function reviewAll(): void {
  toReview = obligationPayIds(ObligationState.PROVISIONAL, ObligationState.VOID_OWED);
}

/**
 * Has every completion given to the host again (56); returns their number. What boot found and is
 * not looked at yet stays in the list: a host asks as soon as it finds its device.
 */
export function repeatCompletions(): i32 {
  const all = obligationPayIds(ObligationState.POST_OWED, ObligationState.VOID_OWED);
  for (let i = 0; i < toReview.length; ++i) {
    if (!contains(all, toReview[i])) all.push(toReview[i]);
  }
  toReview = all;
  return all.length;
}

function contains(all: Array<Bytes>, payId: Bytes): bool {
  for (let i = 0; i < all.length; ++i) {
    if (bytesEqual(all[i], payId)) return true;
  }
  return false;
}

/**
 * Takes the next record. What was found `authorizing` at boot is voided: nothing moved before the
 * approval was journalled. What is owed is given to the host again.
 */
export function reviewNext(): void {
  if (toReview.length == 0) return;
  const obligation = obligationByPayId(toReview.pop());
  if (obligation === null) return;
  if (obligation.state == ObligationState.PROVISIONAL) {
    obligation.remove(null);
  } else if (obligation.state == ObligationState.AUTHORIZING) {
    rollBackServed(obligation, Reason.CONNECTION_LOST);
  } else {
    obligation.tellCompletion();
  }
}

/** The module's word on a purchase whose session is gone. True if it was the last one. */
export function settleStored(obligation: Obligation, outcome: PaymentOutcome): bool {
  if (obligation.state != ObligationState.APPROVED) return true;
  if (outcome.state == PaymentState.RUNNING) return false;
  if (outcome.state == PaymentState.IN_DOUBT) {
    tellObligation(obligation, PaymentState.IN_DOUBT, Reason.IN_DOUBT);
    return false;
  }
  if (outcome.state == PaymentState.COMMITTED) return commitServed(obligation, outcome);
  rollBackServed(obligation, outcome.reason);
  return obligation.state == ObligationState.VOID_OWED;
}

function logEntryFor(obligation: Obligation, kind: i32, state: i32): LogEntry {
  const entry = new LogEntry();
  entry.startedMs = obligation.startedMs;
  entry.peerMs = obligation.peerMs;
  entry.kind = kind;
  entry.state = state;
  entry.transactionId = obligation.transactionId;
  entry.payId = obligation.payId;
  entry.peer = obligation.customer;
  entry.amount = obligation.amount;
  entry.unit = obligation.unit;
  const receipt = readTicket(obligation.receipt);
  if (receipt !== null) entry.ticketId = receipt.id;
  entry.evidence.push(obligation.mandate);
  if (obligation.approval.length > 0) entry.evidence.push(obligation.approval);
  return entry;
}
