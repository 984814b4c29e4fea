// SPDX-License-Identifier: Apache-2.0
// The answers of resume (docs/protocol.md rule 4.5): how this module answers a peer that asks about
// an open payment, in a session or a stranger's statement. It speaks from the journal: released
// signatures to a payee, `done` to a payer, and to anyone else no word on how the payment ended.
import { Port } from "../board";
import { Bytes, bytesEqual, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Purpose } from "../codec/purpose";
import { HASH_SIZE, SIGNATURE_SIZE } from "../note/limits";
import { DraftsHash } from "../note/packetManager";
import { composeBody, sendBody } from "../session/buffers";
import { BodyKind } from "../session/peerBodies";
import { Session } from "../session/session";
import { SessionManager } from "../session/sessionManager";
import { Chain, pairReason } from "../trust/chain";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { floorSeconds } from "../trust/signedTime";
import { abort } from "./abort";
import { ModuleMessage } from "./messages";
import { PaymentRecord, PaymentRole, PaymentState } from "./paymentRecord";
import { payments } from "./payments";
import { askUnder, askWith } from "./questions";
import { Answer, encodeReleased, QuestionView, signAnswer, signDone } from "./statements";
import { tranLog } from "./tranLog";

export class Answers {
  sessions: SessionManager = changetype<SessionManager>(0);
  private draftsHash: DraftsHash = new DraftsHash();

  /** [ question ] in a session (29). */
  questionReceived(session: Session, body: CborReader): void {
    const view = new QuestionView();
    body.arrayOf(1);
    if (!body.raw() || !body.atEnd() || !view.parse(body.viewPointer, body.viewLength)) return;
    if (!bytesEqual(view.asker, session.peer.id)) return;
    if (!view.cose.verify(Purpose.QUESTION, pointerOf(session.peer.signingKey))) return;
    this.answer(view, session, session.tag);
  }

  /** A question that came without a session: its asker's chain comes with it. */
  strangersQuestion(
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
      replyAnswer(session, tag, payId, Answer.NOT_YOURS);
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
      replyAnswer(session, tag, payId, Answer.NOT_YOURS);
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
    if (record == null) {
      // What was forgotten after the horizon may have been committed; and a payee forgets before.
      const isCertain = floorSeconds() < question.horizon && !tranLog.knows(payId);
      replyAnswer(session, tag, payId, isCertain ? Answer.ABORTED : Answer.UNKNOWN);
      // Nor may it begin after this word on it: its session may be there already.
      this.sessions.endOf(payId, Reason.WRONG_STATE);
      return;
    }
    if (record.role != PaymentRole.PAYER) {
      // The asker is who paid, or decided: nobody owes it a word on how that ended.
      replyAnswer(session, tag, payId, Answer.UNKNOWN);
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
      replyAnswer(session, tag, payId, Answer.NOT_YOURS);
      return;
    }
    const signatures = new StaticArray<u8>(drafts.length * SIGNATURE_SIZE);
    for (let i = 0; i < drafts.length; i++) {
      const draft = drafts[i];
      const place = pointerOf(signatures) + <usize>(i * SIGNATURE_SIZE);
      if (!identity.signature(Purpose.TRANSFER, pointerOf(draft), draft.length, place)) return;
    }
    const released = encodeReleased(payId, signatures);
    reply(session, tag, ModuleMessage.ACKNOWLEDGEMENT, released);
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
      if (done != null) reply(session, tag, ModuleMessage.DONE, done);
      return;
    }
    if (record.role != PaymentRole.PAYEE || record.state != PaymentState.IN_DOUBT) return;
    // Whatever it says to it now, the Certification Agency decides.
    if (record.isClaimed) return;
    if (session != null) askWith(session, record);
    else askUnder(tag, record);
  }
}

function replyAnswer(session: Session | null, tag: Bytes, payId: Bytes, state: u8): void {
  const answer = signAnswer(payId, state);
  if (answer != null) reply(session, tag, ModuleMessage.MODULE_ANSWER, answer);
}

/** Sends one encoded statement in the session it belongs to, or as a statement-body. */
export function reply(session: Session | null, tag: Bytes, type: i32, statement: Bytes): void {
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
