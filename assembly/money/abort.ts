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
import { NO_EVIDENCE, tranLog } from "./tranLog";

export class Abort {
  /** This module ends the payment (X of Fig. 18): tells peer, rolls back, tells its own side. */
  begin(payment: Payment, reason: i32): void {
    if (payment.isOver) return;
    // The notice (1746, 1748) goes first: an agent that hears of the end closes the way there.
    const session = payment.session;
    if (session != null) session.close(reason, true);
    step(1726);
    const wasPromised = this.rollBack(payment, reason);
    step(1728);
    payment.state = wasPromised ? PaymentState.IN_DOUBT : PaymentState.ABORTED;
    step(1730);
    this.log(payment, wasPromised);
    const isTransaction = isTransactionModule();
    if (wasPromised) step(1734);
    if (wasPromised && isTransaction) {
      // One word says both: the payment did not end, and its money may yet come or be lost.
      step(1736);
      step(1738);
    } else {
      step(1740);
      if (isTransaction) step(1744);
      else if (identity.certificate.role == Role.TELLER) step(1742);
    }
    payment.ownSide.tellOutcome(payment);
  }

  /** The peer ended the payment (Y of Fig. 18). */
  ended(payment: Payment, reason: i32): void {
    if (payment.isOver) return;
    step(1750);
    const wasPromised = this.rollBack(payment, reason);
    payment.state = wasPromised ? PaymentState.IN_DOUBT : PaymentState.ABORTED;
    this.log(payment, wasPromised);
    step(1752);
    if (isTransactionModule()) {
      step(1754);
    } else {
      step(1756);
      if (identity.certificate.role == Role.TELLER) step(1758);
    }
    payment.ownSide.tellOutcome(payment);
  }

  /** Gives back what was taken for the payment; whether it had been promised to be received. */
  private rollBack(payment: Payment, reason: i32): bool {
    const wasPromised = payment.stage == Stage.ACKNOWLEDGEMENT_WANTED;
    payment.stage = Stage.OVER;
    payment.reason = reason;
    const outgoing = payment.outgoing;
    // What an exchange in doubt has promised stays promised, over boots, too.
    if (outgoing != null && !wasPromised) directory.reserve(outgoing.choice, false);
    return wasPromised;
  }

  /** Makes the end durable: a doubt, with what was promised, or that nothing is left. */
  private log(payment: Payment, wasPromised: bool): void {
    journal.begin();
    if (wasPromised) {
      step(1732);
      // Only told again, not decided: a log without room for it changes nothing.
      const record = PaymentRecord.find(payment.payId);
      if (record != null) tranLog.put(record, record.hashes, record.promised, NO_EVIDENCE);
    } else {
      notes.putDropped(payment.hashes);
      // What was promised to this payment's later records is free again; a doubt keeps its share.
      journal.release(payment.reservedBytes);
      payment.reservedBytes = 0;
    }
    if (payment.commandId.length > 0) {
      putCommand(payment.commandId, payment.payId, payment.state, payment.reason);
    }
    journal.commit(false);
  }
}

/** The one of this module. */
export const abort: Abort = new Abort();
