// SPDX-License-Identifier: Apache-2.0
// Purchase 170: the merchant's side of selling and buying electronic money (Fig. 7, agent B). Terms
// are those of an offer that this agent signed itself; money moves only behind the card issuer's
// signed approval, and the card is posted or voided by what the own money module says.
import { step } from "../board";
import { Bytes, bytesEqual, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { Session } from "../session/session";
import { AMOUNT_MAX } from "../ticket/conversion";
import { cardOf, merchantOf, UNIT_SIZE } from "../ticket/credential";
import { mandateAgrees } from "../ticket/mandate";
import { isWithinLimits, OFFER_SIZE_MAX } from "../ticket/merchantOffer";
import { Ticket } from "../ticket/ticket";
import { ownMerchantCredential } from "../ticket/ticketHolder";
import { cardReason } from "../ticket/validation";
import { namesSigner } from "../trust/chain";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowSeconds } from "../trust/signedTime";
import {
  askAuthorization,
  commitServed,
  forgetRefused,
  rollBackServed,
  tellObligation,
  tellServed,
} from "./authorization";
import { ticketIn } from "./checkCredential";
import { FUNDS_ANSWER, MerchantFunds } from "./merchantFunds";
import { makeReceipt, newObligation } from "./merchantReceipt";
import { Obligation, obligationByPayId, ObligationState } from "./obligation";
import { PaymentOutcome, PaymentState } from "./paymentOutcome";
import { offerOf, Purchase } from "./purchase";
import { PurchaseMessage } from "./purchaseMessage";
import { countersign, signedIn } from "./receiptAnnex";
import { toMoneyModule } from "./toMoneyModule";
import { LEAVE_OPEN_MS } from "./transaction";

/** Answer of the merchant's host (docs/protocol.cddl section 8). */
const AUTHORIZATION_ANSWER: i32 = 46;

/** What is awaited of customer and own module; `awaited` tells what is awaited of the host. */
namespace State {
  export const REQUEST: i32 = 0;
  export const CARD: i32 = 1;
  export const ACKNOWLEDGEMENT: i32 = 2;
  /** R(1), in a sale. */
  export const PAYMENT_ANNOUNCED: i32 = 3;
  /** R(2), in a purchase. */
  export const PAYMENT_REPLY: i32 = 4;
  export const PAYMENT: i32 = 5;
  /** Nothing: the host is to speak, or the own module about its funds. */
  export const NOTHING: i32 = 6;
}

export class MerchantPurchase extends Purchase {
  state: i32 = State.REQUEST;
  /** In a purchase: whether the own module has the money. */
  private funds: MerchantFunds | null = null;
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
    this.identify(session.peer.id, identity.certificate.id);
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
      return this.paymentAnnounced(body);
    }
    if (type == PurchaseMessage.MONEY_MODULE_PAYMENT_REPLY && state == State.PAYMENT_REPLY) {
      this.state = State.PAYMENT;
      return this.payment!.replied(body);
    }
    if (type == PurchaseMessage.ANNEX && state == State.PAYMENT) return this.annexCame(body);
    return Reason.WRONG_STATE;
  }

  answered(number: i32, body: CborReader): i32 {
    if (number == FUNDS_ANSWER) return this.funds!.answered(body);
    return this.authorizationAnswered(body);
  }

  /** 726: the own module told what it has in `unit`. */
  fundsTold(unit: Bytes, amount: u64): void {
    const funds = this.funds;
    if (funds !== null && funds.told(unit, amount)) this.requestCard();
  }

  /** Nobody owns the silence of a card network; without a word on other funds there are none. */
  protected reasonOfSilence(): i32 {
    if (this.awaited == AUTHORIZATION_ANSWER) return Reason.CARD_NETWORK_SILENT;
    return this.awaited == FUNDS_ANSWER ? Reason.INSUFFICIENT_FUNDS : Reason.TIME_OUT;
  }

  promised(unit: Bytes): u64 {
    const funds = this.funds;
    return funds !== null && !this.isSettled ? funds.promised(unit) : 0;
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
    const offer = offerOf(body.viewPointer, body.viewLength, identity.certificate);
    if (offer === null || direction != u64(offer.rate.direction)) return Reason.OFFER_WRONG;
    if (!isWithinLimits(offer, money, unit)) return Reason.OUTSIDE_OFFER_LIMITS;
    const credential = ownMerchantCredential();
    const merchant = credential !== null ? merchantOf(credential) : null;
    if (credential === null || merchant === null) return Reason.UNKNOWN_TICKET;
    const terms = this.terms;
    this.merchant = merchant;
    terms.merchantCredential = credential.id;
    terms.offer = offer;
    if (!this.setPrice(money)) return Reason.OUTSIDE_OFFER_LIMITS;
    if (!toMoneyModule.reach()) return Reason.NOT_PAIRED;
    step(722);
    if (this.isSale) {
      this.requestCard();
    } else {
      const funds = new MerchantFunds(this, money, offer.moneyUnit);
      this.funds = funds;
      this.state = State.NOTHING;
      funds.query();
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
    const session = this.session;
    const terms = this.terms;
    const ticket = this.cardTicket!;
    this.cardTicket = null;
    const receipt = makeReceipt(terms, this.merchant, session.peer, ticket);
    if (receipt === null) {
      this.abort(Reason.NO_RANDOM);
      return;
    }
    this.receiptHash = receipt.payloadHash();
    if (!newObligation(session, terms, ticket.encoded, receipt.encoded).begin()) {
      this.abort(Reason.JOURNAL_FULL);
      return;
    }
    this.isRecorded = true;
    step(770);
    const writer = session.compose(PurchaseMessage.RECEIPT);
    writer.array(1);
    writer.rawFrom(receipt.encoded);
    step(772);
    session.send(true);
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
    const customer = this.session.peer;
    const isSigned =
      namesSigner(signed, customer) &&
      signed.verify(Purpose.MANDATE, pointerOf(customer.signingKey));
    if (!isSigned) return Reason.RECEIPT_WRONG;
    step(794);
    const obligation = this.obligation();
    if (obligation === null) return Reason.WRONG_STATE;
    obligation.mandate = mandate;
    if (!obligation.enter(ObligationState.AUTHORIZING, null)) return Reason.JOURNAL_FULL;
    this.state = State.NOTHING;
    this.waitForOwner(AUTHORIZATION_ANSWER);
    step(this.isSale ? 796 : 810);
    askAuthorization(obligation, this.terms.merchantCredential);
    return Reason.NONE;
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
      this.refuse(Reason.CARD_REFUSED, obligation.approval);
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
      this.sendItem(PurchaseMessage.APPROVAL, approval, true);
      return;
    }
    step(817);
    this.state = State.PAYMENT_REPLY;
    const reason = this.newPayment(true).announce();
    if (reason != Reason.NONE) this.abort(reason);
  }

  /** Aborts on both sides; the network's code reaches the customer in the issuer's own words. */
  private refuse(reason: i32, refusal: Bytes | null = null): void {
    step(746);
    if (refusal !== null) this.sendItem(PurchaseMessage.APPROVAL, refusal, false);
    this.abort(reason);
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
    this.sendItem(PurchaseMessage.ANNEX_COUNTERSIGNED, signed, false);
  }
}
