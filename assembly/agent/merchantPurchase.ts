// SPDX-License-Identifier: Apache-2.0
// Purchase 170: the merchant's side of selling and buying electronic money (Fig. 7, agent B). Terms
// are those of an offer that this agent signed itself; money moves only behind the card issuer's
// signed approval, and the card is posted or voided by what the own money module says.
import { step } from "../board";
import { Bytes, bytesEqual, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { composeHost, sendHost } from "../session/buffers";
import { Session } from "../session/session";
import { AMOUNT_MAX, authorizationFor, Direction, feeFor, NO_AMOUNT } from "../ticket/conversion";
import { cardOf, MerchantIdentity, merchantOf, UNIT_SIZE } from "../ticket/credential";
import { beginTicket, finishTicket, payloadWriter } from "../ticket/issue";
import { mandateAgrees } from "../ticket/mandate";
import { isWithinLimits, OFFER_SIZE_MAX, readOffer } from "../ticket/merchantOffer";
import { PurchaseTerms, writeReceipt } from "../ticket/receipt";
import { readTicket, Ticket, TicketType } from "../ticket/ticket";
import { ownMerchantCredential } from "../ticket/ticketHolder";
import { cardReason } from "../ticket/validation";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowMs, nowSeconds } from "../trust/signedTime";
import {
  askAuthorization,
  commitServed,
  forgetRefused,
  rollBackServed,
  tellObligation,
  tellServed,
} from "./authorization";
import { ticketIn } from "./checkCredential";
import { FIRST, MoneyModulePayment } from "./moneyModulePayment";
import { Obligation, obligationByPayId, ObligationState } from "./obligation";
import { PaymentOutcome, PaymentState } from "./paymentOutcome";
import { PurchaseMessage } from "./purchaseMessage";
import { countersign, sendAnnex, signedIn } from "./receiptAnnex";
import { toMoneyModule } from "./toMoneyModule";
import { LEAVE_OPEN_MS, Transaction } from "./transaction";

/** Questions and answers at the merchant's host (docs/protocol.cddl section 8). */
namespace Prompt {
  export const FUNDS_SHORT: i32 = 43;
  export const FUNDS_ANSWER: i32 = 44;
  export const AUTHORIZATION: i32 = 46;
}

/** What is awaited of customer and own module; `awaited` tells what is awaited of the host. */
namespace State {
  export const REQUEST: i32 = 0;
  export const FUNDS: i32 = 1;
  /** What the module has after the host said that it now has enough. */
  export const TOPPED_UP_FUNDS: i32 = 2;
  export const CARD: i32 = 3;
  export const ACKNOWLEDGEMENT: i32 = 4;
  /** R(1), in a sale. */
  export const PAYMENT_ANNOUNCED: i32 = 5;
  /** R(2), in a purchase. */
  export const PAYMENT_REPLY: i32 = 6;
  export const PAYMENT: i32 = 7;
  /** Nothing: the host is to speak. */
  export const NOTHING: i32 = 8;
}

export class MerchantPurchase extends Transaction {
  state: i32 = State.REQUEST;
  private terms: PurchaseTerms = new PurchaseTerms();
  private merchant: MerchantIdentity = new MerchantIdentity();
  /** Until the receipt is made; then the record in the journal has both. */
  private cardTicket: Ticket | null = null;
  private isRecorded: bool = false;
  private receiptHash: Bytes = [];
  private isRefused: bool = false;
  private settledOutcome: PaymentOutcome | null = null;
  /** An annex that came before the own module's outcome. */
  private waitingAnnex: Bytes | null = null;

  constructor(session: Session) {
    super(session, Role.CUSTOMER);
    const terms = this.terms;
    terms.customer = session.peer.id;
    terms.merchant = identity.certificate.id;
    terms.transactionId = session.transactionId(FIRST);
    terms.payId = session.payId(FIRST);
    this.payId = terms.payId;
  }

  hostId(): Bytes {
    return this.session.tag;
  }

