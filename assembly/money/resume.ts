// SPDX-License-Identifier: Apache-2.0
// Resume (docs/protocol.md rules 4.5 and 4.6): what is open about a payment after its session is
// gone is settled by statements that prove themselves, in a later session with the same peer or by
// any other path. Here what they decide and when a record may be forgotten; questions and answers
// have files of their own.
import { Bytes, bytesOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { journal } from "../flash/journal";
import { AMOUNT_LIMIT, PAY_ID_SIZE } from "../note/limits";
import { Session } from "../session/session";
import { SessionManager } from "../session/sessionManager";
import { Reason } from "../trust/reasons";
import { floorSeconds } from "../trust/signedTime";
import { Answers, reply } from "./answers";
import { putCommand, tellCommand } from "./commands";
import { commit, promisedRoom } from "./commit";
import { ModuleMessage } from "./messages";
import { directory, notes } from "./moneyHolder";
import { NotingSide } from "./payment";
import {
  firstPayment,
  nextPayment,
  OwnSideKind,
  PaymentRecord,
  PaymentRole,
  PaymentState,
} from "./paymentRecord";
import { payments } from "./payments";
import { ask, askAll, askNext } from "./questions";
import { Answer, isNext, signDone } from "./statements";

const NO_STATEMENT: Bytes = new StaticArray<u8>(0);

export class Resume {
  private noting: NotingSide;
  private answers: Answers = new Answers();

  constructor(noting: NotingSide) {
    this.noting = noting;
  }

  /** The module's sessions; once, before any message. */
  connect(sessions: SessionManager): void {
    this.answers.sessions = sessions;
  }

  /**
   * At boot: promises room and notes again to what is in doubt, and forgets what may be forgotten.
   */
  started(): void {
    const record = new PaymentRecord();
    for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
      if (!record.load(cursor)) continue;
      if (record.state != PaymentState.IN_DOUBT) continue;
      journal.reserve(promisedRoom(record));
      const promised = record.promised;
      if (promised != null) directory.promise(promised);
    }
    this.forget();
  }

  /** Removes the records that nobody can ask for any more (rule 4.6). */
  forget(): void {
    journal.begin();
    const record = new PaymentRecord();
    for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
      if (!record.load(cursor) || !record.isNoted || record.state == PaymentState.IN_DOUBT)
        continue;
      // What a payer may be asked about, and the proof that an exchange was aborted.
      const isKept = record.role == PaymentRole.PAYER || record.statement.length > 0;
      const isPast = record.isDone || floorSeconds() >= record.horizon;
      if (!isKept || isPast) record.remove();
    }
    journal.commit(false);
  }

  /** The own side has noted the outcome; true also where there is nothing to note any more. */
  noted(payId: Bytes): bool {
    const record = PaymentRecord.find(payId);
    if (record == null) return true;
    if (record.state == PaymentState.IN_DOUBT) return false;
    record.setNoted();
    journal.begin();
    record.put();
    if (!journal.commit(false)) return false;
    this.forget();
    return true;
  }

  /**
   * Asks the peer about the open payments with it, from the start of a session (29). One question
   * at a time, the next when the peer has spoken about this one: the heap is collected only after
   * an event, and a peer that never acknowledges may leave any number of payments open.
   */
  askIn(session: Session): void {
    askNext(session, 0);
  }

  /** Asks by way of the PEER port, where the payment is open; whether it is. */
  ask(record: PaymentRecord): bool {
    return ask(record);
  }

  /** Asks about the next open payment by way of the PEER port; how many are open (89). */
  askAll(): i32 {
    return askAll();
  }

  /** [ question ] in a session (29). */
  questionReceived(session: Session, body: CborReader): void {
    this.answers.questionReceived(session, body);
  }

  /** A statement from the PEER port (kind 6): question, released signatures, answer or done. */
  statementReceived(tag: Bytes, pointer: usize, length: i32): void {
    const reader = new CborReader(pointer, length);
    const count = reader.array();
    if (count == 4) {
      this.signedReceived(null, pointer, length);
    } else if (count == 2 && reader.peekMajor() == 2) {
      this.releasedReceived(null, pointer, length, tag);
    } else if (count == 2 && reader.raw()) {
      const question = reader.viewPointer;
      const questionLength = reader.viewLength;
      if (!reader.raw() || !reader.atEnd()) return;
      this.answers.strangersQuestion(
        question,
        questionLength,
        reader.viewPointer,
        reader.viewLength,
        tag,
      );
    }
  }

  /** `released` for a payment that no running session waits for. */
  releasedReceived(session: Session | null, pointer: usize, length: i32, tag: Bytes): void {
    const reader = new CborReader(pointer, length);
    reader.arrayOf(2);
    const payId = reader.bytesExact(PAY_ID_SIZE);
    if (reader.failed) return;
    const record = PaymentRecord.find(payId);
    if (record == null || record.state != PaymentState.IN_DOUBT || record.isClaimed) return;
    if (!commit.acknowledged(record, pointer, length)) return;
    this.endWaiting(payId);
    const done = signDone(payId);
    if (done != null) reply(session, tag, ModuleMessage.DONE, done);
    this.tell(record);
    if (session != null) askNext(session, record.key);
  }

  /** A signed answer (30) or done (28), in a session or not. */
  signedReceived(session: Session | null, pointer: usize, length: i32): void {
    const cose = new CoseSign1();
    if (!cose.parse(pointer, length)) return;
    const reader = new CborReader(cose.payloadPointer, cose.payloadLength);
    const count = reader.array();
    const payId = reader.bytesExact(PAY_ID_SIZE);
    if (reader.failed) return;
    const record = PaymentRecord.find(payId);
    if (record == null || !isNext(reader, record.peer)) return;
    const state = count == 4 ? <u8>reader.uintAtMost(Answer.NOT_YOURS) : 0;
    reader.uintAtMost(AMOUNT_LIMIT);
    if (!reader.atEnd()) return;
    if (count == 4 && cose.verify(Purpose.ANSWER, record.peerKey)) {
      this.answered(record, state, bytesOf(pointer, length));
    }
    if (count == 3 && cose.verify(Purpose.DONE, record.peerKey)) this.doneReceived(record);
    if (session != null) askNext(session, record.key);
  }

  /** The payee has the money: the payer may forget, once its own side noted. */
  private doneReceived(record: PaymentRecord): void {
    if (record.role != PaymentRole.PAYER || record.isDone) return;
    record.setDone();
    journal.begin();
    record.put();
    journal.commit(false);
    this.forget();
  }

  /**
   * The payer says how a payment in doubt ended. Only `aborted` decides; the rest leaves it open.
   * Where this module pays, too, the payer has had its signatures: the signed answer is kept, since
   * it proves who lied if they turn up.
   */
  private answered(record: PaymentRecord, state: u8, answer: Bytes): void {
    const isOpen = record.state == PaymentState.IN_DOUBT && !record.isClaimed;
    if (!isOpen || state != Answer.ABORTED) return;
    const kept = record.promised == null ? NO_STATEMENT : answer;
    if (this.aborted(record, <u8>Reason.PEER_ENDED, kept)) this.tell(record);
  }

  /**
   * Ends a payment in doubt that moved nothing: its notes go, what it promised is free again, and
   * the statement that proves it is kept to the horizon. Whether that is durable.
   */
  aborted(record: PaymentRecord, reason: u8, kept: Bytes): bool {
    const room = promisedRoom(record);
    const promised = record.promised;
    journal.begin();
    notes.putDropped(record.hashes);
    record.state = PaymentState.ABORTED;
    record.reason = reason;
    record.hashes = NO_STATEMENT;
    record.promised = null;
    record.statement = kept;
    putCommand(record.commandId, record.payId, PaymentState.ABORTED, reason);
    if (record.ownSide == OwnSideKind.COMMAND && kept.length == 0) record.remove();
    else record.put();
    if (!journal.commitReserved(true, room)) return false;
    if (promised != null) directory.giveBack(promised);
    this.endWaiting(record.payId);
    return true;
  }

  /** A payment that still waits in a session for what has just been decided: its slot is free. */
  private endWaiting(payId: Bytes): void {
    const payment = payments.ofPayId(payId);
    if (payment != null) payments.remove(payment);
  }

  /** Tells the own side what became of a payment that had been in doubt. */
  tell(record: PaymentRecord): void {
    if (record.ownSide != OwnSideKind.COMMAND) this.noting.tellRecord(record.payId, record);
    tellCommand(record.commandId);
  }
}
