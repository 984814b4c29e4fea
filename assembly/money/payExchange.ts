// SPDX-License-Identifier: Apache-2.0
// Pay/Exchange (Fig. 12, the money modules' side) from the acknowledged amount on: Transfer Notes
// (Fig. 20) and Commit (Fig. 21) in their order. One method per incoming message; a message that
// does not fit the stage ends the payment.
import { step } from "../board";
import { CborReader } from "../codec/cborReader";
import { Manner } from "../session/manner";
import { Reason } from "../trust/reasons";
import { abort } from "./abort";
import { commit } from "./commit";
import { Payment, Stage } from "./payment";
import { transferNotes } from "./transferNotes";

export class PayExchange {
  /** Payer: the payee acknowledges the amount (626); the notes go (628-630). */
  amountRightReceived(payment: Payment, body: CborReader): void {
    if (!isAmountExpected(payment, body)) return;
    if (payment.hasCounter) {
      abort.begin(payment, Reason.WRONG_STATE);
      return;
    }
    step(628);
    this.sendNotes(payment);
  }

  /**
   * Payer where both pay: the payee acknowledges the amounts by its own packet (31). Verified, it
   * is kept unowned; the own packet goes only now, so that the payer decides last.
   */
  counterPacketReceived(payment: Payment, body: CborReader): void {
    let reason = Reason.WRONG_STATE;
    if (payment.stage == Stage.ACCEPTANCE_WANTED && payment.hasCounter) {
      reason = transferNotes.packetReceived(payment, body);
      if (reason != Reason.NONE) step(1582);
    }
    if (reason == Reason.NONE) this.sendNotes(payment);
    else abort.begin(payment, reason);
  }

  /** Payee: the packet came (1576); verified, it is promised to be taken (632, 1702). */
  packetReceived(payment: Payment, body: CborReader): void {
    let reason = Reason.WRONG_STATE;
    if (isPacketExpected(payment)) {
      reason = transferNotes.packetReceived(payment, body);
      if (reason == Reason.NONE) {
        step(632);
        reason = commit.sendReady(payment);
      } else {
        step(1582);
      }
    }
    if (reason != Reason.NONE) abort.begin(payment, reason);
  }

  /** Payer: Ready-to-Commit came (1704). */
  readyReceived(payment: Payment, body: CborReader): void {
    let reason = Reason.WRONG_STATE;
    if (payment.stage == Stage.READY_WANTED) {
      step(632);
      reason = commit.readyReceived(payment, body);
    }
    if (reason != Reason.NONE) abort.begin(payment, reason);
  }

  /**
   * Payer, or a payee that pays, too: transfers the chosen notes. A payer first reserves room for
   * what comes after; a payee does so before it promises anything.
   */
  sendNotes(payment: Payment): void {
    step(630);
    const hasRoom = !payment.isPayer || commit.reserve(payment);
    const reason = hasRoom ? transferNotes.send(payment) : Reason.JOURNAL_FULL;
    if (reason != Reason.NONE) abort.begin(payment, reason);
  }
}

/** Whether this payee has agreed to the amount, or asked for it and is answered by the notes. */
function isPacketExpected(payment: Payment): bool {
  if (payment.stage == Stage.PACKET_WANTED) return true;
  return payment.manner == Manner.REQUESTED && payment.stage == Stage.ACCEPTANCE_WANTED;
}

/** Whether this side waits for the other's word on the amount, and `body` is []. */
export function isAmountExpected(payment: Payment, body: CborReader): bool {
  const isEmpty = body.arrayOf(0) && body.atEnd();
  if (payment.stage == Stage.ACCEPTANCE_WANTED && isEmpty) return true;
  abort.begin(payment, isEmpty ? Reason.WRONG_STATE : Reason.MALFORMED);
  return false;
}

/** The one of this module. */
export const payExchange: PayExchange = new PayExchange();
