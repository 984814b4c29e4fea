// SPDX-License-Identifier: Apache-2.0
// What customers' and merchants' agents share beyond Fig. 4A: payments without a ticket and
// acquiring a credential, by commands 60 to 63 and 70 of docs/protocol.cddl section 8.
import { step } from "../board";
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { composeHost, sendHost } from "../session/buffers";
import { Manner, openerPays } from "../session/manner";
import { Session } from "../session/session";
import { AMOUNT_MAX } from "../ticket/conversion";
import { readUnit } from "../ticket/credential";
import { identity, Life } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { AcquireCredential } from "./acquireCredential";
import { COMMAND_ID_SIZE } from "./commandMemory";
import { MoneyTerms } from "./moneyTerms";
import { PaymentStarted } from "./paymentStarted";
import { PaymentTaken } from "./paymentTaken";
import { PurchaseMessage } from "./purchaseMessage";
import { TrustedAgent } from "./trustedAgent";

const PAY: i32 = 60;
const EXPECT: i32 = 61;
const REQUEST: i32 = 62;
const EXCHANGE: i32 = 63;
const ACQUIRE: i32 = 70;

export abstract class PayingAgent extends TrustedAgent {
  /** What an incoming payment may be (command 61); amount 0 and an empty unit mean any. */
  private expectation: MoneyTerms = new MoneyTerms();

  /** `credentialType`: the kind of credential that an agent of this role may hold. */
  constructor(
    name: Bytes,
    role: u8,
    private credentialType: i32,
  ) {
    super(name, role);
  }

  /** A peer that pays, or asks for payment, without further ado. */
  protected beginPayment(session: Session, type: i32, body: CborReader): i32 {
    if (type != PurchaseMessage.MONEY_MODULE_PAYMENT) return Reason.WRONG_STATE;
    if (!this.hasSlot()) return Reason.TOO_MANY_SESSIONS;
    this.askOpen();
    const payment = new PaymentTaken(session, this.expectation);
    this.add(payment);
    return payment.received(type, body);
  }

  protected runPaying(number: i32, fields: i32, body: CborReader): i32 {
    if (number == PAY) return this.pay(Manner.PAYMENT, fields, body);
    if (number == REQUEST) return this.pay(Manner.REQUESTED, fields, body);
    if (number == EXCHANGE) return this.pay(Manner.EXCHANGE, fields, body);
    if (number == EXPECT) return this.expect(fields, body);
    if (number == ACQUIRE) return this.acquire(fields, body);
    return Reason.UNKNOWN_COMMAND;
  }

  /** Begins a payment without a ticket: the owner's own, or one that the peer is to make. */
  private pay(manner: i32, fields: i32, body: CborReader): i32 {
    const isExchange = manner == Manner.EXCHANGE;
    const commandId = body.bytesExact(COMMAND_ID_SIZE);
    const terms = new MoneyTerms();
    const isRead = terms.read(body, isExchange);
    if (fields != (isExchange ? 6 : 3) || !isRead || !body.atEnd()) return Reason.MALFORMED;
    this.askOpen();
    if (this.tellKnown(commandId)) return Reason.NONE;
    const reason = this.startReason();
    if (reason != Reason.NONE) return reason;
    // A local key that is being agreed on is there long before the session is: see `askOpen`.
    if (identity.life != Life.PAIRED) return Reason.NOT_PAIRED;
    if (this.role == Role.MERCHANT && openerPays(manner)) step(736);
    const session = this.startSession();
    if (session === null) return this.sessions.reason;
    this.add(new PaymentStarted(session, commandId, manner, terms));
    return Reason.NONE;
  }

  private expect(fields: i32, body: CborReader): i32 {
    const expectation = new MoneyTerms();
    if (!body.isNull()) expectation.amount = body.uintAtMost(AMOUNT_MAX);
    if (!body.isNull()) expectation.unit = readUnit(body);
    if (fields != 2 || !body.atEnd()) return Reason.MALFORMED;
    this.expectation = expectation;
    composeHost(EXPECT, 0);
    sendHost();
    return Reason.NONE;
  }

  private acquire(fields: i32, body: CborReader): i32 {
    const commandId = body.bytesExact(COMMAND_ID_SIZE);
    const kind = body.u64();
    if (fields != 2 || !body.atEnd()) return Reason.MALFORMED;
    if (kind != u64(this.credentialType)) return Reason.WRONG_ROLE;
    if (this.tellKnown(commandId)) return Reason.NONE;
    const reason = this.startReason();
    if (reason != Reason.NONE) return reason;
    const session = this.startSession();
    if (session === null) return this.sessions.reason;
    this.add(new AcquireCredential(session, commandId, i32(kind)));
    return Reason.NONE;
  }
}
