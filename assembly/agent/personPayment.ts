// SPDX-License-Identifier: Apache-2.0
// A money module payment without a ticket (Fig. 12 alone): between persons, and between devices of
// one merchant (steps 736, 738). What all manners of it share: the record of it and its end. A
// merchant's agent pays only a device whose merchant credential names the same owner
// (docs/protocol.md section 4).
import { step } from "../board";
import { Bytes, bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Session } from "../session/session";
import { timerMs } from "../session/timers";
import { merchantOf } from "../ticket/credential";
import { ownMerchantCredential } from "../ticket/ticketHolder";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowMs } from "../trust/signedTime";
import { judgeMerchantCredential, requestMerchantCredential, ticketIn } from "./checkCredential";
import { CommandResult } from "./commandMemory";
import { commitOpen, rollBackOpen, tellDoubt } from "./commit";
import { FIRST, MoneyModulePayment } from "./moneyModulePayment";
import { MoneyTerms } from "./moneyTerms";
import { OpenTransaction } from "./openTransaction";
import { PaymentOutcome } from "./paymentOutcome";
import { ASK_AGAIN_MS, LEAVE_OPEN_MS, LINGER_MS, Transaction } from "./transaction";

const NO_ANNEX: Bytes = [];

export abstract class PersonPayment extends Transaction {
  protected open: OpenTransaction = new OpenTransaction();
  /** The peer's merchant credential is awaited. */
  private isChecking: bool = false;

  constructor(session: Session) {
    super(session, identity.certificate.role);
  }

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

  timeOut(): void {
    const payment = this.payment;
    if (this.awaited == 0 || payment === null || !payment.isOrdered) {
      super.timeOut();
      return;
    }
    // An owner who is silent has refused. If the module does not hear the order, it is asked.
    this.awaited = 0;
    payment.orderAbort(Reason.OWNER_REFUSED);
    this.deadlineMs = timerMs() + ASK_AGAIN_MS;
  }

  /** Prepares record and payment; the session is open by now. `opens`: this side announces it. */
  protected prepare(kind: i32, manner: i32, opens: bool, terms: MoneyTerms): MoneyModulePayment {
    const open = this.open;
    const session = this.session;
    open.kind = kind;
    open.terms = terms;
    open.transactionId = session.transactionId(FIRST);
    open.payId = session.payId(FIRST);
    this.payId = open.payId;
    open.peer = session.peer.id;
    open.startedMs = nowMs();
    open.peerMs = session.peerTimeMs;
    const payment = new MoneyModulePayment(
      session,
      manner,
      opens,
      open.payId,
      open.transactionId,
      terms,
    );
    this.payment = payment;
    return payment;
  }

  /** Whether the peer's owner must be known before money goes to it. */
  protected get mustCheckOwner(): bool {
    return this.peerRole == Role.MERCHANT;
  }

  protected requestOwner(): void {
    this.isChecking = true;
    requestMerchantCredential(this.session);
  }

  /** The peer's merchant credential came: 0, or the reason not to pay this device. */
  protected judgeOwner(body: CborReader): i32 {
    if (!this.isChecking) return Reason.WRONG_STATE;
    this.isChecking = false;
    const ticket = ticketIn(body);
    const reason = judgeMerchantCredential(this.session, ticket);
    if (reason != Reason.NONE || ticket === null) return reason;
    const own = ownMerchantCredential();
    if (own === null) return Reason.UNKNOWN_TICKET;
    const isSameOwner = bytesEqual(merchantOf(ticket)!.owner, merchantOf(own)!.owner);
    if (!isSameOwner) return Reason.TICKET_OF_ANOTHER;
    step(738);
    return Reason.NONE;
  }
}
