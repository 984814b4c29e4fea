// SPDX-License-Identifier: Apache-2.0
// Purchase 158: the customer's side of buying or selling electronic money (Fig. 7, agent A). It
// believes neither host: price and limits come from the merchant's signed offer, the receipt must
// be what both imply, and a sale goes on only with the card issuer's own approval.
import { step } from "../board";
import { Bytes, bytesEqual, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Purpose } from "../codec/purpose";
import { composeHost, sendHost } from "../session/buffers";
import { Session } from "../session/session";
import { authorizationFor, Direction, feeFor, NO_AMOUNT } from "../ticket/conversion";
import { Card, cardOf, MerchantIdentity, merchantOf, UNIT_SIZE } from "../ticket/credential";
import { payloadWriter, signWritten, writtenHash } from "../ticket/issue";
import { MANDATE_SECONDS, readApproval, writeMandate } from "../ticket/mandate";
import { isWithinLimits, readOffer } from "../ticket/merchantOffer";
import { PurchaseTerms, receiptAgrees } from "../ticket/receipt";
import { Ticket, TICKET_ID_SIZE } from "../ticket/ticket";
import { findTicket, hasRoomForTicket, usableCards } from "../ticket/ticketHolder";
import { receiptReason } from "../ticket/validation";
import { CLOCK_WINDOW_SECONDS } from "../trust/certificate";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowMs, nowSeconds } from "../trust/signedTime";
import {
  judgeMerchantCredential,
  MERCHANT_CREDENTIAL,
  requestMerchantCredential,
  ticketIn,
} from "./checkCredential";
import { CommandResult } from "./commandMemory";
import { commitOpen, rollBackOpen, tellDoubt } from "./commit";
import { FIRST, MoneyModulePayment } from "./moneyModulePayment";
import { openByPayId, OpenKind, OpenTransaction } from "./openTransaction";
import { PaymentOutcome } from "./paymentOutcome";
import { PurchaseMessage } from "./purchaseMessage";
import { keepCountersigned, sendAnnex } from "./receiptAnnex";
import { annexFor } from "./resume";
import { LINGER_MS, Transaction } from "./transaction";

/** Prompts and answers at the owner's host (section 8). */
namespace Prompt {
  export const MERCHANT: i32 = 21;
  export const CONFIRM_MERCHANT: i32 = 22;
  export const ASK_AMOUNT: i32 = 23;
  export const AMOUNT: i32 = 24;
  export const ASK_CREDENTIAL: i32 = 25;
  export const CREDENTIAL: i32 = 26;
  export const RECEIPT: i32 = 27;
  export const CONFIRM_RECEIPT: i32 = 28;
}

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

