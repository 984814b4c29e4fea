// SPDX-License-Identifier: Apache-2.0
// One session between two agents or two money modules (Session Manager; Figs. 8, 9, 14 and 18):
// its life from the first message to the end. What it is for is its owner's business.
//
// What the peer's host may do to messages - lose, repeat, delay, reorder, change - ends at worst
// in a time-out: a record that does not open or is not newer is dropped, never fatal.
import { step } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { wipe } from "../crypto/bytes";
import { Certificate } from "../trust/certificate";
import { Reason } from "../trust/reasons";
import { BODY_LIMIT, composeBody, composedBody } from "./buffers";
import { markStep } from "./figureSteps";
import { payIdOf, transactionIdOf } from "./keySchedule";
import { NumberedMessages } from "./numberedMessages";
import { Opening } from "./opening";
import { Label, Path } from "./path";
import { BodyKind, isUnnumbered, RecordType, sendDenied } from "./peerBodies";
import { RecordChannel } from "./recordChannel";
import { ReplyTimer } from "./replyTimer";
import { SessionOwner } from "./sessionOwner";
import { NEVER, timerMs } from "./timers";

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

/** A session in which nothing arrives for so long is given up, whoever should have spoken. */
const IDLE_LIMIT_MS: i64 = 120000;
const NO_BYTES: Bytes = new StaticArray<u8>(0);

export class Session {
  /** 8 bytes chosen by the initiator. */
  tag: Bytes;
  label: u8;
  initiator: bool;
  path: Path;
  owner: SessionOwner;
  open: bool = false;
  /** Whose word ended it, once it is closed. */
  endedByPeer: bool = false;
  peer: Certificate = new Certificate();
  /** The peer's clock in the handshake: milliseconds since 1970, 0 if it did not know. */
  peerTimeMs: u64 = 0;
  /** 32 bytes; secret, wiped at the end of the session. */
  exporter: Bytes = NO_BYTES;
  state: u8;

  /** Null once the handshake is over. */
  private opening: Opening | null;
  private channel: RecordChannel;
  private messages: NumberedMessages;
  private timer: ReplyTimer;
  private composedType: i32 = 0;
  private heardAt: i64;

  constructor(owner: SessionOwner, path: Path, tag: Bytes, initiator: bool) {
    this.owner = owner;
    this.path = path;
    this.label = path.label;
    this.tag = tag;
    this.initiator = initiator;
    const timer = new ReplyTimer();
    const channel = new RecordChannel(path, tag, initiator);
    this.timer = timer;
    this.channel = channel;
    this.messages = new NumberedMessages(channel, timer);
    this.opening = new Opening(path, tag, timer);
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
    const isRelayed = isUnnumbered(this.composedType, this.label);
    if (body.overflow || (body.length > BODY_LIMIT && !isRelayed)) {
      this.end(Reason.PACKET_TOO_LARGE, true);
    } else if (isRelayed) {
      this.messages.sendUnnumbered(this.composedType);
    } else {
      this.messages.send(this.composedType);
      if (awaitReply) this.messages.awaitReply();
    }
  }

  /** Ends the session from this side and wipes its keys; `closed` is not called. */
  close(reason: i32, tellPeer: bool): void {
    if (this.state == SessionState.CLOSED) return;
    if (tellPeer) this.tellEnd(reason);
    this.state = SessionState.CLOSED;
    this.open = false;
    this.dropOpening();
    this.channel.wipeKeys();
    wipe(pointerOf(this.exporter), this.exporter.length);
    this.messages.forgetKept();
    this.timer.stop();
  }

  // ------------------------------------------------------------ handshake

  /** Sends M1; a reason, 0 if it went. */
  begin(): i32 {
    const opening = this.opening!;
    const reason = opening.handshake.composeM1();
    if (reason == Reason.NONE) opening.send(BodyKind.HELLO);
    return reason;
  }

  /** Takes M1 and answers it; a reason to deny the session, 0 if it goes on. */
  receiveHello(m1: usize, length: i32): i32 {
    const opening = this.opening!;
    let reason = opening.handshake.receiveM1(m1, length);
    if (reason == Reason.NONE) reason = this.admitPeer();
    if (reason == Reason.NONE) {
      opening.keepHello(m1, length);
      reason = opening.handshake.composeM2();
    }
    if (reason != Reason.NONE) {
      this.tellRefusal(reason);
      return reason;
    }
    this.mark(324, 1506);
    opening.send(BodyKind.ANSWER);
    return Reason.NONE;
  }

  /** The same hello again: its answer was lost, so it is sent again. */
  repeatAnswer(m1: usize, length: i32): void {
    if (this.initiator || this.state != SessionState.WAITS_FINISH) return;
    const opening = this.opening!;
    if (opening.isSameHello(m1, length)) opening.repeat();
  }

  /** A sealed M2 arrived. */
  receiveAnswer(m2: usize, length: i32): void {
    if (!this.initiator || this.state != SessionState.WAITS_ANSWER) return;
    const opening = this.opening!;
    let reason = opening.handshake.receiveM2(m2, length);
    if (reason == Reason.NONE) reason = this.admitPeer();
    if (reason == Reason.NONE) reason = opening.handshake.composeM3();
    if (reason != Reason.NONE) {
      this.refuse(reason);
      return;
    }
    this.heardAt = timerMs();
    this.takeKeys();
    this.mark(348, 1538);
    this.state = SessionState.WAITS_ACKNOWLEDGE;
    opening.send(BodyKind.FINISH);
  }

