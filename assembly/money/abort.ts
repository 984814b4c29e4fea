// SPDX-License-Identifier: Apache-2.0
// Abort (Fig. 18): forgetting what was provisional. What the figure calls an abort after
// Ready-to-Commit is a doubt here (docs/protocol.md rule 4.3): the notes stay, unowned and named by
// the payment's record, until the payer's module says how it ended.
import { step } from "../board";
import { journal } from "../flash/journal";
import { identity } from "../trust/identity";
import { Role } from "../trust/roles";
import { putCommand } from "./commands";
import { directory, notes } from "./moneyHolder";
import { Payment, Stage } from "./payment";
import { PaymentRecord, PaymentState } from "./paymentRecord";
import { isTransactionModule } from "./transferNotes";
import { tranLog } from "./tranLog";

export class Abort {
  /** This module ends the payment (X of Fig. 18): rolls back, tells its own side and the peer. */
  begin(payment: Payment, reason: i32): void {
    if (payment.isOver) return;
    step(1726);
    const wasPromised = payment.stage == Stage.ACKNOWLEDGEMENT_WANTED;
    step(1728);
    this.end(payment, reason);
    step(1730);
    if (wasPromised) {
      step(1732);
      step(1734);
    }
    if (wasPromised && isTransactionModule()) {
      step(1736);
      step(1738);
    } else {
      step(1740);
      step(identity.certificate.role == Role.TELLER ? 1742 : 1744);
    }
    const session = payment.session;
    if (session != null) {
      session.close(reason, true);
      step(1748);
    }
    payment.ownSide.tellOutcome(payment);
  }

  /** The peer ended the payment, or its session is lost (Y of Fig. 18). */
  ended(payment: Payment, reason: i32): void {
    if (payment.isOver) return;
    step(1750);
    this.end(payment, reason);
    step(1752);
    if (isTransactionModule()) {
      step(1754);
    } else {
      step(1756);
      if (identity.certificate.role == Role.TELLER) step(1758);
    }
    payment.ownSide.tellOutcome(payment);
  }

  /** Rolls back, or leaves in doubt what was promised. */
  private end(payment: Payment, reason: i32): void {
    const wasPromised = payment.stage == Stage.ACKNOWLEDGEMENT_WANTED;
    payment.stage = Stage.OVER;
    payment.reason = reason;
    payment.state = wasPromised ? PaymentState.IN_DOUBT : PaymentState.ABORTED;
    const outgoing = payment.outgoing;
    if (outgoing != null) directory.reserve(outgoing.choice, false);
    journal.begin();
    if (wasPromised) {
      // Only told again, not decided: a log without room for it changes nothing.
      const record = PaymentRecord.find(payment.payId);
      if (record != null) tranLog.put(record, null);
    } else {
      notes.putDropped(payment.hashes);
      // What was promised to this payment's later records is free again; a doubt keeps its share.
      journal.release(payment.reservedBytes);
      payment.reservedBytes = 0;
    }
    if (payment.commandId.length > 0) {
      putCommand(payment.commandId, payment.payId, payment.state, reason);
    }
    journal.commit(false);
  }
}

/** The one of this module. */
export const abort: Abort = new Abort();