  received(type: i32, body: CborReader): i32 {
    const state = this.state;
    if (type == PurchaseMessage.REQUEST_MONEY && state == State.REQUEST) {
      return this.requestCame(body);
    }
    if (type == PurchaseMessage.CARD && state == State.CARD) return this.cardCame(body);
    if (type == PurchaseMessage.RECEIPT_ACKNOWLEDGED && state == State.ACKNOWLEDGEMENT) {
      return this.acknowledgementCame(body);
    }
    if (type == PurchaseMessage.MONEY_MODULE_PAYMENT && state == State.PAYMENT_ANNOUNCED) {
      this.state = State.PAYMENT;
      return this.newPayment(false).announced(body);
    }
    if (type == PurchaseMessage.MONEY_MODULE_PAYMENT_REPLY && state == State.PAYMENT_REPLY) {
      this.state = State.PAYMENT;
      return this.payment!.replied(body);
    }
    if (type == PurchaseMessage.ANNEX && state == State.PAYMENT) return this.annexCame(body);
    return Reason.WRONG_STATE;
  }

  answered(number: i32, body: CborReader): i32 {
    if (number == Prompt.FUNDS_ANSWER) return this.fundsAnswered(body);
    return this.authorizationAnswered(body);
  }

  /** 726: the own module told what it has in `unit`. */
  fundsTold(unit: Bytes, amount: u64): void {
    const isTopUp = this.state == State.TOPPED_UP_FUNDS;
    if (this.state != State.FUNDS && !isTopUp) return;
    if (!bytesEqual(unit, this.terms.offer.moneyUnit)) return;
    step(726);
    if (amount >= this.terms.money) {
      this.requestCard();
    } else if (isTopUp) {
      this.abort(Reason.INSUFFICIENT_FUNDS);
    } else {
      this.askForFunds(amount);
    }
  }

  commit(outcome: PaymentOutcome): bool {
    step(this.payment!.isPayer ? 636 : 638);
    const obligation = this.obligation();
    if (obligation === null || !commitServed(obligation, outcome)) return false;
    this.settledOutcome = outcome;
    this.linger(LEAVE_OPEN_MS);
    const annex = this.waitingAnnex;
    if (annex !== null) this.answerAnnex(annex);
    return true;
  }

  rollBack(reason: i32): void {
    const obligation = this.obligation();
    if (obligation === null || obligation.state == ObligationState.PROVISIONAL) {
      if (obligation !== null) obligation.remove(null);
      step(238);
      tellServed(this.session.tag, PaymentState.ABORTED, reason, null, null, null);
    } else if (this.isRefused) {
      forgetRefused(obligation);
    } else {
      rollBackServed(obligation, reason);
    }
  }

  inDoubt(_outcome: PaymentOutcome): void {
    const obligation = this.obligation();
    if (obligation !== null) tellObligation(obligation, PaymentState.IN_DOUBT, Reason.IN_DOUBT);
  }

  /** The record of this purchase; null before there is one. */
  private obligation(): Obligation | null {
    return this.isRecorded ? obligationByPayId(this.payId) : null;
  }

  /** 720-724 */
  private requestCame(body: CborReader): i32 {
    step(720);
    body.arrayOf(4);
    const direction = body.u64();
    const money = body.uintAtMost(AMOUNT_MAX);
    const unit = body.text(UNIT_SIZE);
    body.view();
    if (!body.atEnd() || body.viewLength > OFFER_SIZE_MAX) return Reason.MALFORMED;
    const own = identity.certificate;
    const offer = readOffer(body.viewPointer, body.viewLength, own.signingKey);
    if (offer === null || !bytesEqual(offer.merchant, own.id)) return Reason.OFFER_WRONG;
    if (nowSeconds() > offer.expires || direction != u64(offer.rate.direction)) {
      return Reason.OFFER_WRONG;
    }
    if (!isWithinLimits(offer, money, unit)) return Reason.OUTSIDE_OFFER_LIMITS;
    const credential = ownMerchantCredential();
    const merchant = credential !== null ? merchantOf(credential) : null;
    if (credential === null || merchant === null) return Reason.UNKNOWN_TICKET;
    const terms = this.terms;
    this.merchant = merchant;
    terms.merchantCredential = credential.id;
    terms.offer = offer;
    terms.money = money;
    terms.fee = feeFor(offer.rate, money);
    terms.authorization = authorizationFor(offer.rate, money);
    if (terms.authorization == NO_AMOUNT) return Reason.OUTSIDE_OFFER_LIMITS;
    if (!toMoneyModule.reach()) return Reason.NOT_PAIRED;
    step(722);
    if (direction == u64(Direction.SELL)) {
      this.requestCard();
    } else {
      this.state = State.FUNDS;
      this.queryFunds();
    }
    return Reason.NONE;
  }

