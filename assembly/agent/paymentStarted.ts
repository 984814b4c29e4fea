// SPDX-License-Identifier: Apache-2.0
// A payment without a ticket that the own host ordered (commands 60, 62, 63): this agent announces
// it, and its module opens and states the amount (Fig. 12, agent A; in a requested payment agent B,
// paragraph 128).
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Manner, openerPays } from "../session/manner";
import { Session } from "../session/session";
import { Reason } from "../trust/reasons";
import {
  giveMerchantCredential,
  MERCHANT_CREDENTIAL,
  REQUEST_MERCHANT_CREDENTIAL,
} from "./checkCredential";
import { OwnerAnswer, promptAmount } from "./customerPrompts";
import { MoneyModulePayment } from "./moneyModulePayment";
import { MoneyTerms } from "./moneyTerms";
import { OpenKind } from "./openTransaction";
import { PersonPayment } from "./personPayment";
import { PurchaseMessage } from "./purchaseMessage";

/** So often the owner may name another amount in one payment. */
const NEW_AMOUNTS_MAX: i32 = 2;

export class PaymentStarted extends PersonPayment {
  private newAmounts: i32 = 0;
  /** Why another amount is asked for. */
  private refusal: i32 = Reason.NONE;

  constructor(
    session: Session,
    commandId: Bytes,
    private manner: i32,
    private terms: MoneyTerms,
  ) {
    super(session);
    this.open.commandId = commandId;
  }

  opened(): void {
    if (this.mustCheckOwner && openerPays(this.manner)) {
      this.requestOwner();
      return;
    }
    const reason = this.announce();
    if (reason != Reason.NONE) this.abort(reason);
  }

  received(type: i32, body: CborReader): i32 {
    const payment = this.payment;
    if (type == MERCHANT_CREDENTIAL) {
      const reason = this.judgeOwner(body);
      return reason == Reason.NONE ? this.announce() : reason;
    }
    if (payment === null || payment.isOrdered) return Reason.WRONG_STATE;
    if (type == REQUEST_MERCHANT_CREDENTIAL && this.mustCheckOwner) {
      return giveMerchantCredential(this.session, body, true);
    }
    if (type != PurchaseMessage.MONEY_MODULE_PAYMENT_REPLY) return Reason.WRONG_STATE;
    // The order makes the payment start, so the record of it comes first.
    return this.open.store() ? payment.replied(body) : Reason.JOURNAL_FULL;
  }

  /** 576: the owner may name another amount, where it was the owner who named the first. */
  protected newAmountWanted(payment: MoneyModulePayment, reason: i32): void {
    this.refusal = reason;
    // What a peer's owner was asked, and denied, is not a difference of opinion.
    const isDenied = reason == Reason.WRONG_AMOUNT && this.manner != Manner.PAYMENT;
    if (isDenied) this.refusal = Reason.OWNER_REFUSED;
    const isFixed = this.mustCheckOwner || this.manner == Manner.EXCHANGE;
    if (isFixed || this.newAmounts >= NEW_AMOUNTS_MAX) {
      payment.orderAbort(this.refusal);
      return;
    }
    ++this.newAmounts;
    this.waitForOwner(OwnerAnswer.AMOUNT);
    promptAmount(this.hostId(), this.refusal);
  }

  /** 24: [ command-id (already read), amount / null, unit / null ] */
  answered(_number: i32, body: CborReader): i32 {
    const payment = this.payment;
    const isNone = body.isNull();
    const terms = new MoneyTerms();
    if (isNone) body.isNull();
    else terms.read(body, false);
    if (payment === null || !body.atEnd()) return Reason.MALFORMED;
    this.ownerAnswered();
    if (isNone) {
      payment.orderAbort(this.refusal);
    } else {
      payment.terms = terms;
      payment.giveAmount();
    }
    return Reason.NONE;
  }

  private announce(): i32 {
    const manner = this.manner;
    let kind = OpenKind.PAYMENT_SENT;
    if (manner == Manner.REQUESTED) kind = OpenKind.PAYMENT_REQUESTED;
    else if (manner == Manner.EXCHANGE) kind = OpenKind.EXCHANGE;
    return this.prepare(kind, manner, true, this.terms).announce();
  }
}