export class CustomerPurchase extends Transaction {
  state: i32 = State.SESSION;
  private terms: PurchaseTerms = new PurchaseTerms();
  /** What field 22 of the receipt must say. */
  private merchant: MerchantIdentity = new MerchantIdentity();
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
    const offer = readOffer(pointerOf(this.offer), this.offer.length, peer.signingKey);
    const now = nowSeconds();
    if (offer === null || !bytesEqual(offer.merchant, peer.id) || now > offer.expires) {
      this.abort(Reason.OFFER_WRONG);
      return;
    }
    const terms = this.terms;
    terms.offer = offer;
    terms.customer = identity.certificate.id;
    terms.merchant = peer.id;
    terms.transactionId = this.session.transactionId(FIRST);
    terms.payId = this.session.payId(FIRST);
    this.payId = terms.payId;
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
    if (number == Prompt.CONFIRM_MERCHANT) return this.merchantConfirmed(body);
    if (number == Prompt.AMOUNT) return this.amountEntered(body);
    if (number == Prompt.CREDENTIAL) return this.cardChosen(body);
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
    sendAnnex(this.session, PurchaseMessage.ANNEX, annex, true);
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
    const writer = composeHost(Prompt.MERCHANT, 3);
    writer.bytesFrom(this.commandId);
    writer.textFrom(this.merchant.name);
    writer.bytesFrom(this.session.peer.id);
    this.state = State.NOTHING;
    this.waitForOwner(Prompt.CONFIRM_MERCHANT);
    sendHost();
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
    const writer = composeHost(Prompt.ASK_AMOUNT, 1);
    writer.bytesFrom(this.commandId);
    this.state = State.NOTHING;
    this.waitForOwner(Prompt.AMOUNT);
    sendHost();
    return Reason.NONE;
  }

  /** 716-718: the price is known here, before the merchant says it. */
  private amountEntered(body: CborReader): i32 {
    const terms = this.terms;
    const money = body.u64();
    const unit = body.text(UNIT_SIZE);
    if (!body.atEnd()) return Reason.MALFORMED;
    this.ownerAnswered();
    step(716);
    const offer = terms.offer;
    terms.money = money;
    const isCovered = isWithinLimits(offer, money, unit);
    terms.fee = isCovered ? feeFor(offer.rate, money) : NO_AMOUNT;
    terms.authorization = isCovered ? authorizationFor(offer.rate, money) : NO_AMOUNT;
    if (terms.authorization == NO_AMOUNT) {
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
    const writer = composeHost(Prompt.ASK_CREDENTIAL, 2);
    writer.bytesFrom(this.commandId);
    writer.array(cards.length);
    for (let i = 0; i < cards.length; ++i) writer.bytesFrom(cards[i]);
    this.state = State.NOTHING;
    this.waitForOwner(Prompt.CREDENTIAL);
    sendHost();
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
    const writer = this.session.compose(PurchaseMessage.CARD);
    writer.array(1);
    writer.rawFrom(ticket.encoded);
    this.state = State.RECEIPT;
    step(762);
    this.session.send(true);
    return Reason.NONE;
  }

  /** 774-780 */
  private receiptCame(body: CborReader): i32 {
    step(774);
    const receipt = ticketIn(body);
    const reason = this.judgeReceipt(receipt);
    step(776);
    if (receipt === null || reason != Reason.NONE) {
      step(778);
      return receipt === null ? Reason.RECEIPT_WRONG : reason;
    }
    this.receipt = receipt;
    step(780);
    const writer = composeHost(Prompt.RECEIPT, 2);
    writer.bytesFrom(this.commandId);
    writer.bytesFrom(receipt.encoded);
    this.state = State.NOTHING;
    this.waitForOwner(Prompt.CONFIRM_RECEIPT);
    sendHost();
    return Reason.NONE;
  }

  /** The receipt is this merchant's, for this agent, and says what session and offer imply. */
  private judgeReceipt(receipt: Ticket | null): i32 {
    if (receipt === null) return Reason.RECEIPT_WRONG;
    const own = identity.certificate;
    const now = nowSeconds();
    const merchant = this.merchant;
    if (!bytesEqual(receipt.issuerName, merchant.name)) return Reason.RECEIPT_WRONG;
    if (receipt.issuerExpires != merchant.expires) return Reason.RECEIPT_WRONG;
    if (receipt.receiverExpires != own.expires) return Reason.RECEIPT_WRONG;
    const agrees = receiptAgrees(
      receipt.componentsPointer,
      receipt.componentsLength,
      this.terms,
      this.card!,
      now - CLOCK_WINDOW_SECONDS,
      now + CLOCK_WINDOW_SECONDS,
    );
    if (!agrees) return Reason.RECEIPT_WRONG;
    return receiptReason(receipt, own.id, this.session.peer, now);
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
    const writer = this.session.compose(PurchaseMessage.RECEIPT_ACKNOWLEDGED);
    writer.array(1);
    writer.rawFrom(this.mandate);
    this.mandate = [];
    this.state = State.AUTHORIZATION;
    step(790);
    this.session.send(true);
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
    const open = new OpenTransaction();
    open.kind = OpenKind.PURCHASE;
    open.commandId = this.commandId;
    open.transactionId = terms.transactionId;
    open.payId = terms.payId;
    open.peer = terms.merchant;
    open.amount = terms.money;
    open.unit = terms.offer.moneyUnit;
    open.receipt = receipt.encoded;
    open.mandate = mandate;
    open.startedMs = nowMs();
    open.peerMs = this.session.peerTimeMs;
    if (!open.store()) return false;
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
    if (this.terms.offer.rate.direction != Direction.SELL) return Reason.WRONG_STATE;
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

  /** 526-532, in a purchase */
  private paymentAnnounced(body: CborReader): i32 {
    if (this.terms.offer.rate.direction != Direction.BUY) return Reason.WRONG_STATE;
    this.state = State.PAYMENT;
    return this.newPayment(false).announced(body);
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

  private countersignatureCame(body: CborReader): i32 {
    keepCountersigned(body, this.annex, this.session.peer, this.logKey);
    this.linger(LINGER_MS);
    return Reason.NONE;
  }
}
