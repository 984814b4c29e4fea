// SPDX-License-Identifier: Apache-2.0
// A session on its way to being open: the handshake and the sending of M1 to M3, each of which can
// be lost and is then sent again, the same bytes (paragraph 76; docs/protocol.cddl section 3).
import { Bytes, bytesOf, equalAt } from "../codec/bytes";
import { beginHead, composeBody, composedBody, putInFront, writeBytesHead } from "./buffers";
import { Handshake } from "./handshake";
import { Path } from "./path";
import { BodyKind } from "./peerBodies";
import { ReplyTimer } from "./replyTimer";

const NO_BYTES: Bytes = new StaticArray<u8>(0);

export class Opening {
  handshake: Handshake;

  private path: Path;
  private tag: Bytes;
  private timer: ReplyTimer;
  private hello: Bytes = NO_BYTES;
  private sent: Bytes = NO_BYTES;
  private sentKind: u64 = 0;

  constructor(path: Path, tag: Bytes, timer: ReplyTimer) {
    this.handshake = new Handshake(path);
    this.path = path;
    this.tag = tag;
    this.timer = timer;
  }

  /** Notes the hello that is being answered. */
  keepHello(m1: usize, length: i32): void {
    this.hello = bytesOf(m1, length);
  }

  /** Whether this is the hello that was answered, once more: its answer was lost. */
  isSameHello(m1: usize, length: i32): bool {
    return this.hello.length == length && equalAt(this.hello, m1);
  }

  /** Sends what the handshake composed as a body of this kind; the peer owes an answer. */
  send(kind: u64): void {
    const body = composedBody();
    const head = beginHead();
    head.array(3);
    head.uint(kind);
    head.bytesFrom(this.tag);
    writeBytesHead(head, body.length);
    const start = putInFront(body.pointer, head);
    this.sentKind = kind;
    this.sent = bytesOf(start, body.length + head.length);
    this.timer.start();
    this.transmit(start, body.length + head.length);
  }

  /** Sends the last message again. */
  repeat(): void {
    const body = composeBody();
    body.rawFrom(this.sent);
    this.transmit(body.pointer, body.length);
  }

  private transmit(pointer: usize, length: i32): void {
    if (this.sentKind == BodyKind.HELLO) this.path.transmitHello(pointer, length);
    else this.path.transmit(pointer, length);
  }
}