  /** 724 */
  private queryFunds(): void {
    step(724);
    this.waitForOwner(0);
    toMoneyModule.askFunds(this.terms.offer.moneyUnit);
  }

  /** 728: another device of the merchant, or its bank, may help out. */
  private askForFunds(available: u64): void {
    step(728);
    const terms = this.terms;
    const writer = composeHost(Prompt.FUNDS_SHORT, 3);
    writer.bytesFrom(this.session.tag);
    writer.uint(terms.money - available);
    writer.textFrom(terms.offer.moneyUnit);
    this.state = State.NOTHING;
    this.waitForOwner(Prompt.FUNDS_ANSWER);
    sendHost();
  }

  /** 732-748: the top-up is finished, or there is none. What the module says counts. */
  private fundsAnswered(body: CborReader): i32 {
    const isAvailable = body.bool();
    if (!body.atEnd()) return Reason.MALFORMED;
    this.ownerAnswered();
    if (isAvailable) {
      this.state = State.TOPPED_UP_FUNDS;
      this.queryFunds();
    } else {
      step(746);
      this.abort(Reason.INSUFFICIENT_FUNDS);
    }
    return Reason.NONE;
  }

  /** 750, 752 */
  private requestCard(): void {
    this.ownerAnswered();
    step(750);
    const writer = this.session.compose(PurchaseMessage.REQUEST_CARD);
    writer.array(0);
    this.state = State.CARD;
    step(752);
    this.session.send(true);
  }

  /** 764, 766 */
  private cardCame(body: CborReader): i32 {
    const ticket = ticketIn(body);
    step(764);
    const terms = this.terms;
    let reason = Reason.TICKET_INVALID;
    if (ticket !== null) reason = cardReason(ticket, this.session.peer.id, nowSeconds());
    const card = ticket !== null ? cardOf(ticket) : null;
    if (card !== null && !bytesEqual(card.unit, terms.offer.accountUnit)) {
      reason = Reason.TICKET_INVALID;
    }
    step(766);
    if (reason != Reason.NONE || ticket === null) {
      step(746);
      return reason;
    }
    this.cardTicket = ticket;
    terms.credential = ticket.id;
    this.state = State.ACKNOWLEDGEMENT;
    this.doLater();
    return Reason.NONE;
  }

  /** 768-772: the receipt is made and sent; card and receipt leave the heap. */
  resume(): void {
    step(768);
    const receipt = this.makeReceipt();
    const ticket = this.cardTicket;
    this.cardTicket = null;
    if (receipt === null || ticket === null) {
      this.abort(Reason.NO_RANDOM);
      return;
    }
    this.receiptHash = receipt.payloadHash();
    if (!this.newObligation(ticket.encoded, receipt.encoded).begin()) {
      this.abort(Reason.JOURNAL_FULL);
      return;
    }
    this.isRecorded = true;
    step(770);
    const message = this.session.compose(PurchaseMessage.RECEIPT);
    message.array(1);
    message.rawFrom(receipt.encoded);
    step(772);
    this.session.send(true);
  }

  private makeReceipt(): Ticket | null {
    const merchant = this.merchant;
    const peer = this.session.peer;
    const card = cardOf(this.cardTicket!)!;
    const writer = payloadWriter();
    if (!beginTicket(writer, merchant.name, merchant.expires, peer, TicketType.RECEIPT)) {
      return null;
    }
    writeReceipt(writer, this.terms, card, nowSeconds());
    const encoded = finishTicket(writer);
    return encoded !== null ? readTicket(encoded) : null;
  }

  /** 792-796, 810: the duty is durable before the host may ask the network. */
  private acknowledgementCame(body: CborReader): i32 {
    step(792);
    const mandate = signedIn(body);
    const signed = new CoseSign1();
    if (mandate === null || !signed.parse(pointerOf(mandate), mandate.length)) {
      return Reason.MALFORMED;
    }
    if (!mandateAgrees(signed, this.terms, nowSeconds(), this.receiptHash)) {
      return Reason.RECEIPT_WRONG;
    }
    if (!signed.verify(Purpose.MANDATE, pointerOf(this.session.peer.signingKey))) {
      return Reason.RECEIPT_WRONG;
    }
    step(794);
    const obligation = this.obligation();
    if (obligation === null) return Reason.WRONG_STATE;
    obligation.mandate = mandate;
    if (!obligation.enter(ObligationState.AUTHORIZING, null)) return Reason.JOURNAL_FULL;
    this.state = State.NOTHING;
    this.waitForOwner(Prompt.AUTHORIZATION);
    step(this.isSale ? 796 : 810);
    askAuthorization(obligation, this.terms.merchantCredential);
    return Reason.NONE;
  }

