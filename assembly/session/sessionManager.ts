// SPDX-License-Identifier: Apache-2.0
// The open sessions of one module (Session Manager 142): finds the session that a peer-body belongs
// to, begins and answers new ones, and keeps within the slots there are.
import { random } from "../board";
import { Bytes, bytesEqual, equalAt, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Reason } from "../trust/reasons";
import { Path } from "./path";
import { BodyKind, sendDenied } from "./peerBodies";
import { Session, SessionState } from "./session";
import { SessionOwner } from "./sessionOwner";
import { NEVER, timerMs } from "./timers";

const TAG_SIZE: i32 = 8;

export class SessionManager {
  /** Why `start` gave null. */
  reason: i32 = Reason.NONE;

  private owner: SessionOwner;
  private slots: StaticArray<Session | null>;

  /** At most `capacity` sessions at a time, all belonging to `owner`. */
  constructor(owner: SessionOwner, capacity: i32) {
    this.owner = owner;
    this.slots = new StaticArray<Session | null>(capacity);
  }

  /**
   * Begins a session as A on `path`, under `tag` (8 bytes) or a random one. Null, with `reason`
   * set, where no slot is free, there is no certificate, or there are no random numbers.
   */
  start(path: Path, tag: Bytes | null = null): Session | null {
    const slot = this.freeSlot();
    if (slot < 0) return this.fail(Reason.TOO_MANY_SESSIONS);
    let name = tag;
    if (name == null) {
      name = new StaticArray<u8>(TAG_SIZE);
      if (random(pointerOf(name), TAG_SIZE) != 0) return this.fail(Reason.NO_RANDOM);
    }
    if (this.find(name) != null) return this.fail(Reason.WRONG_STATE);
    const session = new Session(this.owner, path, name, true);
    const reason = session.begin();
    if (reason != Reason.NONE) {
      session.close(reason, false);
      return this.fail(reason);
    }
    this.slots[slot] = session;
    return session;
  }

  /** Takes one peer-body of kinds 1 to 5 that came by `path`. Malformed ones are dropped. */
  receive(path: Path, pointer: usize, length: i32): void {
    const reader = new CborReader(pointer, length);
    const count = reader.array();
    const kind = reader.uintAtMost(BodyKind.DENIED);
    const tag = reader.bytesExact(TAG_SIZE);
    if (reader.failed) return;
    const session = this.find(tag);
    // A tag belongs to the path on which its session began.
    if (session != null && session.path !== path) return;
    if (kind == BodyKind.RECORD && count == 5) {
      const counter = reader.u64();
      const type = <i32>reader.uintAtMost(65535);
      reader.view();
      if (!reader.atEnd() || session == null) return;
      session.receiveRecord(counter, type, reader.viewPointer, reader.viewLength);
    } else if (kind == BodyKind.DENIED && count == 3) {
      const reason = <i32>reader.uintAtMost(65535);
      if (!reader.atEnd() || session == null) return;
      session.receiveDenied(reason == 0 ? Reason.PEER_ENDED : reason);
    } else if (count == 3 && reader.view() && reader.atEnd()) {
      this.receiveHandshake(path, session, kind, tag, reader.viewPointer, reader.viewLength);
    }
    this.sweep();
  }

  /** The session of this tag that is not closed, or null. */
  find(tag: Bytes): Session | null {
    if (tag.length != TAG_SIZE) return null;
    for (let slot = 0; slot < this.slots.length; slot++) {
      const session = this.slots[slot];
      if (session == null || session.state == SessionState.CLOSED) continue;
      if (equalAt(tag, pointerOf(session.tag))) return session;
    }
    return null;
  }

  /** Ends the session whose first pay id (16 bytes) this is, where there is one. */
  endOf(payId: Bytes, reason: i32): void {
    for (let slot = 0; slot < this.slots.length; slot++) {
      const session = this.slots[slot];
      if (session == null || session.state == SessionState.CLOSED) continue;
      // Without keys there is no pay id yet.
      if (session.exporter.length == 0 || !bytesEqual(session.payId(0), payId)) continue;
      session.end(reason, true);
    }
  }

  /** Whether a new session can begin now. */
  hasRoom(): bool {
    return this.freeSlot() >= 0;
  }

  /** Does what is due in each session. */
  tick(): void {
    const now = timerMs();
    for (let slot = 0; slot < this.slots.length; slot++) {
      const session = this.slots[slot];
      if (session != null && session.nextDeadline() <= now) session.tick();
    }
    this.sweep();
  }

  /** The earliest time on the timers' scale at which `tick` has something to do. */
  nextDeadline(): i64 {
    let earliest = NEVER;
    for (let slot = 0; slot < this.slots.length; slot++) {
      const session = this.slots[slot];
      if (session != null) earliest = min(earliest, session.nextDeadline());
    }
    return earliest;
  }

  private receiveHandshake(
    path: Path,
    session: Session | null,
    kind: u64,
    tag: Bytes,
    content: usize,
    length: i32,
  ): void {
    if (kind == BodyKind.HELLO) {
      if (session != null) session.repeatAnswer(content, length);
      else this.answerHello(path, tag, content, length);
    } else if (session != null) {
      if (kind == BodyKind.ANSWER) session.receiveAnswer(content, length);
      else if (kind == BodyKind.FINISH) session.receiveFinish(content, length);
    }
  }

  private answerHello(path: Path, tag: Bytes, m1: usize, length: i32): void {
    const slot = this.freeSlot();
    if (slot < 0) {
      sendDenied(path, tag, Reason.TOO_MANY_SESSIONS);
      return;
    }
    const session = new Session(this.owner, path, tag, false);
    const reason = session.receiveHello(m1, length);
    if (reason == Reason.NONE) this.slots[slot] = session;
    else session.close(reason, true);
  }

  /** A free slot, if need be after the owner has given one up; -1 where all are in use. */
  private freeSlot(): i32 {
    const slot = this.emptySlot();
    if (slot >= 0) return slot;
    this.owner.makeRoom();
    return this.emptySlot();
  }

  private emptySlot(): i32 {
    this.sweep();
    for (let slot = 0; slot < this.slots.length; slot++) {
      if (this.slots[slot] == null) return slot;
    }
    return -1;
  }

  private sweep(): void {
    for (let slot = 0; slot < this.slots.length; slot++) {
      const session = this.slots[slot];
      if (session != null && session.state == SessionState.CLOSED) this.slots[slot] = null;
    }
  }

  private fail(reason: i32): Session | null {
    this.reason = reason;
    return null;
  }
}
