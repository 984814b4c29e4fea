// SPDX-License-Identifier: Apache-2.0
// MM Session Manager of Figs. 12 and 14-21: who may open a session with this money module, and to
// which part each message belongs. A session carries one payment and the questions about old ones.
import { step } from "../board";
import { bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { PAY_ID_SIZE } from "../note/limits";
import { composedBody, composeHost, sendHost } from "../session/buffers";
import { Label } from "../session/path";
import { Session } from "../session/session";
import { SessionOwner } from "../session/sessionOwner";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { abort } from "./abort";
import { commit } from "./commit";
import { ModuleMessage } from "./messages";
import { payExchange } from "./payExchange";
import { Payment, Stage } from "./payment";
import { PaymentRecord, PaymentState } from "./paymentRecord";
import { payments } from "./payments";
import { Resume } from "./resume";
import { isTransactionModule, transferNotes } from "./transferNotes";

/** Tells a bank's host of a refused session (docs/protocol.cddl section 8). */
const REFUSED: i32 = 87;

export class ModuleSessions extends SessionOwner {
  private resume: Resume;

  constructor(resume: Resume) {
    super();
    this.resume = resume;
  }

  admit(session: Session): i32 {
    if (session.label == Label.MODULE) {
      const payment = payments.ofPath(session.path);
      if (payment == null) return Reason.WRONG_STATE;
      if (payment.session == null) payment.session = session;
      return payment.session === session ? Reason.NONE : Reason.WRONG_STATE;
    }
    if (bytesEqual(session.peer.id, identity.certificate.id)) return Reason.WRONG_ROLE;
    return mayServe(session) ? Reason.NONE : Reason.WRONG_ROLE;
  }

  opened(session: Session): void {
    this.resume.askIn(session);
    const payment = payments.ofSession(session);
    if (payment != null && session.initiator) payment.ownSide.opened(payment);
  }

  received(session: Session, type: i32, body: CborReader): void {
    if (type == ModuleMessage.OPEN_PAYMENTS) {
      this.resume.questionReceived(session, body);
    } else if (type == ModuleMessage.MODULE_ANSWER || type == ModuleMessage.DONE) {
      this.statementReceived(session, body);
    } else if (type == ModuleMessage.ACKNOWLEDGEMENT) {
      this.acknowledgementReceived(session, body);
    } else {
      const payment = payments.ofSession(session);
      if (payment != null) this.paymentMessage(payment, type, body);
      else this.requestReceived(session, type, body);
    }
    this.settled();
  }

  /** Fig. 14: tells subscriber or bank that a session was refused (1490-1492, 1520-1522). */
  refused(session: Session, reason: i32): void {
    let payment = payments.ofSession(session);
    if (payment == null && session.label == Label.MODULE) payment = payments.ofPath(session.path);
    // Another session of that payment, or one that is done: nothing of it ends here.
    if (payment != null && payment.session != null && payment.session !== session) return;
    const isTransaction = isTransactionModule();
    if (payment == null && isTransaction) return;
    if (session.initiator) step(isTransaction ? 1520 : 1522);
    else step(isTransaction ? 1490 : 1492);
    if (payment == null) {
      tellRefused(session, reason);
      return;
    }
    payment.session = session;
    abort.begin(payment, reason);
    payments.remove(payment);
  }

  closed(session: Session, reason: i32): void {
    const payment = payments.ofSession(session);
    if (payment == null) return;
    if (!payment.isOver) {
      if (session.endedByPeer) abort.ended(payment, reason);
      else abort.begin(payment, reason);
      // The payer may still be in reach, though not by this session.
      const record = PaymentRecord.find(payment.payId);
      if (record != null && payment.state == PaymentState.IN_DOUBT) this.resume.ask(record);
    }
    payments.remove(payment);
    this.settled();
  }

  makeRoom(): void {
    payments.sweep();
  }

  /** What is too long to be kept by the session is made again: the same notes, the same bytes. */
  recompose(session: Session, type: i32): bool {
    const payment = payments.ofSession(session);
    if (payment == null) return false;
    const isPacketSent =
      payment.stage == Stage.READY_WANTED || payment.stage == Stage.PACKET_WANTED;
    if (type == ModuleMessage.PACKET || type == ModuleMessage.COUNTER_PACKET) {
      return isPacketSent && transferNotes.write(payment, composedBody());
    }
    if (payment.released.length == 0) return false;
    if (type == ModuleMessage.READY_TO_COMMIT) return commit.writeReady(payment, composedBody());
    composedBody().rawFrom(payment.released);
    return type == ModuleMessage.ACKNOWLEDGEMENT;
  }

  /** A message in a session that has no payment: what a customer asks of a bank's module. */
  protected requestReceived(_session: Session, _type: i32, _body: CborReader): void {}

  /** A message or a session is dealt with: what waited for notes may get them now. */
  protected settled(): void {}

  private paymentMessage(payment: Payment, type: i32, body: CborReader): void {
    if (payment.isOver) return;
    if (!payment.ownSide.received(payment, type, body)) this.paymentStep(payment, type, body);
    if (payment.isOver && payment.state != PaymentState.COMMITTED) payments.remove(payment);
  }

  /** From the acknowledged amount on, all payments are alike. */
  private paymentStep(payment: Payment, type: i32, body: CborReader): void {
    const isPayer = payment.isPayer;
    if (isPayer && type == ModuleMessage.AMOUNT_RIGHT) {
      payExchange.amountRightReceived(payment, body);
    } else if (isPayer && type == ModuleMessage.COUNTER_PACKET) {
      payExchange.counterPacketReceived(payment, body);
    } else if (isPayer && type == ModuleMessage.READY_TO_COMMIT) {
      payExchange.readyReceived(payment, body);
    } else if (!isPayer && type == ModuleMessage.PACKET) {
      payExchange.packetReceived(payment, body);
    } else {
      abort.begin(payment, Reason.WRONG_STATE);
    }
  }

  /** 27: for the payment of this session (1708), or for an older one that was asked about. */
  private acknowledgementReceived(session: Session, body: CborReader): void {
    if (!body.raw() || !body.atEnd()) return;
    const pointer = body.viewPointer;
    const length = body.viewLength;
    const payment = payments.ofSession(session);
    const reader = new CborReader(pointer, length);
    reader.arrayOf(2);
    const payId = reader.bytesExact(PAY_ID_SIZE);
    const isWaiting = payment != null && payment.stage == Stage.ACKNOWLEDGEMENT_WANTED;
    if (reader.failed) return;
    if (!isWaiting || !payment!.is(payId)) {
      this.resume.releasedReceived(session, pointer, length, session.tag);
      return;
    }
    commit.acknowledgementReceived(payment!, pointer, length);
  }

  /** [ statement ]: an answer (30) or done (28). */
  private statementReceived(session: Session, body: CborReader): void {
    if (!body.arrayOf(1) || !body.raw() || !body.atEnd()) return;
    this.resume.signedReceived(session, body.viewPointer, body.viewLength);
    const payment = payments.ofSession(session);
    if (payment == null || !payment.isOver || !payment.isPayer) return;
    const record = PaymentRecord.find(payment.payId);
    if (record != null && !record.isDone) return;
    payments.remove(payment);
  }
}

/** Bare sessions: customers and merchants with a teller, tellers with a generator. */
function mayServe(session: Session): bool {
  const own = identity.certificate.role;
  const peer = session.peer.role;
  const client = session.initiator ? own : peer;
  const server = session.initiator ? peer : own;
  if (client == Role.TRANSACTION) return server == Role.TELLER;
  return client == Role.TELLER && server == Role.GENERATOR;
}

/** Tells the bank's host of a session that its module refused; nothing was asked for in it yet. */
function tellRefused(session: Session, reason: i32): void {
  const writer = composeHost(REFUSED, 2);
  writer.bytesFrom(session.tag);
  writer.uint(<u64>reason);
  sendHost();
}
