// SPDX-License-Identifier: Apache-2.0
// Purchase 158: the customer's side of buying or selling electronic money (Fig. 7, agent A). It
// believes neither host: price and limits come from the merchant's signed offer, the receipt must
// be what both imply, and a sale goes on only with the card issuer's own approval.
import { step } from "../board";
import { Bytes, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Purpose } from "../codec/purpose";
import { Session } from "../session/session";
import { Card, cardOf, merchantOf, UNIT_SIZE } from "../ticket/credential";
import { payloadWriter, signWritten, writtenHash } from "../ticket/issue";
import { MANDATE_SECONDS, readApproval, writeMandate } from "../ticket/mandate";
import { isWithinLimits } from "../ticket/merchantOffer";
import { Ticket, TICKET_ID_SIZE } from "../ticket/ticket";
import { findTicket, hasRoomForTicket, usableCards } from "../ticket/ticketHolder";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowSeconds } from "../trust/signedTime";
import {
  judgeMerchantCredential,
  MERCHANT_CREDENTIAL,
  requestMerchantCredential,
  ticketIn,
} from "./checkCredential";
import { CommandResult } from "./commandMemory";
import { commitOpen, rollBackOpen, tellDoubt } from "./commit";
import {
  OwnerAnswer,
  promptAmount,
  promptCredential,
  promptMerchant,
  promptReceipt,
} from "./customerPrompts";
import { judgeReceipt, newOpenPurchase } from "./customerReceipt";
import { openByPayId, OpenTransaction } from "./openTransaction";
import { PaymentOutcome } from "./paymentOutcome";
import { offerOf, Purchase } from "./purchase";
import { PurchaseMessage } from "./purchaseMessage";
import { keepCountersigned } from "./receiptAnnex";
import { annexFor } from "./resume";
import { LINGER_MS } from "./transaction";

/** What is awaited of the merchant; `awaited` tells what is awaited of the owner. */
namespace State {
  export const SESSION: i32 = 0;
  export const MERCHANT_CREDENTIAL: i32 = 1;
  export const CARD_REQUEST: i32 = 2;
  export const RECEIPT: i32 = 3;
  /** R(1) in a purchase, the approval in a sale. */
  export const AUTHORIZATION: i32 = 4;
  /** R(2), in a sale. */
  export const PAYMENT_REPLY: i32 = 5;
  export const PAYMENT: i32 = 6;
  export const COUNTERSIGNATURE: i32 = 7;
  /** Nothing: the owner is to speak. */
  export const NOTHING: i32 = 8;
}

export class CustomerPurchase extends Purchase {
  state: i32 = State.SESSION;
  private card: Card | null = null;
  /** Until the owner has confirmed it; then the record in the journal has it. */
  private receipt: Ticket | null = null;
  private isStored: bool = false;
  private mandate: Bytes = [];
  private mandateHash: Bytes = [];
  private code: Bytes | null = null;
  /** The own annex, and the key of the log entry that it is part of. */
  private annex: Bytes = [];
  private logKey: u32 = 0;

  /** `offer` is the encoded merchant-offer that the owner chose (700-706). */
  constructor(
    session: Session,
    private commandId: Bytes,
    private offer: Bytes,
  ) {
    super(session, Role.MERCHANT);
  }

  hostId(): Bytes {
    return this.commandId;
  }

  opened(): void {
    step(712);
    const peer = this.session.peer;
    const offer = offerOf(pointerOf(this.offer), this.offer.length, peer);
    if (offer === null) {
      this.abort(Reason.OFFER_WRONG);
      return;
    }
    this.terms.offer = offer;
    this.identify(identity.certificate.id, peer.id);
    this.state = State.MERCHANT_CREDENTIAL;
    requestMerchantCredential(this.session);
  }

  received(type: i32, body: CborReader): i32 {
    const state = this.state;
    if (type == MERCHANT_CREDENTIAL && state == State.MERCHANT_CREDENTIAL) {
      return this.merchantCredentialCame(body);
    }
    if (type == PurchaseMessage.REQUEST_CARD && state == State.CARD_REQUEST) {
      return this.cardRequestCame(body);
    }
    if (type == PurchaseMessage.RECEIPT && state == State.RECEIPT) return this.receiptCame(body);
    if (type == PurchaseMessage.APPROVAL && state == State.AUTHORIZATION) {
      return this.approvalCame(body);
    }
    if (type == PurchaseMessage.MONEY_MODULE_PAYMENT && state == State.AUTHORIZATION) {
      if (this.isSale) return Reason.WRONG_STATE;
      this.state = State.PAYMENT;
      return this.paymentAnnounced(body);
    }
    if (type == PurchaseMessage.MONEY_MODULE_PAYMENT_REPLY && state == State.PAYMENT_REPLY) {
      this.state = State.PAYMENT;
      return this.payment!.replied(body);
    }
    if (type == PurchaseMessage.ANNEX_COUNTERSIGNED && state == State.COUNTERSIGNATURE) {
      return this.countersignatureCame(body);
    }
    return Reason.WRONG_STATE;
  }

