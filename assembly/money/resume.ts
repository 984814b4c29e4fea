// SPDX-License-Identifier: Apache-2.0
// Resume (docs/protocol.md rules 4.5 and 4.6): what is open about a payment after its session is
// gone is settled by statements that prove themselves: a question, and as its answer the released
// signatures, a signed `aborted` or `unknown`, or `done`. They come in a later session with the
// same peer, or by any other path, through whatever hosts carry them.
import { Bytes, bytesEqual, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { Port, random } from "../board";
import { journal } from "../flash/journal";
import { AMOUNT_LIMIT, HASH_SIZE, PAY_ID_SIZE, SIGNATURE_SIZE } from "../note/limits";
import { DraftsHash } from "../note/packetManager";
import { composeBody, sendBody } from "../session/buffers";
import { BodyKind, Session } from "../session/session";
import { Chain, pairReason } from "../trust/chain";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { floorSeconds } from "../trust/signedTime";
import { abort } from "./abort";
import { putCommand, tellCommand } from "./commands";
import { commit, promisedRoom } from "./commit";
import { ModuleMessage } from "./messages";
import { notes } from "./moneyHolder";
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
import {
  Answer,
  encodeReleased,
  isNext,
  QuestionView,
  signAnswer,
  signDone,
  signQuestion,
} from "./statements";

const TAG_SIZE: i32 = 8;

export class Resume {
  private noting: NotingSide;
  private draftsHash: DraftsHash = new DraftsHash();
  /** Journal key of the payment that `askAll` asked about last. */
  private askedKey: u32 = 0;

  constructor(noting: NotingSide) {
    this.noting = noting;
  }

  /** At boot: promises room again to what is in doubt, and forgets what may be forgotten. */
  started(): void {
    const record = new PaymentRecord();
    for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
      if (!record.load(cursor)) continue;
      if (record.state == PaymentState.IN_DOUBT) {
        journal.reserve(promisedRoom(record.hashes.length / HASH_SIZE));
      }
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
      const isPayer = record.role == PaymentRole.PAYER;
      const isPast = record.isDone || floorSeconds() >= record.horizon;
      if (!isPayer || isPast) record.remove();
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
    this.askNext(session, 0);
  }

  /** Asks by way of the PEER port, under a new tag, where the payment is open; whether it is. */
  ask(record: PaymentRecord): bool {
    if (!isOpen(record)) return false;
    const tag = new StaticArray<u8>(TAG_SIZE);
    const question = this.question(record);
    if (question == null || random(pointerOf(tag), TAG_SIZE) != 0) return false;
    this.sendQuestion(question, tag);
    return true;
  }

  /**
   * Asks about open payments by way of the PEER port, about one with each call and in turn; how
   * many there are (89).
   */
  askAll(): i32 {
    let count = 0;
    const record = new PaymentRecord();
    let first: i32 = -1;
    let following: i32 = -1;
    for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
      if (!record.load(cursor) || !isOpen(record)) continue;
      if (count++ == 0) first = cursor;
      if (following < 0 && record.key > this.askedKey) following = cursor;
    }
    if (count > 0 && record.load(following >= 0 ? following : first)) {
      this.askedKey = record.key;
      this.ask(record);
    }
    return count;
  }

  /** [ question ] in a session (29). */
  questionReceived(session: Session, body: CborReader): void {
    const view = new QuestionView();
    body.arrayOf(1);
    if (!body.raw() || !body.atEnd() || !view.parse(body.viewPointer, body.viewLength)) return;
    if (!bytesEqual(view.asker, session.peer.id)) return;
    if (!view.cose.verify(Purpose.QUESTION, pointerOf(session.peer.signingKey))) return;
    this.answer(view, session, session.tag);
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
      this.strangersQuestion(question, questionLength, reader.viewPointer, reader.viewLength, tag);
    }
  }

  /** `released` for a payment that no running session waits for. */
  releasedReceived(session: Session | null, pointer: usize, length: i32, tag: Bytes): void {
    const reader = new CborReader(pointer, length);
    reader.arrayOf(2);
    const payId = reader.bytesExact(PAY_ID_SIZE);
    if (reader.failed) return;
    const record = PaymentRecord.find(payId);
    if (record == null || record.state != PaymentState.IN_DOUBT) return;
    if (!commit.acknowledged(record, pointer, length)) return;
    this.endWaiting(payId);
    const done = signDone(payId);
    if (done != null) this.reply(session, tag, ModuleMessage.DONE, done);
    this.tell(record);
    if (session != null) this.askNext(session, record.key);
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
    if (count == 4 && cose.verify(Purpose.ANSWER, record.peerKey)) this.answered(record, state);
    if (count == 3 && cose.verify(Purpose.DONE, record.peerKey)) this.doneReceived(record);
    if (session != null) this.askNext(session, record.key);
  }

  /** Asks the session's peer about the first open payment with it behind journal key `after`. */
  private askNext(session: Session, after: u32): void {
    const record = new PaymentRecord();
    for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
      if (!record.load(cursor) || record.key <= after) continue;
      if (!isOpen(record) || !record.isWith(session.peer.id)) continue;
      // What runs in this very session needs no question, which would end it.
      if (payments.ofPayId(record.payId) != null) continue;
      this.askWith(session, record);
      return;
    }
  }

  private askWith(session: Session, record: PaymentRecord): void {
    const question = this.question(record);
    if (question == null) return;
    const writer = session.compose(ModuleMessage.OPEN_PAYMENTS);
    writer.array(1);
    writer.rawFrom(question);
    session.send(false);
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

  /** The payer says how a payment in doubt ended. Only `aborted` decides; the rest leaves it open. */
  private answered(record: PaymentRecord, state: u8): void {
    if (record.state != PaymentState.IN_DOUBT || state != Answer.ABORTED) return;
    const hashes = record.hashes;
    journal.begin();
    notes.putDropped(hashes);
    record.state = PaymentState.ABORTED;
    record.reason = <u8>Reason.PEER_ENDED;
    record.hashes = new StaticArray<u8>(0);
    putCommand(record.commandId, record.payId, PaymentState.ABORTED, Reason.PEER_ENDED);
    if (record.ownSide == OwnSideKind.COMMAND) record.remove();
    else record.put();
    const room = promisedRoom(hashes.length / HASH_SIZE);
    if (!journal.commitReserved(true, room)) return;
    this.endWaiting(record.payId);
    this.tell(record);
  }

  /** A question that came without a session: its asker's chain comes with it. */
  private strangersQuestion(
    question: usize,
    questionLength: i32,
    chain: usize,
    chainLength: i32,
    tag: Bytes,
  ): void {
    const view = new QuestionView();
    const asker = new Chain();
    if (!view.parse(question, questionLength) || !asker.read(chain, chainLength)) return;
    const holder = asker.holder;
    // Also those whose certificates have expired, or who are listed, may learn how it ended.
    const date = max(holder.issued, asker.server.issued);
    if (pairReason(holder, asker.server, date, identity.moduleRoot) != Reason.NONE) return;
    if (!bytesEqual(view.asker, holder.id)) return;
    if (!view.cose.verify(Purpose.QUESTION, pointerOf(holder.signingKey))) return;
    this.answer(view, null, tag);
  }

  /** Answers a verified question: ends the payment if it runs, then speaks from the journal. */
  private answer(question: QuestionView, session: Session | null, tag: Bytes): void {
    const payId = question.payId;
    if (!bytesEqual(question.peer, identity.certificate.id)) {
      this.replyAnswer(session, tag, payId, Answer.NOT_YOURS);
      return;
    }
    let isTheirs = true;
    const running = payments.ofPayId(payId);
    if (running != null && !running.isOver) {
      const theirs = running.session;
      // What still runs with another may yet commit: a stranger gets no word on how it ended.
      isTheirs = theirs != null && bytesEqual(theirs.peer.id, question.asker);
      if (isTheirs) {
        abort.ended(running, Reason.PEER_ENDED);
        payments.remove(running);
      }
    }
    const record = PaymentRecord.find(payId);
    if (!isTheirs || (record != null && !record.isWith(question.asker))) {
      this.replyAnswer(session, tag, payId, Answer.NOT_YOURS);
    } else if (question.role == PaymentRole.PAYEE) {
      this.answerPayee(question, record, session, tag);
    } else {
      this.answerPayer(payId, record, session, tag);
    }
  }

  private answerPayee(
    question: QuestionView,
    record: PaymentRecord | null,
    session: Session | null,
    tag: Bytes,
  ): void {
    const payId = question.payId;
    if (record == null || record.role != PaymentRole.PAYER) {
      // What was forgotten after the horizon may have been committed.
      const isCertain = floorSeconds() < question.horizon;
      this.replyAnswer(session, tag, payId, isCertain ? Answer.ABORTED : Answer.UNKNOWN);
      return;
    }
    const drafts = question.drafts;
    const hash = new StaticArray<u8>(HASH_SIZE);
    this.draftsHash.begin();
    for (let i = 0; i < drafts.length; i++) {
      this.draftsHash.add(pointerOf(drafts[i]), drafts[i].length);
    }
    this.draftsHash.end(pointerOf(hash));
    if (memory.compare(pointerOf(hash), record.draftsHash, HASH_SIZE) != 0) {
      this.replyAnswer(session, tag, payId, Answer.NOT_YOURS);
      return;
    }
    const signatures = new StaticArray<u8>(drafts.length * SIGNATURE_SIZE);
    for (let i = 0; i < drafts.length; i++) {
      const draft = drafts[i];
      const place = pointerOf(signatures) + <usize>(i * SIGNATURE_SIZE);
      if (!identity.signature(Purpose.TRANSFER, pointerOf(draft), draft.length, place)) return;
    }
    const released = encodeReleased(payId, signatures);
    this.reply(session, tag, ModuleMessage.ACKNOWLEDGEMENT, released);
  }

  private answerPayer(
    payId: Bytes,
    record: PaymentRecord | null,
    session: Session | null,
    tag: Bytes,
  ): void {
    // A payer asks once it has committed, so what this module has forgotten it has received.
    if (record == null || record.state == PaymentState.COMMITTED) {
      const done = signDone(payId);
      if (done != null) this.reply(session, tag, ModuleMessage.DONE, done);
      return;
    }
    if (record.role != PaymentRole.PAYEE || record.state != PaymentState.IN_DOUBT) return;
    if (session != null) {
      this.askWith(session, record);
      return;
    }
    const question = this.question(record);
    if (question != null) this.sendQuestion(question, tag);
  }

  private question(record: PaymentRecord): Bytes | null {
    const drafts = new StaticArray<Bytes>(record.hashes.length / HASH_SIZE);
    for (let i = 0; i < drafts.length; i++) {
      const draft = notes.draft(pointerOf(record.hashes) + <usize>(i * HASH_SIZE));
      if (draft == null) return null;
      drafts[i] = draft;
    }
    return signQuestion(record, drafts);
  }

  private sendQuestion(question: Bytes, tag: Bytes): void {
    const chain = identity.chain();
    if (chain == null) return;
    const writer = composeBody();
    writer.array(3);
    writer.uint(BodyKind.STATEMENT);
    writer.bytesFrom(tag);
    const mark = writer.beginBytes();
    writer.array(2);
    writer.rawFrom(question);
    writer.rawFrom(chain);
    writer.endBytes(mark);
    sendBody(Port.PEER);
  }

  private replyAnswer(session: Session | null, tag: Bytes, payId: Bytes, state: u8): void {
    const answer = signAnswer(payId, state);
    if (answer != null) this.reply(session, tag, ModuleMessage.MODULE_ANSWER, answer);
  }

  /** Sends one encoded statement in the session it belongs to, or as a statement-body. */
  private reply(session: Session | null, tag: Bytes, type: i32, statement: Bytes): void {
    if (session != null) {
      const writer = session.compose(type);
      // An acknowledgement is the message's whole body; the others are one item of it.
      if (type != ModuleMessage.ACKNOWLEDGEMENT) writer.array(1);
      writer.rawFrom(statement);
      session.send(false);
      return;
    }
    const writer = composeBody();
    writer.array(3);
    writer.uint(BodyKind.STATEMENT);
    writer.bytesFrom(tag);
    writer.bytesFrom(statement);
    sendBody(Port.PEER);
  }

  /** A payment that still waits in a session for what has just been decided: its slot is free. */
  private endWaiting(payId: Bytes): void {
    const payment = payments.ofPayId(payId);
    if (payment != null) payments.remove(payment);
  }

  /** Tells the own side what became of a payment that had been in doubt. */
  private tell(record: PaymentRecord): void {
    if (record.ownSide != OwnSideKind.COMMAND) this.noting.tellRecord(record.payId, record);
    tellCommand(record.commandId);
  }
}

/** Whether this module still has something to ask the peer about the payment. */
function isOpen(record: PaymentRecord): bool {
  if (record.role == PaymentRole.PAYEE) return record.state == PaymentState.IN_DOUBT;
  return record.state == PaymentState.COMMITTED && !record.isDone;
}
