// SPDX-License-Identifier: Apache-2.0
// A payment without a ticket that a peer's agent announced: this side is paid (Fig. 12, agent B),
// or is asked to pay (paragraph 128), or to exchange. Whoever is asked to pay decides: the owner is
// asked about each amount that the other module states.
import { step } from "../board";
import { CborReader } from "../codec/cborReader";
import { composeHost, sendHost } from "../session/buffers";
import { Manner } from "../session/manner";
import { Session } from "../session/session";
import { Reason } from "../trust/reasons";
import { MERCHANT_CREDENTIAL } from "./checkCredential";
import { Announcement, MoneyModulePayment, readAnnouncement } from "./moneyModulePayment";
import { MoneyTerms } from "./moneyTerms";
import { OpenKind } from "./openTransaction";
import { PersonPayment } from "./personPayment";
import { PurchaseMessage } from "./purchaseMessage";

/** Question to the owner, and the answer (docs/protocol.cddl section 8). */
const ASKED: i32 = 65;
const ANSWERED: i32 = 66;
/** So many amounts a peer may state in one session: its owner's first, and two others. */
const AMOUNTS_MAX: i32 = 3;

export class PaymentTaken extends PersonPayment {
  /** What was announced, until the own module is ordered. */
  private announcement: Announcement | null = null;
  private amountsStated: i32 = 0;
  /** What the owner is asked about. */
  private stated: MoneyTerms = new MoneyTerms();

  /** `expected`: what an ordinary payment may be; amount 0 and an empty unit mean any. */
  constructor(
    session: Session,
    private expected: MoneyTerms,
  ) {
    super(session);
    this.open.commandId = session.tag;
  }

  received(type: i32, body: CborReader): i32 {
    if (type == MERCHANT_CREDENTIAL) {
      const reason = this.judgeOwner(body);
      return reason == Reason.NONE ? this.begin() : reason;
    }
    if (type != PurchaseMessage.MONEY_MODULE_PAYMENT || this.payment !== null) {
      return Reason.WRONG_STATE;
    }
    const announcement = readAnnouncement(body);
    if (announcement === null) return Reason.MALFORMED;
    const manner = announcement.manner;
    const isOrdinary = manner == Manner.PAYMENT;
    let kind = OpenKind.PAYMENT_RECEIVED;
    if (manner == Manner.REQUESTED) kind = OpenKind.PAYMENT_GRANTED;
    else if (manner == Manner.EXCHANGE) kind = OpenKind.EXCHANGE_TAKEN;
    this.prepare(kind, manner, false, isOrdinary ? this.expected : new MoneyTerms());
    this.announcement = announcement;
    if (isOrdinary || !this.mustCheckOwner) return this.begin();
    this.requestOwner();
    return Reason.NONE;
  }

  /** 66: [ tag (already read), bool ] */
  answered(_number: i32, body: CborReader): i32 {
    const isAgreed = body.bool();
    const payment = this.payment;
    if (payment === null || !body.atEnd()) return Reason.MALFORMED;
    this.ownerAnswered();
    if (isAgreed) this.agree(payment);
    else payment.giveVerdict(false);
    return Reason.NONE;
  }

  protected judgeAmount(payment: MoneyModulePayment, stated: MoneyTerms): void {
    if (payment.manner == Manner.PAYMENT) {
      super.judgeAmount(payment, stated);
      return;
    }
    if (++this.amountsStated > AMOUNTS_MAX) {
      payment.orderAbort(Reason.WRONG_AMOUNT);
      return;
    }
    this.stated = stated;
    step(610);
    const isExchange = stated.isExchange;
    this.waitForOwner(ANSWERED);
    const writer = composeHost(ASKED, 6);
    writer.bytesFrom(this.hostId());
    writer.bytesFrom(this.open.peer);
    writer.uint(isExchange ? stated.counterAmount : stated.amount);
    writer.textFrom(isExchange ? stated.counterUnit : stated.unit);
    if (isExchange) {
      writer.uint(stated.amount);
      writer.textFrom(stated.unit);
    } else {
      writer.nil();
      writer.nil();
    }
    sendHost();
  }

  /** The record must tell what was exchanged, whatever happens to this agent from here on. */
  private agree(payment: MoneyModulePayment): void {
    const open = this.open;
    open.terms = this.stated;
    if (open.store()) payment.giveVerdict(true);
    else payment.orderAbort(Reason.JOURNAL_FULL);
  }

  /** 528-544: the record is durable before the own module may begin. */
  private begin(): i32 {
    const announcement = this.announcement;
    if (announcement === null) return Reason.WRONG_STATE;
    this.announcement = null;
    return this.open.store() ? this.payment!.accept(announcement) : Reason.JOURNAL_FULL;
  }
}
