// SPDX-License-Identifier: Apache-2.0
// The customer's trusted agent (CTA 2, Fig. 4B): buys and sells electronic money, pays and is paid
// by other persons, acquires card credentials. It contains no merchant's code.
import { step } from "../board";
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { composeHost, sendHost } from "../session/buffers";
import { Session } from "../session/session";
import { OFFER_SIZE_MAX } from "../ticket/merchantOffer";
import { TicketType } from "../ticket/ticket";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { COMMAND_ID_SIZE } from "./commandMemory";
import { CustomerPurchase } from "./customerPurchase";
import { PaymentOutcome } from "./paymentOutcome";
import { PayingAgent } from "./payingAgent";

const BUY: i32 = 20;

/** "customer-agent" */
const NAME: Bytes = [
  0x63, 0x75, 0x73, 0x74, 0x6f, 0x6d, 0x65, 0x72, 0x2d, 0x61, 0x67, 0x65, 0x6e, 0x74,
];

export class CustomerAgent extends PayingAgent {
  constructor() {
    super(NAME, Role.CUSTOMER, TicketType.CARD);
  }

  admits(session: Session): i32 {
    return session.peer.role == Role.CUSTOMER ? Reason.NONE : Reason.WRONG_ROLE;
  }

  begin(session: Session, type: i32, body: CborReader): i32 {
    return this.beginPayment(session, type, body);
  }

  run(number: i32, fields: i32, body: CborReader): i32 {
    return number == BUY ? this.buy(fields, body) : this.runPaying(number, fields, body);
  }

  settleServed(_outcome: PaymentOutcome): bool {
    return true;
  }

  askServed(): void {}

  /** 706, 710: the offer tells whether it is to buy or to sell. */
  private buy(fields: i32, body: CborReader): i32 {
    const commandId = body.bytesExact(COMMAND_ID_SIZE);
    const offer = body.bytesAtMost(OFFER_SIZE_MAX);
    if (fields != 2 || !body.atEnd()) return Reason.MALFORMED;
    this.askOpen();
    if (this.tellKnown(commandId)) return Reason.NONE;
    const reason = this.startReason();
    if (reason != Reason.NONE) return reason;
    step(710);
    const session = this.startSession();
    if (session === null) return this.sessions.reason;
    this.add(new CustomerPurchase(session, commandId, offer));
    composeHost(BUY, 0);
    sendHost();
    return Reason.NONE;
  }
}
