// SPDX-License-Identifier: Apache-2.0
// A money module payment without a ticket (Fig. 12 alone): between persons, and from one device of
// a merchant to another (steps 736, 738). A merchant's agent pays only a device whose merchant
// credential names the same owner (docs/protocol.md section 4).
import { step } from "../board";
import { Bytes, bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Session } from "../session/session";
import { merchantOf } from "../ticket/credential";
import { ownMerchantCredential } from "../ticket/ticketHolder";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowMs } from "../trust/signedTime";
import {
  judgeMerchantCredential,
  MERCHANT_CREDENTIAL,
  requestMerchantCredential,
  ticketIn,
} from "./checkCredential";
import { CommandResult } from "./commandMemory";
import { commitOpen, rollBackOpen, tellDoubt } from "./commit";
import { FIRST, MoneyModulePayment } from "./moneyModulePayment";
import { OpenKind, OpenTransaction } from "./openTransaction";
import { PaymentOutcome } from "./paymentOutcome";
import { PurchaseMessage } from "./purchaseMessage";
import { LEAVE_OPEN_MS, LINGER_MS, Transaction } from "./transaction";

const NO_ANNEX: Bytes = [];

/** What both directions share: the record and its end. */
abstract class PersonPayment extends Transaction {
  protected open: OpenTransaction = new OpenTransaction();

  hostId(): Bytes {
    return this.open.commandId;
  }

  commit(outcome: PaymentOutcome): bool {
    step(this.payment!.isPayer ? 636 : 638);
    if (commitOpen(this.open, outcome, NO_ANNEX) == 0) return false;
    // The payee's module has the last word (`done`), so its agent ends the session.
    this.linger(this.payment!.isPayer ? LEAVE_OPEN_MS : LINGER_MS);
    return true;
  }

  rollBack(reason: i32): void {
    rollBackOpen(this.open, new CommandResult(this.open.commandId), reason);
  }

  inDoubt(outcome: PaymentOutcome): void {
    tellDoubt(this.open, outcome);
  }

  /** Prepares record and payment; the session is open by now. */
  protected prepare(isPayer: bool): MoneyModulePayment {
    const open = this.open;
    const session = this.session;
    open.transactionId = session.transactionId(FIRST);
    open.payId = session.payId(FIRST);
    this.payId = open.payId;
    open.peer = session.peer.id;
    open.startedMs = nowMs();
    open.peerMs = session.peerTimeMs;
    const payment = new MoneyModulePayment(
      session,
      isPayer,
      open.payId,
      open.transactionId,
      open.amount,
      open.unit,
    );
    this.payment = payment;
    return payment;
  }
}

/** The payer, by command 60. */
export class PaymentSent extends PersonPayment {
  private isChecking: bool = false;

  constructor(session: Session, commandId: Bytes, amount: u64, unit: Bytes) {
    super(session, identity.certificate.role);
    this.open.kind = OpenKind.PAYMENT_SENT;
    this.open.commandId = commandId;
    this.open.amount = amount;
    this.open.unit = unit;
  }

  opened(): void {
    if (identity.certificate.role == Role.MERCHANT) {
      this.isChecking = true;
      requestMerchantCredential(this.session);
      return;
    }
    const reason = this.announce();
    if (reason != Reason.NONE) this.abort(reason);
  }

  received(type: i32, body: CborReader): i32 {
    const payment = this.payment;
    if (type == MERCHANT_CREDENTIAL && this.isChecking) return this.credentialCame(body);
    if (type == PurchaseMessage.MONEY_MODULE_PAYMENT_REPLY && payment !== null) {
      // The order makes the payment start, so the record of it comes first.
      if (!payment.isOrdered && !this.open.store()) return Reason.JOURNAL_FULL;
      return payment.replied(body);
    }
    return Reason.WRONG_STATE;
  }

  private credentialCame(body: CborReader): i32 {
    this.isChecking = false;
    const ticket = ticketIn(body);
    const reason = judgeMerchantCredential(this.session, ticket);
    if (reason != Reason.NONE || ticket === null) return reason;
    const own = ownMerchantCredential();
    if (own === null) return Reason.UNKNOWN_TICKET;
    const isSameOwner = bytesEqual(merchantOf(ticket)!.owner, merchantOf(own)!.owner);
    if (!isSameOwner) return Reason.TICKET_OF_ANOTHER;
    step(738);
    return this.announce();
  }

  private announce(): i32 {
    return this.prepare(true).announce();
  }
}

/** What incoming payments the owner expects (command 61): amount 0 and empty unit mean any. */
export class Expectation {
  amount: u64 = 0;
  unit: Bytes = [];
}

/** The payee. */
export class PaymentReceived extends PersonPayment {
  constructor(session: Session, expected: Expectation) {
    super(session, identity.certificate.role);
    this.open.kind = OpenKind.PAYMENT_RECEIVED;
    this.open.commandId = session.tag;
    this.open.amount = expected.amount;
    this.open.unit = expected.unit;
  }

  received(type: i32, body: CborReader): i32 {
    if (type != PurchaseMessage.MONEY_MODULE_PAYMENT || this.payment !== null) {
      return Reason.WRONG_STATE;
    }
    const payment = this.prepare(false);
    return this.open.store() ? payment.announced(body) : Reason.JOURNAL_FULL;
  }
}
