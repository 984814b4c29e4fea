// SPDX-License-Identifier: Apache-2.0
// One transaction of a trusted agent in one session: what purchase, payment, acquiring and creating
// a credential have in common. It keeps the session's slot until it has ended. Aborting follows
// Figs. 6B and 11; what is durable of a transaction is in the journal, so rolling back forgets.
import { step } from "../board";
import { Bytes, bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Session } from "../session/session";
import { Manner } from "../session/manner";
import { NEVER, timerMs } from "../session/timers";
import { Reason } from "../trust/reasons";
import { MoneyModulePayment, PaymentType } from "./moneyModulePayment";
import { MoneyTerms } from "./moneyTerms";
import { PaymentOutcome, PaymentState, REASON_MAX } from "./paymentOutcome";
import { toMoneyModule } from "./toMoneyModule";

/** How long a transaction waits for a word of its own host: less than the peer waits for it. */
const OWNER_WAIT_MS: i64 = 55000;
/** How long the side that ends a session keeps it after the end, for the modules' last words. */
export const LINGER_MS: i64 = 1000;
/** How long the other side waits to be told of the end: the peer may still ask for a lost reply. */
export const LEAVE_OPEN_MS: i64 = 20000;

/**
 * How soon the own module is asked again how a payment ended: the host may have lost either word.
 */
export const ASK_AGAIN_MS: i64 = 5000;
/** So many questions in vain: the two halves may have lost their common key. */
const ASKED_IN_VAIN: i32 = 3;

/** How long an order waits for a money module that is at another payment, and how often it asks. */
const BUSY_LIMIT_MS: i64 = 45000;
const BUSY_PAUSE_MS: i64 = 1000;

export abstract class Transaction {
  session: Session;
  /** The pay id that this transaction decides about; empty before it knows it. */
  payId: Bytes = [];
  /** The money module payment, once there is one. */
  payment: MoneyModulePayment | null = null;
  /** Committed or aborted, told and journalled; only messages of courtesy may still pass. */
  isSettled: bool = false;
  /** The slot is free. */
  isEnded: bool = false;
  /** On the timers' scale: the end of the wait for the owner, or of a settled session. */
  deadlineMs: i64 = NEVER;
  /** Number of the host's answer that is awaited; 0 for none. */
  awaited: i32 = 0;
  private isWorkDue: bool = false;
  /** The own module had no place for the payment: the order is to be given again. */
  private isOrderDue: bool = false;
  /** On the timers' scale: until when it is; 0 while it did not have to be. */
  private busyUntilMs: i64 = 0;
  /** Why the end of the payment is being asked for; the outcome may bring another reason. */
  private pendingReason: i32 = Reason.NONE;
  /** How often the own module was asked for the end of the payment. */
  private asked: i32 = 0;

  /** `peerRole`: the role that the peer's certificate must have. */
  constructor(
    session: Session,
    readonly peerRole: u8,
  ) {
    this.session = session;
  }

  /** The session is open, and this side began it. */
  opened(): void {}

  /** The owner's answer to a prompt; the reason to refuse the command for, or 0. */
  answered(_number: i32, _body: CborReader): i32 {
    return Reason.WRONG_STATE;
  }

  /** What the own money module can pay in `unit`. */
  fundsTold(_unit: Bytes, _amount: u64): void {}

  /** What the own module still counts among its funds, but this transaction is going to pay. */
  promised(_unit: Bytes): u64 {
    return 0;
  }

  /** A message of the peer's agent; the reason to abort for, or 0. */
  abstract received(type: i32, body: CborReader): i32;
  /** Forgets the transaction and tells the host (238). */
  abstract rollBack(reason: i32): void;
  /** Id by which the host speaks of this transaction: a command id or the session's tag. */
  abstract hostId(): Bytes;

  /** The payment committed: Fig. 6A. False where the journal did not take it. */
  commit(_outcome: PaymentOutcome): bool {
    return false;
  }

  /** The own module does not know yet how the payment ended; tells the host. */
  inDoubt(_outcome: PaymentOutcome): void {}

  /** What the own module asks in its payment; only the side that opens states amounts. */
  moduleSaid(type: i32, body: CborReader): void {
    const payment = this.payment;
    if (payment === null) return;
    if (type == PaymentType.PROMPT_AMOUNT && payment.opens) {
      payment.giveAmount();
    } else if (type == PaymentType.VERIFY_AMOUNT && !payment.opens) {
      const stated = new MoneyTerms();
      if (!stated.readArray(body, payment.manner == Manner.EXCHANGE)) return;
      step(608);
      this.judgeAmount(payment, stated);
    } else if (type == PaymentType.NEW_AMOUNT_OR_ABORT && payment.opens) {
      body.arrayOf(1);
      const reason = i32(body.uintAtMost(REASON_MAX));
      if (!body.atEnd()) return;
      step(576);
      this.newAmountWanted(payment, reason);
    }
  }

  /** 610: is what the other module states what is to be paid? */
  protected judgeAmount(payment: MoneyModulePayment, stated: MoneyTerms): void {
    const expected = payment.terms;
    step(610);
    const isAmount = expected.amount == 0 || stated.amount == expected.amount;
    const isUnit = expected.unit.length == 0 || bytesEqual(stated.unit, expected.unit);
    payment.giveVerdict(isAmount && isUnit);
  }

  /** 576: a receipt names the amount, so that there is no other to offer. */
  protected newAmountWanted(payment: MoneyModulePayment, reason: i32): void {
    payment.orderAbort(reason);
  }