  /** A sealed M3 arrived: the first time it is acknowledged (M4), again it is acknowledged anew. */
  receiveFinish(m3: usize, length: i32): void {
    if (this.initiator) return;
    if (this.state == SessionState.WAITS_FIRST_RECORD) {
      this.repeatKept();
      return;
    }
    if (this.state != SessionState.WAITS_FINISH) return;
    const handshake = this.opening!.handshake;
    let reason = handshake.receiveM3(m3, length);
    // An agent notes the start before the keys are made, a module once clocks agree (358, 1552).
    if (reason == Reason.NONE) {
      if (this.label == Label.AGENT) this.noteStart();
      reason = handshake.agreeKeys();
    }
    if (reason != Reason.NONE) {
      this.refuse(reason);
      return;
    }
    if (this.label != Label.AGENT) this.noteStart();
    this.takeKeys();
    handshake.composeM4();
    this.messages.send(RecordType.ACKNOWLEDGE);
    this.dropOpening();
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
    const body = this.channel.open(counter, type, box, length);
    if (body == null) return;
    this.heardAt = timerMs();
    if (this.state == SessionState.WAITS_ACKNOWLEDGE) {
      this.receiveAcknowledge(type, body);
      return;
    }
    if (this.state == SessionState.WAITS_FIRST_RECORD) {
      this.state = SessionState.OPEN;
      this.open = true;
      this.messages.forgetKept();
      this.owner.opened(this);
      if (!this.open) return;
    }
    this.receiveOpened(type, body);
  }

  /** Milliseconds on the timers' scale at which `tick` has something to do. */
  nextDeadline(): i64 {
    if (this.state == SessionState.CLOSED) return NEVER;
    return min(this.timer.deadline, this.heardAt + IDLE_LIMIT_MS);
  }

  /** Does what is due: repeats, asks, or gives up (paragraph 76). */
  tick(): void {
    const now = timerMs();
    if (now >= this.heardAt + IDLE_LIMIT_MS) {
      this.end(Reason.TIME_OUT, true);
      return;
    }
    if (now < this.timer.deadline) return;
    if (!this.timer.waitAgain(now)) this.end(Reason.TIME_OUT, true);
    else if (this.state == SessionState.OPEN) this.messages.query();
    else if (this.initiator) this.opening!.repeat();
  }

  private receiveAcknowledge(type: i32, body: CborReader): void {
    if (type != RecordType.ACKNOWLEDGE) return;
    const handshake = this.opening!.handshake;
    const reason = handshake.receiveM4(body);
    this.peerTimeMs = handshake.peerTimeMs;
    if (reason != Reason.NONE) {
      this.refuse(reason);
      return;
    }
    this.messages.take();
    this.dropOpening();
    this.timer.stop();
    this.mark(374, 1564);
    this.state = SessionState.OPEN;
    this.open = true;
    this.owner.opened(this);
  }

  private receiveOpened(type: i32, body: CborReader): void {
    if (type >= RecordType.QUERY && type <= RecordType.NEVER_GOT) {
      if (this.messages.receiveSign(type, body)) this.repeatKept();
    } else if (type == RecordType.ABORT) {
      body.arrayOf(1);
      const reason = <i32>body.uintAtMost(65535);
      if (this.label == Label.AGENT) step(394);
      this.end(body.failed || reason == 0 ? Reason.PEER_ENDED : reason, false);
    } else if (isUnnumbered(type, this.label)) {
      this.owner.received(this, type, body);
    } else if (type >= RecordType.OWNER && this.messages.take()) {
      this.owner.received(this, type, body);
    }
  }

  /** Sends the last numbered message again, if it was kept or its owner can compose it again. */
  private repeatKept(): void {
    const messages = this.messages;
    if (messages.composeKept() || this.owner.recompose(this, messages.keptType)) {
      messages.repeatComposed();
    }
  }

  private admitPeer(): i32 {
    this.peer = this.opening!.handshake.peer;
    return this.owner.admit(this);
  }

  /** Ends a session that is not open yet; the peer is told, and marks it ended as well. */
  private refuse(reason: i32): void {
    this.tellRefusal(reason);
    this.end(reason, true);
  }

  /** Ends the session and tells its owner. */
  end(reason: i32, tellPeer: bool): void {
    if (this.state == SessionState.CLOSED) return;
    this.endedByPeer = !tellPeer;
    this.close(reason, tellPeer);
    this.owner.closed(this, reason);
  }

  private tellEnd(reason: i32): void {
    const writer = composeBody();
    if (this.open) {
      this.mark(390, 1746);
      writer.array(1);
      writer.uint(<u64>reason);
      this.mark(392, 1748);
      this.messages.sendUnnumbered(RecordType.ABORT);
      return;
    }
    sendDenied(this.path, this.tag, reason);
  }

  /** B regards the session as started; it is open at A's first record. */
  private noteStart(): void {
    this.mark(358, 1552);
    this.state = SessionState.WAITS_FIRST_RECORD;
    this.heardAt = timerMs();
    this.timer.stop();
  }

  private takeKeys(): void {
    const handshake = this.opening!.handshake;
    this.channel.useKeys(handshake.sendKey, handshake.receiveKey);
    this.exporter = handshake.exporter;
    if (handshake.peerTimeMs != 0) this.peerTimeMs = handshake.peerTimeMs;
  }

  private dropOpening(): void {
    const opening = this.opening;
    if (opening != null) opening.handshake.wipeSecrets();
    this.opening = null;
  }

  /** The session ends before it began; of a judgement on the peer the owner is told. */
  private tellRefusal(reason: i32): void {
    this.mark(this.initiator ? 332 : 310, this.initiator ? 1516 : 1486);
    if (reason < Reason.CERTIFICATE_INVALID || reason > Reason.WRONG_ROLE) return;
    this.mark(0, this.initiator ? 1518 : 1488);
    this.owner.refused(this, reason);
  }

  private mark(agentStep: i32, moduleStep: i32): void {
    markStep(this.label, agentStep, moduleStep);
  }
}