  answered(number: i32, body: CborReader): i32 {
    if (number == OwnerAnswer.CONFIRM_MERCHANT) return this.merchantConfirmed(body);
    if (number == OwnerAnswer.AMOUNT) return this.amountEntered(body);
    if (number == OwnerAnswer.CREDENTIAL) return this.cardChosen(body);
    return this.receiptConfirmed(body);
  }

  commit(outcome: PaymentOutcome): bool {
    const open = openByPayId(this.payId);
    if (open === null) return false;
    const annex = annexFor(open, outcome);
    if (annex === null) return false;
    step(this.payment!.isPayer ? 636 : 638);
    const logKey = commitOpen(open, outcome, annex);
    if (logKey == 0) return false;
    if (!this.session.open) return true;
    this.annex = annex;
    this.logKey = logKey;
    this.state = State.COUNTERSIGNATURE;
    this.sendItem(PurchaseMessage.ANNEX, annex, true);
    return true;
  }

  rollBack(reason: i32): void {
    const result = new CommandResult(this.commandId);
    result.code = this.code;
    const open = this.isStored ? openByPayId(this.payId) : null;
    rollBackOpen(open !== null ? open : new OpenTransaction(), result, reason);
  }

  inDoubt(outcome: PaymentOutcome): void {
    const open = openByPayId(this.payId);
    if (open !== null) tellDoubt(open, outcome);
  }

  /** 454-460 */
  private merchantCredentialCame(body: CborReader): i32 {
    const ticket = ticketIn(body);
    const reason = judgeMerchantCredential(this.session, ticket);
    if (reason != Reason.NONE || ticket === null) return reason;
    this.merchant = merchantOf(ticket)!;
    this.terms.merchantCredential = ticket.id;
    step(460);
    this.awaitOwner(OwnerAnswer.CONFIRM_MERCHANT);
    promptMerchant(this.commandId, this.merchant.name, this.session.peer.id);
    return Reason.NONE;
  }

  /** 714 */
  private merchantConfirmed(body: CborReader): i32 {
    const isConfirmed = body.bool();
    if (!body.atEnd()) return Reason.MALFORMED;
    this.ownerAnswered();
    if (!isConfirmed) {
      step(458);
      this.abort(Reason.OWNER_REFUSED);
      return Reason.NONE;
    }
    step(714);
    this.awaitOwner(OwnerAnswer.AMOUNT);
    promptAmount(this.commandId, Reason.NONE);
    return Reason.NONE;
  }

  /** 716-718: the price is known here, before the merchant says it. */
  private amountEntered(body: CborReader): i32 {
    const money = body.u64();
    const unit = body.text(UNIT_SIZE);
    if (!body.atEnd()) return Reason.MALFORMED;
    this.ownerAnswered();
    step(716);
    const offer = this.terms.offer;
    if (!isWithinLimits(offer, money, unit) || !this.setPrice(money)) {
      this.abort(Reason.OUTSIDE_OFFER_LIMITS);
      return Reason.NONE;
    }
    const writer = this.session.compose(PurchaseMessage.REQUEST_MONEY);
    writer.array(4);
    writer.uint(u64(offer.rate.direction));
    writer.uint(money);
    writer.textFrom(unit);
    writer.bytesFrom(this.offer);
    this.offer = [];
    this.state = State.CARD_REQUEST;
    step(718);
    this.session.send(true);
    return Reason.NONE;
  }

  /** 754 */
  private cardRequestCame(body: CborReader): i32 {
    body.arrayOf(0);
    if (!body.atEnd()) return Reason.MALFORMED;
    step(754);
    const cards = usableCards(this.terms.offer.accountUnit, nowSeconds());
    if (cards.length == 0) return Reason.UNKNOWN_TICKET;
    this.awaitOwner(OwnerAnswer.CREDENTIAL);
    promptCredential(this.commandId, cards);
    return Reason.NONE;
  }

