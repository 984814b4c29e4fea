// SPDX-License-Identifier: Apache-2.0
// The merchant's trusted agent (MTA 4, Fig. 4C): sells and buys electronic money against cards,
// signs offers, moves money between the merchant's own devices, acquires the merchant credential.
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Purpose } from "../codec/purpose";
import { composeHost, sendHost } from "../session/buffers";
import { Session } from "../session/session";
import { timerMs } from "../session/timers";
import { merchantOf, readUnit } from "../ticket/credential";
import { payloadWriter, signWritten } from "../ticket/issue";
import { OfferTerms, readTerms, writeTerms } from "../ticket/merchantOffer";
import { TicketType } from "../ticket/ticket";
import { ownMerchantCredential } from "../ticket/ticketHolder";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowSeconds } from "../trust/signedTime";
import {
  completed,
  hasReview,
  repeatCompletions,
  reviewAll,
  reviewNext,
  settleStored,
} from "./authorization";
import { giveMerchantCredential, REQUEST_MERCHANT_CREDENTIAL } from "./checkCredential";
import { MerchantPurchase } from "./merchantPurchase";
import {
  obligationByPayId,
  obligationPayIds,
  ObligationState,
  reserveForObligations,
} from "./obligation";
import { PayingAgent } from "./payingAgent";
import { PaymentOutcome } from "./paymentOutcome";
import { PurchaseMessage } from "./purchaseMessage";

namespace Command {
  export const SERVE: i32 = 40;
  export const COMPLETED: i32 = 48;
  export const SIGN_OFFER: i32 = 55;
  export const OBLIGATIONS: i32 = 56;
}

const ENDPOINT_MAX: i32 = 128;

/** "merchant-agent" */
const NAME: Bytes = [
  0x6d, 0x65, 0x72, 0x63, 0x68, 0x61, 0x6e, 0x74, 0x2d, 0x61, 0x67, 0x65, 0x6e, 0x74,
];

export class MerchantAgent extends PayingAgent {
  /** The host ordered to serve customers (708); forgotten at each boot. */
  private isServing: bool = false;

  constructor() {
    super(NAME, Role.MERCHANT, TicketType.MERCHANT);
  }

  started(): void {
    super.started();
    reserveForObligations();
    reviewAll();
  }

  tick(): void {
    super.tick();
    reviewNext();
  }

  nextDeadline(): i64 {
    return hasReview() ? timerMs() : super.nextDeadline();
  }

  admits(session: Session): i32 {
    const role = session.peer.role;
    if (role == Role.MERCHANT) return Reason.NONE;
    if (role != Role.CUSTOMER) return Reason.WRONG_ROLE;
    return this.isServing ? Reason.NONE : Reason.OWNER_REFUSED;
  }

  begin(session: Session, type: i32, body: CborReader): i32 {
    if (type == REQUEST_MERCHANT_CREDENTIAL) return giveMerchantCredential(session, body, false);
    if (session.peer.role == Role.MERCHANT) return this.beginPayment(session, type, body);
    if (type != PurchaseMessage.REQUEST_MONEY) return Reason.WRONG_STATE;
    if (!this.hasSlot()) return Reason.TOO_MANY_SESSIONS;
    this.askOpen();
    const purchase = new MerchantPurchase(session);
    this.add(purchase);
    return purchase.received(type, body);
  }

  run(number: i32, fields: i32, body: CborReader): i32 {
    if (number == Command.SERVE) return this.serve(fields, body);
    if (number == Command.SIGN_OFFER) return this.signOffer(fields, body);
    if (number == Command.OBLIGATIONS) return this.tellObligations(fields);
    if (number == Command.COMPLETED) return this.complete(fields, body);
    return this.runPaying(number, fields, body);
  }

  settleServed(outcome: PaymentOutcome): bool {
    const obligation = obligationByPayId(outcome.payId);
    return obligation === null || settleStored(obligation, outcome);
  }

  askServed(): void {
    this.askAll(obligationPayIds(ObligationState.APPROVED, ObligationState.APPROVED));
  }

  private serve(fields: i32, body: CborReader): i32 {
    const isServing = body.bool();
    if (fields != 1 || !body.atEnd()) return Reason.MALFORMED;
    if (isServing && ownMerchantCredential() === null) return Reason.UNKNOWN_TICKET;
    this.isServing = isServing;
    return answered(Command.SERVE);
  }

  private complete(fields: i32, body: CborReader): i32 {
    if (fields != 2) return Reason.MALFORMED;
    const reason = completed(body);
    return reason == Reason.NONE ? answered(Command.COMPLETED) : reason;
  }

  private tellObligations(fields: i32): i32 {
    if (fields != 0) return Reason.MALFORMED;
    // How a payment ended that was approved may have been told to a host that was not there.
    this.askOpen();
    const undecided = obligationPayIds(ObligationState.APPROVED, ObligationState.APPROVED).length;
    const writer = composeHost(Command.OBLIGATIONS, 1);
    writer.uint(u64(repeatCompletions() + undecided));
    sendHost();
    return Reason.NONE;
  }

  /** Signs an offer in the name that the merchant credential states (700). */
  private signOffer(fields: i32, body: CborReader): i32 {
    const credential = ownMerchantCredential();
    const chain = identity.chain();
    if (credential === null || chain === null) return Reason.UNKNOWN_TICKET;
    const terms = new OfferTerms();
    const rate = terms.rate;
    terms.merchant = identity.certificate.id;
    terms.name = merchantOf(credential)!.name;
    rate.direction = i32(body.uintAtMost(2));
    terms.moneyUnit = readUnit(body);
    terms.accountUnit = readUnit(body);
    rate.feeMinor = body.u64();
    rate.feeBasisPoints = body.u64();
    rate.numerator = body.u64();
    rate.denominator = body.u64();
    terms.minimum = body.u64();
    terms.maximum = body.u64();
    terms.issued = nowSeconds();
    terms.expires = body.u64();
    terms.endpoint = body.text(ENDPOINT_MAX);
    if (fields != 11 || !body.atEnd()) return Reason.MALFORMED;
    const payload = payloadWriter();
    writeTerms(payload, terms);
    // Read back by the customers' rules: what they would refuse is not signed.
    if (payload.overflow || readTerms(payload.pointer, payload.length) === null) {
      return Reason.OFFER_WRONG;
    }
    if (terms.expires <= terms.issued || terms.maximum < terms.minimum) return Reason.OFFER_WRONG;
    const signed = signWritten(Purpose.MERCHANT_OFFER, payload);
    if (signed === null) return Reason.NOT_CERTIFIED;
    const writer = composeHost(Command.SIGN_OFFER, 1);
    const mark = writer.beginBytes();
    writer.array(2);
    writer.rawFrom(signed);
    writer.rawFrom(chain);
    writer.endBytes(mark);
    sendHost();
    return Reason.NONE;
  }
}

function answered(command: i32): i32 {
  composeHost(command, 0);
  sendHost();
  return Reason.NONE;
}
