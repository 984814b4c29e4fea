// SPDX-License-Identifier: Apache-2.0
// Money Module Payment (Fig. 12), the trusted agents' side: payer (A) and payee (B) exchange R(1)
// and R(2), order their money modules to pay and to receive, and answer what the modules ask. The
// transaction decides what to do with the outcome.
import { random, step } from "../board";
import { Bytes, bytesEqual, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { PaymentChannel, PaymentTerms } from "../session/paymentChannel";
import { ModuleRelay } from "../session/routed";
import { Session } from "../session/session";
import { Reason } from "../trust/reasons";
import { LocalType, toMoneyModule } from "./toMoneyModule";

/** Messages between the agents (docs/protocol.cddl section 4). */
const MONEY_MODULE_PAYMENT: i32 = 18;
const MONEY_MODULE_PAYMENT_REPLY: i32 = 19;

/** Messages on the channel (TA/MM) of one payment (section 5). */
namespace PaymentType {
  export const PROMPT_AMOUNT: i32 = 1;
  export const AMOUNT: i32 = 2;
  export const VERIFY_AMOUNT: i32 = 3;
  export const VERDICT: i32 = 4;
  export const ABORT_ORDER: i32 = 6;
  export const NEW_AMOUNT_OR_ABORT: i32 = 8;
}

/** Bytes of R(1) and of R(2). */
const NUMBER_SIZE: i32 = 32;
/** Which of a session's ids: one transaction per session. */
export const FIRST: u32 = 0;

export class MoneyModulePayment {
  /** The own module has the order: from here on only it knows how the payment ends. */
  isOrdered: bool = false;
  private own: Bytes = new StaticArray<u8>(NUMBER_SIZE);
  /** Key (TA/MM), and the way of the modules' messages under it; both from the order on. */
  private channel: PaymentChannel | null = null;
  private relay: ModuleRelay | null = null;

  /**
   * `amount` and `unit` are what is paid; a payee with an empty `unit` takes any unit, with an
   * `amount` of 0 any amount.
   */
  constructor(
    readonly session: Session,
    readonly isPayer: bool,
    readonly payId: Bytes,
    readonly transactionId: Bytes,
    readonly amount: u64,
    readonly unit: Bytes,
  ) {}

  /** Payer: announces the payment with R(1) (520-524); 0 or the reason against it. */
  announce(): i32 {
    if (!toMoneyModule.reach()) return Reason.NOT_PAIRED;
    step(520);
    if (random(pointerOf(this.own), NUMBER_SIZE) != 0) return Reason.NO_RANDOM;
    step(522);
    const writer = this.session.compose(MONEY_MODULE_PAYMENT);
    writer.array(3);
    writer.bytesFrom(this.own);
    writer.uint(FIRST);
    writer.boolean(true);
    step(524);
    this.session.send(true);
    return Reason.NONE;
  }

  /** Payee: takes R(1), orders the own module to receive and answers with R(2) (526-532, 542). */
  announced(body: CborReader): i32 {
    step(526);
    body.arrayOf(3);
    const theirs = body.bytesExact(NUMBER_SIZE);
    const number = body.u64();
    const isPayerToPay = body.bool();
    if (!body.atEnd()) return Reason.MALFORMED;
    if (number != FIRST || !isPayerToPay || this.isPayer) return Reason.WRONG_STATE;
    if (!toMoneyModule.reach()) return Reason.NOT_PAIRED;
    step(528);
    step(530);
    if (random(pointerOf(this.own), NUMBER_SIZE) != 0) return Reason.NO_RANDOM;
    step(536);
    step(542);
    // The order goes first: the payer's module may speak as soon as the peer has R(2).
    if (!this.order(LocalType.RECEIVE_PAYMENT, theirs)) return Reason.TOO_MANY_SESSIONS;
    step(532);
    const writer = this.session.compose(MONEY_MODULE_PAYMENT_REPLY);
    writer.array(1);
    writer.bytesFrom(this.own);
    this.session.send(false);
    return Reason.NONE;
  }

  /** Payer: takes R(2) and orders the own module to pay (534, 538). */
  replied(body: CborReader): i32 {
    body.arrayOf(1);
    const theirs = body.bytesExact(NUMBER_SIZE);
    if (!body.atEnd()) return Reason.MALFORMED;
    if (!this.isPayer || this.isOrdered) return Reason.WRONG_STATE;
    if (!toMoneyModule.reach()) return Reason.NOT_PAIRED;
    step(534);
    step(538);
    return this.order(LocalType.MAKE_PAYMENT, theirs) ? Reason.NONE : Reason.TOO_MANY_SESSIONS;
  }

  /** Asks the own module to end the payment and tell the outcome (docs/protocol.md rule 4.4). */
  close(): void {
    toMoneyModule.close(this.payId);
  }

  /** A message of the own module on the payment's channel, other than the outcome. */
  moduleSaid(type: i32, body: CborReader): void {
    if (type == PaymentType.PROMPT_AMOUNT && this.isPayer) this.giveAmount();
    else if (type == PaymentType.VERIFY_AMOUNT && !this.isPayer) this.verifyAmount(body);
    else if (type == PaymentType.NEW_AMOUNT_OR_ABORT && this.isPayer) this.orderAbort(body);
  }

  /** A message of the own module for the other one (648, 684). */
  toPeerModule(pointer: usize, length: i32): void {
    const relay = this.relay;
    if (relay !== null && this.session.open) relay.toPeer(pointer, length);
  }

  /** A message of the peer's module for the own one (650, 686). */
  fromPeerModule(body: CborReader): void {
    const relay = this.relay;
    if (relay !== null) relay.toModule(body);
  }

  /** Ends key (TA/MM): the transaction's slot is free. */
  forget(): void {
    const channel = this.channel;
    if (channel !== null) toMoneyModule.forget(channel);
    this.channel = null;
    this.relay = null;
  }

  /** Orders the payment. R(1) xor R(2), bound to both sessions, makes key (TA/MM). */
  private order(type: i32, theirs: Bytes): bool {
    const mixed = new StaticArray<u8>(NUMBER_SIZE);
    for (let i = 0; i < NUMBER_SIZE; ++i) mixed[i] = this.own[i] ^ theirs[i];
    const session = this.session;
    const exporter = session.exporter;
    const terms = new PaymentTerms(session.tag, this.payId, this.transactionId, exporter);
    const channel = toMoneyModule.open(terms, mixed);
    if (channel === null) return false;
    this.channel = channel;
    this.relay = new ModuleRelay(toMoneyModule.channel, session, channel);
    this.isOrdered = true;
    const writer = toMoneyModule.compose(type);
    writer.array(6);
    writer.bytesFrom(session.tag);
    writer.bytesFrom(this.payId);
    writer.bytesFrom(this.transactionId);
    writer.bytesFrom(exporter);
    writer.bytesFrom(this.own);
    writer.boolean(this.isPayer);
    toMoneyModule.send();
    return true;
  }

  /** 562, 564: the amount that both agents agreed on. */
  private giveAmount(): void {
    const channel = this.channel;
    if (channel === null) return;
    step(562);
    const writer = channel.compose(PaymentType.AMOUNT);
    writer.array(2);
    writer.uint(this.amount);
    writer.textFrom(this.unit);
    step(564);
    channel.send();
  }

  /** 608-616: is what the payer's module says what was agreed? */
  private verifyAmount(body: CborReader): void {
    const channel = this.channel;
    if (channel === null) return;
    body.arrayOf(2);
    const amount = body.u64();
    const unit = body.text(3);
    if (!body.atEnd()) return;
    step(608);
    step(610);
    let isRight = this.amount == 0 || amount == this.amount;
    if (this.unit.length > 0 && !bytesEqual(unit, this.unit)) isRight = false;
    step(isRight ? 612 : 614);
    const writer = channel.compose(PaymentType.VERDICT);
    writer.array(1);
    writer.boolean(isRight);
    step(616);
    channel.send();
  }

  /** 576-580: a receipt, or the owner's order, names the amount: there is no other to offer. */
  private orderAbort(body: CborReader): void {
    const channel = this.channel;
    if (channel === null) return;
    body.arrayOf(1);
    const reason = body.uintAtMost(255);
    if (!body.atEnd()) return;
    step(576);
    step(578);
    const writer = channel.compose(PaymentType.ABORT_ORDER);
    writer.array(1);
    writer.uint(reason);
    step(580);
    channel.send();
  }
}