  /** This side ends the transaction (388). While a payment runs, its outcome decides. */
  abort(reason: i32): void {
    if (this.isSettled || this.isEnded) return;
    if (this.askOutcome(reason)) return;
    step(388);
    step(236);
    this.rollBack(reason);
    this.isSettled = true;
    this.end(reason);
  }

  /** The session is no more (394): the peer aborted, or was silent too long. */
  sessionClosed(reason: i32): void {
    if (this.isSettled) this.isEnded = true;
    if (this.isEnded || this.askOutcome(reason)) return;
    step(396);
    step(236);
    this.rollBack(reason);
    this.isSettled = true;
    this.isEnded = true;
  }

  /** The own module's word on the payment (588-598). True if it was the last one. */
  outcome(outcome: PaymentOutcome): bool {
    const payment = this.payment;
    if (payment === null || this.isSettled || outcome.state == PaymentState.RUNNING) return false;
    if (this.isToBeOrderedAgain(outcome)) return false;
    step(payment.isPayer ? 588 : 590);
    if (outcome.state == PaymentState.IN_DOUBT) {
      // Neither commit nor abort: the record in the journal waits for the module's last word.
      this.inDoubt(outcome);
      this.isSettled = true;
      this.linger(LEAVE_OPEN_MS);
      return false;
    }
    step(payment.isPayer ? 592 : 594);
    if (outcome.state == PaymentState.COMMITTED) {
      if (!this.commit(outcome)) return false;
      this.isSettled = true;
      if (!this.session.open) this.isEnded = true;
      return true;
    }
    step(payment.isPayer ? 596 : 598);
    const reason = this.reasonOf(outcome);
    step(236);
    this.rollBack(reason);
    this.isSettled = true;
    this.end(reason);
    return true;
  }

  /** Why a transaction ends whose own host, or module, does not speak. */
  protected reasonOfSilence(): i32 {
    return Reason.OWNER_REFUSED;
  }

  /** The rest of work that was put off with `doLater`. */
  resume(): void {}

  /** Puts off the rest of heavy work to an event of its own: the heap is collected in between. */
  doLater(): void {
    this.isWorkDue = true;
    this.deadlineMs = timerMs();
  }

  /** The time set in `deadlineMs` has come. */
  timeOut(): void {
    this.deadlineMs = NEVER;
    if (this.isWorkDue) {
      this.isWorkDue = false;
      this.resume();
      return;
    }
    if (this.isOrderDue) {
      this.isOrderDue = false;
      this.payment!.orderAgain();
      return;
    }
    if (this.isSettled) this.end(Reason.NONE);
    else this.abort(this.reasonOfSilence());
  }

  /**
   * The host is asked for message `answer`, or (0) the own module is; the session answers the
   * peer's queries `proceeding` meanwhile (paragraph 76).
   */
  waitForOwner(answer: i32): void {
    this.awaited = answer;
    this.deadlineMs = timerMs() + OWNER_WAIT_MS;
  }

  /** The owner answered. */
  ownerAnswered(): void {
    this.awaited = 0;
    this.deadlineMs = NEVER;
  }

  /** Settled: leaves the session open so long, then ends it. */
  linger(milliseconds: i64): void {
    this.deadlineMs = timerMs() + milliseconds;
  }

  /** Ends the session, if it is still there, and frees the slot (234). */
  end(reason: i32): void {
    this.isEnded = true;
    this.deadlineMs = NEVER;
    this.session.close(reason, true);
  }

  /** The own module lost a payment under way by its boot: it is to say how that ended. */
  moduleRestarted(): void {
    if (!this.isSettled) this.askOutcome(Reason.CONNECTION_LOST);
  }

  /**
   * Whether the payment only waits for its turn: the own module is at another one, and said so
   * before the two modules had a key. The peer is told `proceeding` meanwhile.
   */
  private isToBeOrderedAgain(outcome: PaymentOutcome): bool {
    const isBusy = outcome.state == PaymentState.ABORTED && outcome.isBeforeKey;
    if (!isBusy || outcome.reason != Reason.TOO_MANY_SESSIONS) return false;
    const now = timerMs();
    if (this.busyUntilMs == 0) this.busyUntilMs = now + BUSY_LIMIT_MS;
    if (this.pendingReason != Reason.NONE || now >= this.busyUntilMs) return false;
    this.isOrderDue = true;
    this.deadlineMs = now + BUSY_PAUSE_MS;
    return true;
  }

  /** Why nothing was paid: a module that was told to end it knows less than who told it. */
  private reasonOf(outcome: PaymentOutcome): i32 {
    const reason = outcome.reason;
    const isAnswer = reason == Reason.TIME_OUT || reason == Reason.UNKNOWN_TRANSACTION;
    if (reason != Reason.NONE && !(isAnswer && this.pendingReason != Reason.NONE)) return reason;
    return this.pendingReason != Reason.NONE ? this.pendingReason : Reason.PEER_ENDED;
  }

  /** Asks the own module to end a payment that it was ordered to make or receive. */
  private askOutcome(reason: i32): bool {
    const payment = this.payment;
    if (payment === null || !payment.isOrdered) return false;
    if (this.pendingReason == Reason.NONE) this.pendingReason = reason;
    this.ownerAnswered();
    this.isOrderDue = false;
    payment.close();
    // Only its answer frees the slot.
    if (++this.asked % ASKED_IN_VAIN == 0) toMoneyModule.renew();
    this.deadlineMs = timerMs() + ASK_AGAIN_MS;
    return true;
  }
}
