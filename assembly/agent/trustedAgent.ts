// SPDX-License-Identifier: Apache-2.0
// Trusted agent 120 (Fig. 4A): what agents of all three kinds share. It sorts the messages of
// peers, own money module and host to the transactions they belong to, and finishes what a loss of
// power left open. Customer, merchant and authority add their transactors (Figs. 4B to 4D).
import { Bytes, bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { composeHost, failCommand, sendHost } from "../session/buffers";
import { HostInterface, Item } from "../session/hostInterface";
import { Label, Path, peerPath } from "../session/path";
import { RecordType } from "../session/peerBodies";
import { Session } from "../session/session";
import { SessionOwner } from "../session/sessionOwner";
import { SessionManager } from "../session/sessionManager";
import { NEVER, timerMs } from "../session/timers";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { COMMAND_ID_SIZE, CommandResult, findResult } from "./commandMemory";
import { standOf } from "./commit";
import { exportLog, exportTicket } from "./exports";
import { openByCommand, openPayIds, reserveForOpen } from "./openTransaction";
import { PaymentOutcome, PaymentState } from "./paymentOutcome";
import { settleOpen } from "./resume";
import { MoneyModuleListener, toMoneyModule } from "./toMoneyModule";
import { Transaction } from "./transaction";

/** Sessions, and transactions, at a time (docs/protocol.md section 5). */
const SLOTS: i32 = 2;
const STATUS: i32 = 30;
const EXPORT_TICKETS: i32 = 1;
/** Answers of the host to prompts: every number in these places is one. */
const FIRST_ANSWER: i32 = 22;
const LAST_ANSWER: i32 = 28;
const FUNDS_ANSWER: i32 = 44;
const AUTHORIZATION: i32 = 46;
const ANSWERED: i32 = 66;
const CREATE: i32 = 72;

export abstract class TrustedAgent extends HostInterface {
  sessions: SessionManager = changetype<SessionManager>(0);
  /** The one path to other agents. */
  peers: Path = peerPath(Label.AGENT);
  protected transactions: Array<Transaction> = [];

  constructor(name: Bytes, role: u8) {
    super(name, role);
    this.sessions = new SessionManager(new AgentSessions(this), SLOTS);
    toMoneyModule.connect(new AgentMoneyModule(this));
  }

  /** Reason to refuse a peer that begins a session; 0 if it may. */
  abstract admits(session: Session): i32;
  /** The first message of a session that the peer began: 0 or the reason against it. */
  abstract begin(session: Session, type: i32, body: CborReader): i32;
  /** A command of this kind of agent: 0 if it was answered or will be, or the reason against it. */
  abstract run(number: i32, fields: i32, body: CborReader): i32;
  /** The own module's word on a purchase of a merchant without a session. True if the last. */
  abstract settleServed(outcome: PaymentOutcome): bool;
  /** Both halves of the device can speak: open matters are asked anew. */
  abstract askServed(): void;

  started(): void {
    reserveForOpen();
  }

  command(number: i32, fields: i32, body: CborReader): void {
    let reason = Reason.NONE;
    if (isAnswer(number)) reason = this.answer(number, fields, body);
    else if (number == STATUS) reason = this.tellStatus(fields, body);
    else reason = this.run(number, fields, body);
    if (reason != Reason.NONE) failCommand(number, reason);
    this.sweep();
  }

  /** Agents carry the modules' sessions, not their statements: those go to the modules. */
  statementReceived(_sessionTag: Bytes, _pointer: usize, _length: i32): void {}

  exportItem(kind: i32, cursor: u32): Item {
    return kind == EXPORT_TICKETS ? exportTicket(cursor) : new Item(null, -1);
  }

  logEntry(cursor: u32): Item {
    return exportLog(cursor);
  }

  tick(): void {
    const now = timerMs();
    for (let i = this.transactions.length - 1; i >= 0; --i) {
      if (this.transactions[i].deadlineMs <= now) this.transactions[i].timeOut();
    }
    this.sweep();
  }

  nextDeadline(): i64 {
    let earliest = NEVER;
    for (let i = 0; i < this.transactions.length; ++i) {
      earliest = min(earliest, this.transactions[i].deadlineMs);
    }
    return earliest;
  }

  /** The transaction in this session; null where there is none. */
  transactionIn(session: Session): Transaction | null {
    for (let i = 0; i < this.transactions.length; ++i) {
      if (this.transactions[i].session === session) return this.transactions[i];
    }
    return null;
  }

  /** Takes a transaction into its slot. */
  add(transaction: Transaction): void {
    this.transactions.push(transaction);
  }

  /** A slot is free, or is given up by a transaction that is settled. */
  hasSlot(): bool {
    if (this.transactions.length >= SLOTS) this.makeRoom();
    return this.transactions.length < SLOTS;
  }

  /** Ends the oldest transaction that is settled and only waits for its peer's last words. */
  makeRoom(): void {
    for (let i = 0; i < this.transactions.length; ++i) {
      if (!this.transactions[i].isSettled) continue;
      this.transactions[i].end(Reason.NONE);
      break;
    }
    this.sweep();
  }

  /** The transaction that makes or receives this payment and is not settled; null where none. */
  paying(payId: Bytes): Transaction | null {
    for (let i = 0; i < this.transactions.length; ++i) {
      const payment = this.transactions[i].payment;
      if (payment === null || this.transactions[i].isSettled) continue;
      if (bytesEqual(payment.payId, payId)) return this.transactions[i];
    }
    return null;
  }

  /** Tells funds to whoever asked: each what the others are not going to pay. */
  fundsTold(unit: Bytes, amount: u64): void {
    for (let i = 0; i < this.transactions.length; ++i) {
      let promised: u64 = 0;
      for (let j = 0; j < this.transactions.length; ++j) {
        if (j != i) promised += this.transactions[j].promised(unit);
      }
      this.transactions[i].fundsTold(unit, amount > promised ? amount - promised : 0);
    }
  }

  /**
   * The own module was started: it has lost its sessions. Payments under way and payments left open
   * are asked for; a transaction that has not ordered its payment yet has lost nothing.
   */
  moduleReady(): void {
    for (let i = 0; i < this.transactions.length; ++i) {
      this.transactions[i].moduleRestarted();
    }
    this.askAll(openPayIds());
    this.askServed();
  }

  /** Asks again for the ends that the own module may have told while its host was not listening. */
  protected askOpen(): void {
    // Without a common key, the new one brings the question with it.
    if (!toMoneyModule.reach()) return;
    this.askAll(openPayIds());
    this.askServed();
  }

  /** Asks for the outcomes of these payments, unless a transaction will decide about them. */
  protected askAll(payIds: Array<Bytes>): void {
    for (let i = 0; i < payIds.length; ++i) {
      if (!this.isLive(payIds[i])) toMoneyModule.close(payIds[i]);
    }
  }

  private isLive(payId: Bytes): bool {
    for (let i = 0; i < this.transactions.length; ++i) {
      const transaction = this.transactions[i];
      if (!transaction.isSettled && bytesEqual(transaction.payId, payId)) return true;
    }
    return false;
  }

  /** Begins a session for a command; null where there is no slot (`sessions.reason`). */
  protected startSession(): Session | null {
    return this.sessions.start(this.peers);
  }

  /** Why no command can begin a session now; 0 if one can. */
  protected startReason(): i32 {
    if (!identity.isCertified) return Reason.NOT_CERTIFIED;
    return this.hasSlot() && this.sessions.hasRoom() ? Reason.NONE : Reason.TOO_MANY_SESSIONS;
  }

  /** Tells how a command stands if it is known; false if it is new. */
  protected tellKnown(commandId: Bytes): bool {
    for (let i = 0; i < this.transactions.length; ++i) {
      const transaction = this.transactions[i];
      if (transaction.isSettled || !bytesEqual(transaction.hostId(), commandId)) continue;
      const running = new CommandResult(commandId);
      running.state = PaymentState.RUNNING;
      running.tell(null);
      return true;
    }
    const open = openByCommand(commandId);
    const result = open === null ? findResult(commandId) : standOf(open);
    if (result === null) return false;
    result.tell(null);
    return true;
  }

  /** Frees the slots of transactions that have ended. */
  sweep(): void {
    for (let i = this.transactions.length - 1; i >= 0; --i) {
      if (!this.transactions[i].isEnded) continue;
      const payment = this.transactions[i].payment;
      if (payment !== null) payment.forget();
      this.transactions.splice(i, 1);
    }
  }

  /** An answer to a prompt: acknowledged at once, since what follows may take long. */
  private answer(number: i32, fields: i32, body: CborReader): i32 {
    if (fields != fieldsOfAnswer(number)) return Reason.MALFORMED;
    const id = body.bytesAtMost(COMMAND_ID_SIZE);
    if (body.failed) return Reason.MALFORMED;
    for (let i = 0; i < this.transactions.length; ++i) {
      const transaction = this.transactions[i];
      if (transaction.isSettled || !bytesEqual(transaction.hostId(), id)) continue;
      if (transaction.awaited != number) return Reason.WRONG_STATE;
      composeHost(number, 0);
      sendHost();
      return transaction.answered(number, body);
    }
    return Reason.UNKNOWN_TRANSACTION;
  }

  private tellStatus(fields: i32, body: CborReader): i32 {
    const commandId = body.bytesExact(COMMAND_ID_SIZE);
    if (fields != 1 || !body.atEnd()) return Reason.MALFORMED;
    // A host that asks again waits: what the two halves said at their start may have been lost.
    if (openByCommand(commandId) !== null) this.askOpen();
    return this.tellKnown(commandId) ? Reason.NONE : Reason.UNKNOWN_TRANSACTION;
  }
}

function isAnswer(number: i32): bool {
  if (number >= FIRST_ANSWER && number <= LAST_ANSWER) return (number & 1) == 0;
  if (number == FUNDS_ANSWER || number == AUTHORIZATION) return true;
  return number == ANSWERED || number == CREATE;
}

/** Elements after the number: the id, and what is answered. */
function fieldsOfAnswer(number: i32): i32 {
  return number == 24 || number == AUTHORIZATION ? 3 : 2;
}

/** Session Manager 142: what happens in the agents' sessions. */
class AgentSessions extends SessionOwner {
  constructor(private agent: TrustedAgent) {
    super();
  }

  admit(session: Session): i32 {
    if (!session.initiator) {
      // What the halves said at their start another host may have lost: time enough to say it anew.
      toMoneyModule.reach();
      return this.agent.hasSlot() ? this.agent.admits(session) : Reason.TOO_MANY_SESSIONS;
    }
    const transaction = this.agent.transactionIn(session);
    if (transaction === null) return Reason.WRONG_STATE;
    return session.peer.role == transaction.peerRole ? Reason.NONE : Reason.WRONG_ROLE;
  }

  makeRoom(): void {
    this.agent.makeRoom();
  }

  opened(session: Session): void {
    const transaction = this.agent.transactionIn(session);
    if (transaction !== null) transaction.opened();
    this.agent.sweep();
  }

  received(session: Session, type: i32, body: CborReader): void {
    const transaction = this.agent.transactionIn(session);
    if (transaction === null) {
      const reason = this.agent.begin(session, type, body);
      const begun = this.agent.transactionIn(session);
      if (reason != Reason.NONE) {
        if (begun !== null) begun.abort(reason);
        else session.close(reason, true);
      }
    } else if (type == RecordType.MODULE_MESSAGE) {
      const payment = transaction.payment;
      if (payment !== null) payment.fromPeerModule(body);
    } else {
      const reason = transaction.received(type, body);
      if (reason != Reason.NONE) transaction.abort(reason);
    }
    this.agent.sweep();
  }

  closed(session: Session, reason: i32): void {
    const transaction = this.agent.transactionIn(session);
    if (transaction !== null) transaction.sessionClosed(reason);
    this.agent.sweep();
  }
}

/** To Money Module 150: what the own money module says. */
class AgentMoneyModule extends MoneyModuleListener {
  constructor(private agent: TrustedAgent) {
    super();
  }

  moduleReady(): void {
    this.agent.moduleReady();
  }

  fundsTold(unit: Bytes, amount: u64): void {
    this.agent.fundsTold(unit, amount);
    this.agent.sweep();
  }

  outcomeTold(outcome: PaymentOutcome): bool {
    const transaction = this.agent.paying(outcome.payId);
    if (transaction === null) return this.settleStored(outcome);
    const isLast = transaction.outcome(outcome);
    this.agent.sweep();
    return isLast;
  }

  moduleSaid(payId: Bytes, type: i32, body: CborReader): void {
    const transaction = this.agent.paying(payId);
    if (transaction !== null) transaction.moduleSaid(type, body);
    this.agent.sweep();
  }

  toPeerModule(sessionTag: Bytes, pointer: usize, length: i32): void {
    const session = this.agent.sessions.find(sessionTag);
    const transaction = session !== null ? this.agent.transactionIn(session) : null;
    const payment = transaction !== null ? transaction.payment : null;
    if (payment !== null) payment.toPeerModule(pointer, length);
  }

  /** An outcome for a record alone. What has no record was finished before: noted once more. */
  private settleStored(outcome: PaymentOutcome): bool {
    const isLastOfOpen = settleOpen(outcome);
    return this.agent.settleServed(outcome) && isLastOfOpen;
  }
}
