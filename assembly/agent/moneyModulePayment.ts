// SPDX-License-Identifier: Apache-2.0
// Money Module Payment (Fig. 12), the trusted agents' side: the agent that announces the payment
// and the other one exchange R(1) and R(2), order their money modules to pay and to receive, and
// answer what the modules ask. The transaction decides about amounts and about the outcome.
import { random, step } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { wipe } from "../crypto/bytes";
import { Manner, openerPays } from "../session/manner";
import { PaymentChannel, PaymentTerms } from "../session/paymentChannel";
import { ModuleRelay } from "../session/routed";
import { Session } from "../session/session";
import { Reason } from "../trust/reasons";
import { MoneyTerms } from "./moneyTerms";
import { LocalType, toMoneyModule } from "./toMoneyModule";

/** Messages between the agents (docs/protocol.cddl section 4). */
const MONEY_MODULE_PAYMENT: i32 = 18;
const MONEY_MODULE_PAYMENT_REPLY: i32 = 19;

/** Messages on the channel (TA/MM) of one payment (section 5). */
export namespace PaymentType {
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

/** What message 18 says: R(1), and how the payment is to go. */
export class Announcement {
  random!: Bytes;
  manner: i32 = 0;
}

/** Takes message 18 apart (526); null where it is out of form. */
export function readAnnouncement(body: CborReader): Announcement | null {
  step(526);
  const announcement = new Announcement();
  body.arrayOf(3);
  announcement.random = body.bytesExact(NUMBER_SIZE);
  const number = body.u64();
  announcement.manner = i32(body.uintAtMost(u64(Manner.EXCHANGE)));
  const isRight = body.atEnd() && number == FIRST && announcement.manner != 0;
  return isRight ? announcement : null;
}

export class MoneyModulePayment {
  /** The own module has the order: from here on only it knows how the payment ends. */
  isOrdered: bool = false;
  /** The own module has the amount: a payer's keeps notes for it. */
  isAmountGiven: bool = false;
  /** This side pays; in an exchange, it pays first and decides. */
  readonly isPayer: bool;
  private own: Bytes = new StaticArray<u8>(NUMBER_SIZE);
  /** Key (TA/MM), and the way of the modules' messages under it; both from the order on. */
  private channel: PaymentChannel | null = null;
  private relay: ModuleRelay | null = null;

  /** `opens`: this agent announces the payment, its module opens and states `terms`. */
  constructor(
    readonly session: Session,
    readonly manner: i32,
    readonly opens: bool,
    readonly payId: Bytes,
    readonly transactionId: Bytes,
    public terms: MoneyTerms,
  ) {
    this.isPayer = opens == openerPays(manner);
  }

  /** Announces the payment with R(1) (520-524); 0 or the reason against it. */
  announce(): i32 {
    if (!toMoneyModule.reach()) return Reason.NOT_PAIRED;
    step(520);
    if (random(pointerOf(this.own), NUMBER_SIZE) != 0) return Reason.NO_RANDOM;
    step(522);
    const writer = this.session.compose(MONEY_MODULE_PAYMENT);
    writer.array(3);
    writer.bytesFrom(this.own);
    writer.uint(FIRST);
    writer.uint(u64(this.manner));
    step(524);
    this.session.send(true);
    return Reason.NONE;
  }

  /** The peer announced: orders the own module and answers with R(2) (528-532, 542). */
  accept(announcement: Announcement): i32 {
    if (this.opens || announcement.manner != this.manner) return Reason.WRONG_STATE;
    if (!toMoneyModule.reach()) return Reason.NOT_PAIRED;
    step(528);
    step(530);
    if (random(pointerOf(this.own), NUMBER_SIZE) != 0) return Reason.NO_RANDOM;
    // The order goes first: the other module may speak as soon as the peer has R(2).
    if (!this.order(announcement.random)) return Reason.TOO_MANY_SESSIONS;
    step(532);
    const writer = this.session.compose(MONEY_MODULE_PAYMENT_REPLY);
    writer.array(1);
    writer.bytesFrom(this.own);
    this.session.send(false);
    return Reason.NONE;
  }

  /** Takes R(2) and orders the own module (534, 538). */
  replied(body: CborReader): i32 {
    body.arrayOf(1);
    const theirs = body.bytesExact(NUMBER_SIZE);
    if (!body.atEnd()) return Reason.MALFORMED;
    if (!this.opens || this.isOrdered) return Reason.WRONG_STATE;
    if (!toMoneyModule.reach()) return Reason.NOT_PAIRED;
    return this.order(theirs) ? Reason.NONE : Reason.TOO_MANY_SESSIONS;
  }

  /** Asks the own module to end the payment and tell the outcome (docs/protocol.md rule 4.4). */
  close(): void {
    toMoneyModule.close(this.payId);
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
    wipe(pointerOf(this.own), NUMBER_SIZE);
    const channel = this.channel;
    if (channel !== null) toMoneyModule.forget(channel);
    this.channel = null;
    this.relay = null;
  }

  /**
   * Gives the order once more: the own module had no place for the payment (rules.md, "One payment
   * at a time"). It never came to its key (TA/MM), so that the one there is serves.
   */
  orderAgain(): void {
    this.sendOrder();
  }

  /** 562, 564: the amount to pay, or to be paid. */
  giveAmount(): void {
    const channel = this.channel;
    if (channel === null) return;
    this.isAmountGiven = true;
    step(562);
    this.terms.writeArray(channel.compose(PaymentType.AMOUNT));
    step(564);
    channel.send();
  }

  /** 612-616: the answer to what the other module states. */
  giveVerdict(isRight: bool): void {
    const channel = this.channel;
    if (channel === null) return;
    step(isRight ? 612 : 614);
    const writer = channel.compose(PaymentType.VERDICT);
    writer.array(1);
    writer.boolean(isRight);
    step(616);
    channel.send();
  }

  /** 578, 580: no other amount is offered. */
  orderAbort(reason: i32): void {
    const channel = this.channel;
    if (channel === null) return;
    step(578);
    const writer = channel.compose(PaymentType.ABORT_ORDER);
    writer.array(1);
    writer.uint(u64(reason));
    step(580);
    channel.send();
  }

  /**
   * Makes key (TA/MM) of R(1) xor R(2), bound to both sessions, and orders the payment. The peer's
   * number is mixed in its place and then wiped.
   */
  private order(theirs: Bytes): bool {
    step(this.isPayer ? 534 : 536);
    for (let i = 0; i < NUMBER_SIZE; ++i) theirs[i] ^= this.own[i];
    const session = this.session;
    const terms = new PaymentTerms(session.tag, this.payId, this.transactionId, session.exporter);
    const channel = toMoneyModule.open(terms, pointerOf(theirs));
    wipe(pointerOf(theirs), NUMBER_SIZE);
    if (channel === null) return false;
    this.channel = channel;
    this.relay = new ModuleRelay(toMoneyModule.channel, session, channel);
    this.isOrdered = true;
    this.sendOrder();
    return true;
  }

  private sendOrder(): void {
    const session = this.session;
    const isPayer = this.isPayer;
    step(isPayer ? 538 : 542);
    const writer = toMoneyModule.compose(
      isPayer ? LocalType.MAKE_PAYMENT : LocalType.RECEIVE_PAYMENT,
    );
    writer.array(7);
    writer.bytesFrom(session.tag);
    writer.bytesFrom(this.payId);
    writer.bytesFrom(this.transactionId);
    writer.bytesFrom(session.exporter);
    writer.bytesFrom(this.own);
    writer.boolean(this.opens);
    writer.uint(u64(this.manner));
    toMoneyModule.send();
  }
}
