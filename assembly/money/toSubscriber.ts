// SPDX-License-Identifier: Apache-2.0
// To Subscriber of Fig. 12: the money module's talk with its own trusted agent, under the local key
// and, in a payment, under key (TA/MM) (docs/protocol.cddl section 5). The agent is the own side.
import { step } from "../board";
import { Bytes, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { HASH_SIZE, PAY_ID_SIZE } from "../note/limits";
import { packUnit, readUnit, writeUnit } from "../note/note";
import { LocalChannel, LocalOwner } from "../session/localChannel";
import { Manner, openerPays } from "../session/manner";
import { PaymentChannel, PaymentTerms } from "../session/paymentChannel";
import { ModuleTunnel } from "../session/routed";
import { SessionManager } from "../session/sessionManager";
import { Reason } from "../trust/reasons";
import { abort } from "./abort";
import { spendable } from "./moneyHolder";
import { amountAgreement, writeTerms } from "./amountAgreement";
import { ModuleMessage } from "./messages";
import { NotingSide, Payment } from "./payment";
import { OwnSideKind, PaymentRecord, PaymentRole, PaymentState } from "./paymentRecord";
import { payments } from "./payments";
import { Resume } from "./resume";

/** Types under the local key. */
namespace LocalType {
  export const FUNDS_QUERY: i32 = 1;
  export const FUNDS: i32 = 2;
  export const MAKE_PAYMENT: i32 = 3;
  export const RECEIVE_PAYMENT: i32 = 4;
  export const CLOSE: i32 = 5;
  export const OUTCOME: i32 = 6;
  export const NOTED: i32 = 7;
  export const NOTED_OK: i32 = 8;
}

/** Types under key (TA/MM). */
namespace PaymentType {
  export const PROMPT_AMOUNT: i32 = 1;
  export const AMOUNT: i32 = 2;
  export const VERIFY_AMOUNT: i32 = 3;
  export const VERDICT: i32 = 4;
  export const ABORT_ORDER: i32 = 6;
  export const OUTCOME: i32 = 7;
  export const NEW_AMOUNT_OR_ABORT: i32 = 8;
}

const NO_EVIDENCE: Bytes = new StaticArray<u8>(HASH_SIZE);

/** The agent as the own side of a payment. */
export class Subscriber extends NotingSide {
  private local: LocalChannel;

  constructor(local: LocalChannel) {
    super();
    this.local = local;
    this.kind = OwnSideKind.AGENT;
  }

  opened(payment: Payment): void {
    amountAgreement.opened(payment);
  }

  received(payment: Payment, type: i32, body: CborReader): bool {
    const opens = payment.opens;
    if (opens && type == ModuleMessage.R2) {
      if (amountAgreement.random2Received(payment, body)) this.promptAmount(payment);
    } else if (opens && type == ModuleMessage.WRONG_AMOUNT) {
      const isAsked = amountAgreement.wrongAmountReceived(payment, body);
      if (isAsked) this.askNewAmount(payment, Reason.WRONG_AMOUNT);
    } else if (!opens && type == ModuleMessage.R1) {
      amountAgreement.random1Received(payment, body);
    } else if (!opens && type == ModuleMessage.AMOUNT) {
      if (amountAgreement.amountReceived(payment, body)) this.verifyAmount(payment);
    } else {
      return false;
    }
    return true;
  }

  /** The amount cannot be had, or the other side says it is wrong (572). */
  askNewAmount(payment: Payment, reason: i32): void {
    step(572);
    const channel = this.local.findPayment(payment.payId);
    if (channel == null) return;
    const writer = channel.compose(PaymentType.NEW_AMOUNT_OR_ABORT);
    writer.array(1);
    writer.uint(<u64>reason);
    step(574);
    channel.send();
  }

  /** Asks for the amount to pay, or to be paid (558). */
  private promptAmount(payment: Payment): void {
    step(558);
    const channel = this.local.findPayment(payment.payId);
    if (channel == null) return;
    channel.compose(PaymentType.PROMPT_AMOUNT).array(0);
    step(560);
    channel.send();
  }

  /** Asks whether the amount that the other side states is right (604). */
  private verifyAmount(payment: Payment): void {
    step(604);
    const channel = this.local.findPayment(payment.payId);
    if (channel == null) return;
    writeTerms(payment, channel.compose(PaymentType.VERIFY_AMOUNT));
    step(606);
    channel.send();
  }

  tellOutcome(payment: Payment): void {
    step(payment.isPayer ? 584 : 586);
    const channel = this.local.findPayment(payment.payId);
    const writer =
      channel == null
        ? this.local.compose(LocalType.OUTCOME)
        : channel.compose(PaymentType.OUTCOME);
    const isCommitted = payment.state == PaymentState.COMMITTED;
    writeOutcome(
      writer,
      payment.payId,
      payment.state,
      payment.reason,
      payment.amount,
      payment.unit,
      isCommitted ? payment.evidence : NO_EVIDENCE,
    );
    if (channel == null) this.local.send();
    else channel.send();
  }

  tellRecord(payId: Bytes, record: PaymentRecord | null): void {
    const writer = this.local.compose(LocalType.OUTCOME);
    if (record == null) {
      const reason = Reason.UNKNOWN_TRANSACTION;
      writeOutcome(writer, payId, PaymentState.ABORTED, reason, 0, 0, NO_EVIDENCE);
    } else {
      const unit = packUnit(record.unit);
      const reason = <i32>record.reason;
      writeOutcome(writer, payId, record.state, reason, record.amount, unit, record.evidence);
    }
    this.local.send();
  }
}

/** What the own agent says. */
export class SubscriberLine extends LocalOwner {
  private local: LocalChannel = changetype<LocalChannel>(0);
  private sessions: SessionManager = changetype<SessionManager>(0);
  private subscriber: Subscriber = changetype<Subscriber>(0);
  private resume: Resume = changetype<Resume>(0);

  /** Ties the parts together, once, before any message. */
  connect(
    local: LocalChannel,
    sessions: SessionManager,
    subscriber: Subscriber,
    resume: Resume,
  ): void {
    this.local = local;
    this.sessions = sessions;
    this.subscriber = subscriber;
    this.resume = resume;
  }

  localReady(): void {
    // The agent asks about each payment that it has open; nothing is told unasked.
  }

  localReceived(type: i32, body: CborReader): void {
    if (type == LocalType.FUNDS_QUERY) this.fundsQueried(body);
    else if (type == LocalType.MAKE_PAYMENT) this.ordered(PaymentRole.PAYER, body);
    else if (type == LocalType.RECEIVE_PAYMENT) this.ordered(PaymentRole.PAYEE, body);
    else if (type == LocalType.CLOSE) this.closeReceived(body);
    else if (type == LocalType.NOTED) this.notedReceived(body);
  }

  paymentReceived(channel: PaymentChannel, type: i32, body: CborReader): void {
    const payment = payments.ofPayId(channel.payId);
    if (payment == null) return;
    if (type == PaymentType.AMOUNT && payment.opens) {
      const reason = amountAgreement.amountGiven(payment, body);
      if (reason != Reason.NONE) this.subscriber.askNewAmount(payment, reason);
    } else if (type == PaymentType.VERDICT && !payment.opens) {
      body.arrayOf(1);
      const isCorrect = body.bool();
      if (body.atEnd()) amountAgreement.verdictGiven(payment, isCorrect);
    } else if (type == PaymentType.ABORT_ORDER) {
      body.arrayOf(1);
      const reason = <i32>body.uintAtMost(255);
      if (body.atEnd()) amountAgreement.abortOrdered(payment, reason);
    }
  }

  moduleMessageReceived(sessionTag: Bytes, pointer: usize, length: i32): void {
    const payment = payments.ofTag(sessionTag);
    if (payment != null) this.sessions.receive(payment.tunnel!, pointer, length);
  }

  /** 724: what could be paid in this unit? */
  private fundsQueried(body: CborReader): void {
    body.arrayOf(1);
    const unit = readUnit(body);
    if (!body.atEnd()) return;
    const writer = this.local.compose(LocalType.FUNDS);
    writer.array(2);
    writeUnit(writer, unit);
    writer.uint(spendable(unit));
    this.local.send();
  }

  /** 540, 544: the order to pay or to receive. One per pay id, for ever. */
  private ordered(role: u8, body: CborReader): void {
    body.arrayOf(7);
    const sessionTag = body.bytesExact(8);
    const payId = body.bytesExact(PAY_ID_SIZE);
    const transactionId = body.bytesExact(16);
    // What is not taken on stays in the inbox, which the end of the event wipes.
    body.view();
    const exporter = body.viewPointer;
    const isExporter = body.viewLength == 32;
    body.view();
    const random = body.viewPointer;
    const isRandom = body.viewLength == 32;
    const opens = body.bool();
    const manner = <i32>body.uintAtMost(<u64>Manner.EXCHANGE);
    const isPayer = role == PaymentRole.PAYER;
    if (!body.atEnd() || !isExporter || !isRandom) return;
    if (manner == 0 || isPayer != (opens == openerPays(manner))) return;
    step(isPayer ? 540 : 544);
    if (payments.ofPayId(payId) != null) return;
    const record = PaymentRecord.find(payId);
    if (record != null) {
      this.subscriber.tellRecord(payId, record);
      return;
    }
    const payment = new Payment(role, this.subscriber);
    payment.payId = payId;
    payment.transactionId = transactionId;
    payment.manner = manner;
    payment.opens = opens;
    payment.ownRandom = bytesOf(random, 32);
    const terms = new PaymentTerms(sessionTag, payId, transactionId, bytesOf(exporter, 32));
    const tunnel = new ModuleTunnel(this.local, terms);
    payment.tunnel = tunnel;
    if (!payments.add(payment)) {
      abort.begin(payment, Reason.TOO_MANY_SESSIONS);
      payments.remove(payment);
      return;
    }
    if (!opens) return;
    step(546);
    const session = this.sessions.start(tunnel);
    payment.session = session;
    if (session != null) return;
    abort.begin(payment, this.sessions.reason);
    payments.remove(payment);
  }

  /** The agent gives up: acts as a peer's question would (docs/protocol.md rule 4.4). */
  private closeReceived(body: CborReader): void {
    body.arrayOf(1);
    const payId = body.bytesExact(PAY_ID_SIZE);
    if (!body.atEnd()) return;
    const payment = payments.ofPayId(payId);
    if (payment != null && !payment.isOver) {
      abort.begin(payment, Reason.TIME_OUT);
      payments.remove(payment);
      return;
    }
    const record = PaymentRecord.find(payId);
    this.subscriber.tellRecord(payId, record);
    if (record != null) this.resume.ask(record);
  }

  private notedReceived(body: CborReader): void {
    body.arrayOf(1);
    const payId = body.bytesExact(PAY_ID_SIZE);
    if (!body.atEnd() || !this.resume.noted(payId)) return;
    const writer = this.local.compose(LocalType.NOTED_OK);
    writer.array(1);
    writer.bytesFrom(payId);
    this.local.send();
  }
}

/** Writes the array payment-outcome; a `unit` of 0 is null. */
function writeOutcome(
  writer: CborWriter,
  payId: Bytes,
  state: u8,
  reason: i32,
  amount: u64,
  unit: u32,
  evidence: Bytes,
): void {
  writer.array(6);
  writer.bytesFrom(payId);
  writer.uint(<u64>state);
  writer.uint(<u64>reason);
  writer.uint(amount);
  if (unit == 0) writer.nil();
  else writeUnit(writer, unit);
  writer.bytes(pointerOf(evidence), HASH_SIZE);
}