  /** 758-762 */
  private cardChosen(body: CborReader): i32 {
    const isNone = body.isNull();
    const id = isNone ? this.commandId : body.bytesExact(TICKET_ID_SIZE);
    if (!body.atEnd()) return Reason.MALFORMED;
    this.ownerAnswered();
    const ticket = !isNone ? findTicket(id) : null;
    const card = ticket !== null ? cardOf(ticket) : null;
    if (ticket === null || card === null) {
      this.abort(isNone ? Reason.OWNER_REFUSED : Reason.UNKNOWN_TICKET);
      return Reason.NONE;
    }
    step(758);
    this.card = card;
    this.terms.credential = ticket.id;
    step(760);
    this.state = State.RECEIPT;
    step(762);
    this.sendItem(PurchaseMessage.CARD, ticket.encoded, true);
    return Reason.NONE;
  }

  /** 774-780 */
  private receiptCame(body: CborReader): i32 {
    step(774);
    const receipt = ticketIn(body);
    const peer = this.session.peer;
    const reason = judgeReceipt(receipt, this.terms, this.card!, this.merchant, peer);
    step(776);
    if (receipt === null || reason != Reason.NONE) {
      step(778);
      return reason;
    }
    this.receipt = receipt;
    step(780);
    this.awaitOwner(OwnerAnswer.CONFIRM_RECEIPT);
    promptReceipt(this.commandId, receipt.encoded);
    return Reason.NONE;
  }

  /** 784-790: what the mandate promises is durable before it leaves. */
  private receiptConfirmed(body: CborReader): i32 {
    const isConfirmed = body.bool();
    if (!body.atEnd()) return Reason.MALFORMED;
    this.ownerAnswered();
    step(784);
    if (!isConfirmed) {
      step(778);
      this.abort(Reason.OWNER_REFUSED);
      return Reason.NONE;
    }
    if (!this.keepProvisionally(this.receipt!)) {
      this.abort(Reason.JOURNAL_FULL);
      return Reason.NONE;
    }
    step(788);
    this.state = State.AUTHORIZATION;
    step(790);
    this.sendItem(PurchaseMessage.RECEIPT_ACKNOWLEDGED, this.mandate, true);
    this.mandate = [];
    return Reason.NONE;
  }

  /** 786: receipt and mandate are durable before the mandate leaves. */
  private keepProvisionally(receipt: Ticket): bool {
    const terms = this.terms;
    const payload = payloadWriter();
    const notAfter = nowSeconds() + MANDATE_SECONDS;
    writeMandate(payload, terms, notAfter, receipt.payloadHash());
    this.mandateHash = writtenHash(payload);
    const mandate = signWritten(Purpose.MANDATE, payload);
    step(786);
    if (mandate === null || !hasRoomForTicket()) return false;
    const kept = newOpenPurchase(this.session, this.commandId, terms, receipt.encoded, mandate);
    if (!kept.store()) return false;
    this.isStored = true;
    this.receipt = null;
    this.mandate = mandate;
    return true;
  }

  /** 806: in a sale the issuer's approval, and in both its signed refusal. */
  private approvalCame(body: CborReader): i32 {
    body.arrayOf(1);
    if (!body.raw() || !body.atEnd()) return Reason.MALFORMED;
    const key = this.card!.approvalKey;
    const pointer = body.viewPointer;
    const length = body.viewLength;
    const approval = readApproval(pointer, length, this.mandateHash, key);
    if (approval === null) return Reason.APPROVAL_INVALID;
    if (!approval.isApproved) {
      this.code = approval.code;
      return Reason.CARD_REFUSED;
    }
    if (!this.isSale) return Reason.WRONG_STATE;
    if (approval.until < nowSeconds()) return Reason.APPROVAL_INVALID;
    // Mandate and approval are what makes the issuer post if the merchant does not: kept first.
    const open = openByPayId(this.payId);
    if (open === null) return Reason.JOURNAL_FULL;
    open.approval = bytesOf(pointer, length);
    if (!open.store()) return Reason.JOURNAL_FULL;
    step(808);
    this.state = State.PAYMENT_REPLY;
    return this.newPayment(true).announce();
  }

  private countersignatureCame(body: CborReader): i32 {
    keepCountersigned(body, this.annex, this.session.peer, this.logKey);
    this.linger(LINGER_MS);
    return Reason.NONE;
  }

  /** Only the owner is to speak; the prompt for answer `number` is what follows. */
  private awaitOwner(number: i32): void {
    this.state = State.NOTHING;
    this.waitForOwner(number);
  }
}