  private newObligation(card: Bytes, receipt: Bytes): Obligation {
    const obligation = new Obligation();
    const terms = this.terms;
    obligation.sessionTag = this.session.tag;
    obligation.transactionId = terms.transactionId;
    obligation.payId = terms.payId;
    obligation.customer = terms.customer;
    obligation.amount = terms.money;
    obligation.unit = terms.offer.moneyUnit;
    obligation.card = card;
    obligation.receipt = receipt;
    obligation.startedMs = nowMs();
    obligation.peerMs = this.session.peerTimeMs;
    return obligation;
  }

  /** 800-806, 813-817: [ tag (already read), approval / null, code ] */
  private authorizationAnswered(body: CborReader): i32 {
    const isSilent = body.isNull();
    if (!isSilent) body.raw();
    const pointer = body.viewPointer;
    const length = body.viewLength;
    body.text(2);
    if (!body.atEnd()) return Reason.MALFORMED;
    this.ownerAnswered();
    step(this.isSale ? 800 : 813);
    const obligation = this.obligation();
    const approval =
      obligation !== null && !isSilent ? obligation.readApproval(pointer, length) : null;
    step(this.isSale ? 802 : 815);
    if (approval === null || obligation === null) {
      this.refuse(isSilent ? Reason.CARD_NETWORK_SILENT : Reason.APPROVAL_INVALID);
      return Reason.NONE;
    }
    obligation.approval = bytesOf(pointer, length);
    if (!approval.isApproved) {
      this.isRefused = true;
      // The customer's agent learns the network's code from the issuer's own words.
      this.forwardApproval(obligation.approval, false);
      this.refuse(Reason.CARD_REFUSED);
    } else if (approval.until < nowSeconds()) {
      this.refuse(Reason.APPROVAL_INVALID);
    } else if (!obligation.enter(ObligationState.APPROVED, null)) {
      this.refuse(Reason.JOURNAL_FULL);
    } else {
      this.approved(obligation.approval);
    }
    return Reason.NONE;
  }

  private approved(approval: Bytes): void {
    if (this.isSale) {
      step(804);
      this.state = State.PAYMENT_ANNOUNCED;
      step(806);
      this.forwardApproval(approval, true);
      return;
    }
    step(817);
    this.state = State.PAYMENT_REPLY;
    const reason = this.newPayment(true).announce();
    if (reason != Reason.NONE) this.abort(reason);
  }

  private refuse(reason: i32): void {
    step(746);
    this.abort(reason);
  }

  private forwardApproval(approval: Bytes, awaitReply: bool): void {
    const writer = this.session.compose(PurchaseMessage.APPROVAL);
    writer.array(1);
    writer.rawFrom(approval);
    this.session.send(awaitReply);
  }

  private newPayment(isPayer: bool): MoneyModulePayment {
    const terms = this.terms;
    const payment = new MoneyModulePayment(
      this.session,
      isPayer,
      terms.payId,
      terms.transactionId,
      terms.money,
      terms.offer.moneyUnit,
    );
    this.payment = payment;
    return payment;
  }

  /** The customer's word on the outcome: countersigned once the own module has said the same. */
  private annexCame(body: CborReader): i32 {
    const annex = signedIn(body);
    if (annex === null) return Reason.MALFORMED;
    if (this.settledOutcome === null) this.waitingAnnex = annex;
    else this.answerAnnex(annex);
    return Reason.NONE;
  }

  private answerAnnex(annex: Bytes): void {
    const peer = this.session.peer;
    const signed = countersign(annex, peer, this.receiptHash, this.settledOutcome!);
    if (signed === null) return;
    sendAnnex(this.session, PurchaseMessage.ANNEX_COUNTERSIGNED, signed, false);
  }

  /** True where the customer sells: this agent's module receives the money. */
  private get isSale(): bool {
    return this.terms.offer.rate.direction == Direction.SELL;
  }
}
