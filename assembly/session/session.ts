// SPDX-License-Identifier: Apache-2.0
// One session between two agents or two money modules (Session Manager; Figs. 8, 9, 14, 18 and
// paragraphs 75-76): handshake, numbered records, time-out and query.
//
// What the peer's host may do to messages - lose, repeat, delay, reorder, change - ends at worst
// in a time-out: a record that does not open or is not newer is dropped, never fatal.
import { step } from "../board";
import { Bytes, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { wipe } from "../crypto/bytes";
import { Certificate } from "../trust/certificate";
import { Reason } from "../trust/reasons";
import { toldMs } from "../trust/signedTime";
import {
  BODY_LIMIT,
  beginHead,
  composeBody,
  composedBody,
  putInFront,
  writeBytesHead,
} from "./buffers";
import { Handshake, TIME_MAX_MS } from "./handshake";
import { payIdOf, transactionIdOf } from "./keySchedule";
import { Label, Path } from "./path";
import { Layer, openRecord, sealRecord } from "./recordBox";
import { NEVER, timerMs } from "./timers";

/** First element of the peer-bodies (docs/protocol.cddl section 3). */
export namespace BodyKind {
  export const HELLO: u64 = 1;
  export const ANSWER: u64 = 2;
  export const FINISH: u64 = 3;
  export const RECORD: u64 = 4;
  export const DENIED: u64 = 5;
  export const STATEMENT: u64 = 6;
}

/** Record types that every session has. */
export namespace RecordType {
  export const ACKNOWLEDGE: i32 = 1;
  export const QUERY: i32 = 2;
  export const PROCEEDING: i32 = 3;
  export const NEVER_GOT: i32 = 4;
  export const ABORT: i32 = 5;
  /** First type that belongs to the owner. */
  export const OWNER: i32 = 10;
  /** Between agents only: a message of the modules' session (648, 684). */
  export const MODULE_MESSAGE: i32 = 20;
}

/** Who waits for what. */
export namespace SessionState {
  /** A sent M1. */
  export const WAITS_ANSWER: u8 = 1;
  /** B sent M2. */
  export const WAITS_FINISH: u8 = 2;
  /** A sent M3. */
  export const WAITS_ACKNOWLEDGE: u8 = 3;
  /** B sent M4 and regards the session as open at A's first valid record. */
  export const WAITS_FIRST_RECORD: u8 = 4;
  export const OPEN: u8 = 5;
  export const CLOSED: u8 = 6;
}

/** Time-out and query of paragraphs 75-76 (protocol rule 2). */
export const REPLY_TIMER_MS: i64 = 5000;
export const QUERY_LIMIT: i32 = 3;
export const PROCEEDING_LIMIT_MS: i64 = 60000;
/** A session in which nothing arrives for so long is given up, whoever should have spoken. */
export const IDLE_LIMIT_MS: i64 = 120000;
/** Longest message kept for repetition; a longer one its owner composes again, if it can. */
export const KEPT_LIMIT: i32 = 2560;
/** The same in a session of money modules. */
export const KEPT_LIMIT_MODULES: i32 = 256;

const VERIFICATION_SIZE: i32 = 16;
const NO_BYTES: Bytes = new StaticArray<u8>(0);

/** What a session belongs to: the agent's or the module's business. */
export abstract class SessionOwner {
  /** Judges the peer, whose certificate is verified: a reason to refuse it, 0 to go on. */
  abstract admit(session: Session): i32;
  /** The session is open; its initiator speaks first. */
  abstract opened(session: Session): void;
  /** One message, each once and in order. `body` stands before its one item; types from 10. */
  abstract received(session: Session, type: i32, body: CborReader): void;
  /** A session is wanted and no slot is free: one that has done its work may be closed now. */
  makeRoom(): void {}
  /** The session ended and was not closed by this side's `close`. */
  abstract closed(session: Session, reason: i32): void;
  /**
   * The peer did not get the last message, which was too long to be kept: composes it again,
   * byte for byte, with `compose`. False if that cannot be.
   */
  recompose(_session: Session, _type: i32): bool {
    return false;
  }
}

export class Session {
  /** 8 bytes chosen by the initiator. */
  tag: Bytes;
  label: u8;
  initiator: bool;
  path: Path;
  owner: SessionOwner;
  open: bool = false;
  peer: Certificate = new Certificate();
  /** The peer's clock in the handshake: milliseconds since 1970, 0 if it did not know. */
  peerTimeMs: u64 = 0;
  /** 32 bytes; secret, wiped at the end of the session. */
  exporter: Bytes = NO_BYTES;
  state: u8;

  private handshake: Handshake | null;
  private helloHash: Bytes = NO_BYTES;
  private sendKey: Bytes = NO_BYTES;
  private receiveKey: Bytes = NO_BYTES;
  private sendCounter: u64 = 0;
  private receiveCounter: u64 = 0;
  private sentNumber: u64 = 0;
  private receivedNumber: u64 = 0;
  private composedType: i32 = 0;
  // The last message of this side that the peer may not have got: a handshake message whole, or
  // the body of a record with its type, number and the number it answers.
  private kept: Bytes | null = null;
  private keptType: i32 = 0;
  private keptNumber: u64 = 0;
  private keptReplyTo: u64 = 0;
  private awaitedNumber: u64 = 0;
  private waitingSince: i64 = 0;
  private queries: i32 = 0;
  private deadline: i64 = NEVER;
  private heardAt: i64;

  constructor(owner: SessionOwner, path: Path, tag: Bytes, initiator: bool) {
    this.owner = owner;
    this.path = path;
    this.label = path.label;
    this.tag = tag;
    this.initiator = initiator;
    this.handshake = new Handshake(path);
    this.state = initiator ? SessionState.WAITS_ANSWER : SessionState.WAITS_FINISH;
    this.heardAt = timerMs();
  }

  /** The `number`th transaction id of this session: 16 bytes that only the two ends know. */
  transactionId(number: u32): Bytes {
    return transactionIdOf(this.exporter, number);
  }

  /** The `number`th pay id of this session: 16 bytes that only the two ends know. */
  payId(number: u32): Bytes {
    return payIdOf(this.exporter, number);
  }

  /** Begins a message of a type from 10: exactly one item is to be written. */
  compose(type: i32): CborWriter {
    this.composedType = type;
    return composeBody();
  }

  /**
   * Sends what was composed. `awaitReply`: the peer owes an answer, so the reply timer starts.
   * Does nothing unless the session is open; a message too long for the outbox ends the session.
   */
  send(awaitReply: bool): void {
    if (!this.open) return;
    const body = composedBody();
    const isRelayed = this.isUnnumbered(this.composedType);
    if (body.overflow || (body.length > BODY_LIMIT && !isRelayed)) {
      this.end(Reason.PACKET_TOO_LARGE, true);
      return;
    }
    if (isRelayed) {
      this.transmitRecord(this.composedType, 0, 0, body.pointer, body.length);
      return;
    }
    this.sendNumbered(this.composedType);
    if (!awaitReply) return;
    this.awaitedNumber = this.sentNumber;
    this.waitingSince = timerMs();
    this.queries = 0;
    this.deadline = this.waitingSince + REPLY_TIMER_MS;
  }

  /** Ends the session from this side and wipes its keys; `closed` is not called. */
  close(reason: i32, tellPeer: bool): void {
    if (this.state == SessionState.CLOSED) return;
    if (tellPeer) this.tellEnd(reason);
    this.state = SessionState.CLOSED;
    this.open = false;
    this.wipeAll();
  }

  // ------------------------------------------------------------ handshake

  /** Sends M1; a reason, 0 if it went. */
  begin(): i32 {
    const reason = this.handshake!.composeM1();
    if (reason == Reason.NONE) this.sendHandshake(BodyKind.HELLO);
    return reason;
  }

  /** Takes M1 and answers it; a reason to deny the session, 0 if it goes on. */
  receiveHello(m1: usize, length: i32): i32 {
    const handshake = this.handshake!;
    let reason = handshake.receiveM1(m1, length);
    if (reason == Reason.NONE) reason = this.admitPeer();
    if (reason == Reason.NONE) {
      this.helloHash = bytesOf(m1, length);
      reason = handshake.composeM2();
    }
    if (reason != Reason.NONE) {
      this.mark(310, 1486);
      this.mark(0, 1488);
      return reason;
    }
    this.mark(324, 1506);
    this.sendHandshake(BodyKind.ANSWER);
    return Reason.NONE;
  }

  /** The same hello again: its answer was lost, so it is sent again. */
  repeatAnswer(m1: usize, length: i32): void {
    if (this.initiator || this.state != SessionState.WAITS_FINISH) return;
    const hello = this.helloHash;
    if (hello.length == length && memory.compare(pointerOf(hello), m1, length) == 0) {
      this.repeatHandshake();
    }
  }

  /** A sealed M2 arrived. */
  receiveAnswer(m2: usize, length: i32): void {
    if (!this.initiator || this.state != SessionState.WAITS_ANSWER) return;
    const handshake = this.handshake!;
    let reason = handshake.receiveM2(m2, length);
    if (reason == Reason.NONE) reason = this.admitPeer();
    if (reason == Reason.NONE) reason = handshake.composeM3();
    if (reason != Reason.NONE) {
      this.refuse(reason);
      return;
    }
    this.heardAt = timerMs();
    this.takeKeys();
    this.mark(348, 1538);
    this.state = SessionState.WAITS_ACKNOWLEDGE;
    this.sendHandshake(BodyKind.FINISH);
  }

  /** A sealed M3 arrived: the first time it is acknowledged (M4), again it is acknowledged anew. */
  receiveFinish(m3: usize, length: i32): void {
    if (this.initiator) return;
    if (this.state == SessionState.WAITS_FIRST_RECORD) {
      this.repeatKept();
      return;
    }
    if (this.state != SessionState.WAITS_FINISH) return;
    const handshake = this.handshake!;
    const reason = handshake.receiveM3(m3, length);
    if (reason != Reason.NONE) {
      this.refuse(reason);
      return;
    }
    this.heardAt = timerMs();
    this.takeKeys();
    this.mark(358, 1552);
    this.state = SessionState.WAITS_FIRST_RECORD;
    this.deadline = NEVER;
    this.mark(362, 0);
    const writer = composeBody();
    this.mark(364, 1554);
    writer.array(2);
    writer.bytesFrom(handshake.peerVerification);
    writer.uint(toldMs());
    this.mark(366, 1556);
    this.sendNumbered(RecordType.ACKNOWLEDGE);
    this.dropHandshake();
  }

  /** The peer refused the session before it was open. */
  receiveDenied(reason: i32): void {
    if (this.state >= SessionState.OPEN) return;
    if (this.label == Label.AGENT) step(this.initiator ? 312 : 334);
    this.end(reason, false);
  }

  // -------------------------------------------------------------- records

  /** A record arrived; `box` is opened in place. */
  receiveRecord(counter: u64, type: i32, box: usize, length: i32): void {
    if (this.state < SessionState.WAITS_ACKNOWLEDGE || this.state == SessionState.CLOSED) return;
    if (counter <= this.receiveCounter) return;
    this.markReceipt();
    const direction: u8 = this.initiator ? 1 : 0;
    const key = this.receiveKey;
    if (!openRecord(key, this.layer, direction, counter, type, this.tag, box, length)) return;
    this.markOpened();
    const plain = new CborReader(box, length - 16);
    plain.arrayOf(3);
    const number = plain.u64();
    const replyTo = plain.u64();
    if (!plain.raw() || !plain.atEnd()) return;
    this.receiveCounter = counter;
    this.heardAt = timerMs();
    const body = new CborReader(plain.viewPointer, plain.viewLength);
    if (this.state == SessionState.WAITS_ACKNOWLEDGE) {
      this.receiveAcknowledge(type, number, body);
      return;
    }
    if (this.state == SessionState.WAITS_FIRST_RECORD) {
      this.state = SessionState.OPEN;
      this.open = true;
      this.forgetKept();
      this.owner.opened(this);
      if (!this.open) return;
    }
    this.receiveOpened(type, number, replyTo, body);
  }

  /** Milliseconds on the timers' scale at which `tick` has something to do. */
  nextDeadline(): i64 {
    if (this.state == SessionState.CLOSED) return NEVER;
    return min(this.deadline, this.heardAt + IDLE_LIMIT_MS);
  }

  /** Does what is due: repeats, asks, or gives up (paragraph 76). */
  tick(): void {
    const now = timerMs();
    if (now >= this.heardAt + IDLE_LIMIT_MS) {
      this.end(Reason.TIME_OUT, true);
      return;
    }
    if (now < this.deadline) return;
    const isSpent = this.queries >= QUERY_LIMIT || now - this.waitingSince >= PROCEEDING_LIMIT_MS;
    if (isSpent) {
      this.end(Reason.TIME_OUT, true);
      return;
    }
    this.queries++;
    this.deadline = now + REPLY_TIMER_MS;
    if (this.state != SessionState.OPEN) {
      if (this.initiator) this.repeatHandshake();
      return;
    }
    const writer = composeBody();
    writer.array(1);
    writer.uint(this.awaitedNumber);
    this.transmitRecord(RecordType.QUERY, 0, 0, writer.pointer, writer.length);
  }

  /** Money modules can compose their long messages again, and have little room to keep them. */
  private get keptLimit(): i32 {
    return this.layer == Layer.MODULES ? KEPT_LIMIT_MODULES : KEPT_LIMIT;
  }

  private get layer(): u8 {
    return this.label == Label.AGENT || this.label == Label.PAIR ? Layer.AGENTS : Layer.MODULES;
  }

  private receiveAcknowledge(type: i32, number: u64, body: CborReader): void {
    if (type != RecordType.ACKNOWLEDGE) return;
    this.mark(368, 1558);
    body.arrayOf(2);
    const returned = body.bytesExact(VERIFICATION_SIZE);
    this.peerTimeMs = body.uintAtMost(TIME_MAX_MS);
    this.mark(370, 1560);
    const isOwn = body.atEnd() && this.handshake!.isOwnVerification(pointerOf(returned));
    this.mark(372, 1562);
    if (!isOwn) {
      this.refuse(Reason.WRONG_VERIFICATION);
      return;
    }
    this.receivedNumber = number;
    this.dropHandshake();
    this.forgetKept();
    this.deadline = NEVER;
    this.mark(374, 1564);
    this.state = SessionState.OPEN;
    this.open = true;
    this.owner.opened(this);
  }

  private receiveOpened(type: i32, number: u64, replyTo: u64, body: CborReader): void {
    if (type == RecordType.QUERY || type == RecordType.NEVER_GOT) {
      body.arrayOf(1);
      const asked = body.u64();
      if (!body.atEnd()) return;
      if (type == RecordType.QUERY) this.answerQuery(asked);
      else if (asked == this.keptNumber && this.deadline != NEVER) this.repeatKept();
    } else if (type == RecordType.PROCEEDING) {
      // The peer lives; the timer is set anew, up to the limit on the whole wait.
      if (this.deadline == NEVER) return;
      this.queries = 0;
      this.deadline = timerMs() + REPLY_TIMER_MS;
    } else if (type == RecordType.ABORT) {
      body.arrayOf(1);
      const reason = <i32>body.uintAtMost(65535);
      if (this.label == Label.AGENT) step(394);
      this.end(body.failed || reason == 0 ? Reason.PEER_ENDED : reason, false);
    } else if (this.isUnnumbered(type)) {
      this.owner.received(this, type, body);
    } else if (type >= RecordType.OWNER && number > this.receivedNumber) {
      this.receivedNumber = number;
      if (replyTo >= this.awaitedNumber) this.deadline = NEVER;
      this.owner.received(this, type, body);
    }
  }

  /**
   * The peer waits for the answer to its message `asked` (paragraph 76): it never came, or it was
   * answered and the answer is sent again, or the owner and its host are still at it.
   */
  private answerQuery(asked: u64): void {
    if (asked > this.receivedNumber) {
      const writer = composeBody();
      writer.array(1);
      writer.uint(asked);
      this.transmitRecord(RecordType.NEVER_GOT, 0, 0, writer.pointer, writer.length);
    } else if (this.keptReplyTo >= asked) {
      this.repeatKept();
    } else {
      const writer = composeBody();
      writer.array(0);
      this.transmitRecord(RecordType.PROCEEDING, 0, 0, writer.pointer, writer.length);
    }
  }

  /** Types that nothing awaits or repeats: their own layer does, or they are only signs of life. */
  private isUnnumbered(type: i32): bool {
    if (type == RecordType.MODULE_MESSAGE) return this.label == Label.AGENT;
    return type >= RecordType.QUERY && type <= RecordType.ABORT;
  }

  private sendNumbered(type: i32): void {
    const body = composedBody();
    this.forgetKept();
    if (body.length <= this.keptLimit) this.kept = bytesOf(body.pointer, body.length);
    this.keptType = type;
    this.keptNumber = ++this.sentNumber;
    this.keptReplyTo = this.receivedNumber;
    this.transmitRecord(type, this.keptNumber, this.keptReplyTo, body.pointer, body.length);
  }

  /** Sends the last numbered message again: the same number, a new counter. */
  private repeatKept(): void {
    const kept = this.kept;
    let body = composeBody();
    if (kept != null) {
      body.rawFrom(kept);
    } else {
      if (!this.owner.recompose(this, this.keptType)) return;
      body = composedBody();
      if (body.overflow) return;
    }
    const replyTo = this.keptReplyTo;
    this.transmitRecord(this.keptType, this.keptNumber, replyTo, body.pointer, body.length);
  }

  private transmitRecord(type: i32, number: u64, replyTo: u64, pointer: usize, length: i32): void {
    this.markSealing();
    let head = beginHead();
    head.array(3);
    head.uint(number);
    head.uint(replyTo);
    const plain = putInFront(pointer, head);
    const plainLength = length + head.length;
    const counter = ++this.sendCounter;
    const direction: u8 = this.initiator ? 0 : 1;
    const key = this.sendKey;
    const boxLength = sealRecord(
      key,
      this.layer,
      direction,
      counter,
      type,
      this.tag,
      plain,
      plainLength,
    );
    head = beginHead();
    head.array(5);
    head.uint(BodyKind.RECORD);
    head.bytesFrom(this.tag);
    head.uint(counter);
    head.uint(<u64>type);
    writeBytesHead(head, boxLength);
    this.markSending();
    this.path.transmit(putInFront(plain, head), boxLength + head.length);
  }

  private sendHandshake(kind: u64): void {
    const body = composedBody();
    const head = beginHead();
    head.array(3);
    head.uint(kind);
    head.bytesFrom(this.tag);
    writeBytesHead(head, body.length);
    const start = putInFront(body.pointer, head);
    this.kept = bytesOf(start, body.length + head.length);
    this.waitingSince = timerMs();
    this.queries = 0;
    this.deadline = this.waitingSince + REPLY_TIMER_MS;
    this.path.transmit(start, body.length + head.length);
  }

  private repeatHandshake(): void {
    const kept = this.kept;
    if (kept == null) return;
    const body = composeBody();
    body.rawFrom(kept);
    this.path.transmit(body.pointer, body.length);
  }

  private admitPeer(): i32 {
    this.peer = this.handshake!.peer;
    return this.owner.admit(this);
  }

  /** Ends a session that is not open yet; the peer is told, and marks it ended as well. */
  private refuse(reason: i32): void {
    if (this.initiator) {
      this.mark(332, 1516);
      this.mark(0, 1518);
    } else {
      this.mark(310, 1486);
      this.mark(0, 1488);
    }
    this.end(reason, true);
  }

  private end(reason: i32, tellPeer: bool): void {
    if (this.state == SessionState.CLOSED) return;
    this.close(reason, tellPeer);
    this.owner.closed(this, reason);
  }

  private tellEnd(reason: i32): void {
    const writer = composeBody();
    if (this.open) {
      if (this.label == Label.AGENT) step(390);
      else if (this.label != Label.PAIR) step(1746);
      writer.array(1);
      writer.uint(<u64>reason);
      if (this.label == Label.AGENT) step(392);
      this.transmitRecord(RecordType.ABORT, 0, 0, writer.pointer, writer.length);
      return;
    }
    sendDenied(this.path, this.tag, reason);
  }

  private takeKeys(): void {
    const handshake = this.handshake!;
    this.sendKey = handshake.sendKey;
    this.receiveKey = handshake.receiveKey;
    this.exporter = handshake.exporter;
    if (handshake.peerTimeMs != 0) this.peerTimeMs = handshake.peerTimeMs;
  }

  private dropHandshake(): void {
    const handshake = this.handshake;
    if (handshake != null) handshake.wipeSecrets();
    this.handshake = null;
    this.helloHash = NO_BYTES;
  }

  private wipeAll(): void {
    this.dropHandshake();
    wipe(pointerOf(this.sendKey), this.sendKey.length);
    wipe(pointerOf(this.receiveKey), this.receiveKey.length);
    wipe(pointerOf(this.exporter), this.exporter.length);
    this.forgetKept();
    this.deadline = NEVER;
  }

  /** What is kept is in clear: it does not wait for the garbage collector. */
  private forgetKept(): void {
    const kept = this.kept;
    if (kept != null) wipe(pointerOf(kept), kept.length);
    this.kept = null;
  }

  private mark(agentStep: i32, moduleStep: i32): void {
    if (this.label == Label.AGENT) {
      if (agentStep != 0) step(agentStep);
    } else if (this.label != Label.PAIR) {
      if (moduleStep != 0) step(moduleStep);
    }
  }

  // Fig. 9 between agents; between modules Fig. 15 until key (TA/MM) exists, then Fig. 19.
  private markSealing(): void {
    this.mark(376, this.path.isEncryptedRoute ? 678 : 640);
  }

  private markSending(): void {
    this.mark(378, this.path.isEncryptedRoute ? 0 : 642);
  }

  private markReceipt(): void {
    this.mark(384, this.path.isEncryptedRoute ? 0 : 654);
  }

  private markOpened(): void {
    this.mark(386, this.path.isEncryptedRoute ? 690 : 656);
  }
}

/** Sends [ 5, tag, reason ]: a session that is not open yet is refused. */
export function sendDenied(path: Path, tag: Bytes, reason: i32): void {
  const writer = composeBody();
  writer.array(3);
  writer.uint(BodyKind.DENIED);
  writer.bytesFrom(tag);
  writer.uint(<u64>reason);
  path.transmit(writer.pointer, writer.length);
}
