// SPDX-License-Identifier: Apache-2.0
// The numbered messages of one session with time-out and query (paragraphs 75-76): each arrives
// once and in order, and the last one that the peer may not have got can be sent again.
import { Bytes, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { wipe } from "../crypto/bytes";
import { composeBody, composedBody } from "./buffers";
import { RecordType } from "./peerBodies";
import { Layer } from "./recordBox";
import { RecordChannel } from "./recordChannel";
import { ReplyTimer } from "./replyTimer";

/** Longest message kept for repetition; a longer one its owner composes again, if it can. */
const KEPT_LIMIT: i32 = 2560;
/** Money modules can compose their long messages again, and have little room to keep them. */
const KEPT_LIMIT_MODULES: i32 = 256;

export class NumberedMessages {
  /** Type of the last message of this side. */
  keptType: i32 = 0;

  private channel: RecordChannel;
  private timer: ReplyTimer;
  private sentNumber: u64 = 0;
  private receivedNumber: u64 = 0;
  // The last message of this side that the peer may not have got: its body, null if it was too
  // long or is forgotten, with its number and the number it answers.
  private kept: Bytes | null = null;
  private keptNumber: u64 = 0;
  private keptReplyTo: u64 = 0;
  private awaitedNumber: u64 = 0;

  constructor(channel: RecordChannel, timer: ReplyTimer) {
    this.channel = channel;
    this.timer = timer;
  }

  /** Sends what was composed under the next number, and keeps it. */
  send(type: i32): void {
    const body = composedBody();
    this.forgetKept();
    const limit = this.channel.layer == Layer.MODULES ? KEPT_LIMIT_MODULES : KEPT_LIMIT;
    if (body.length <= limit) this.kept = bytesOf(body.pointer, body.length);
    this.keptType = type;
    this.keptNumber = ++this.sentNumber;
    this.keptReplyTo = this.receivedNumber;
    this.repeatComposed();
  }

  /** The peer owes an answer to the message sent last. */
  awaitReply(): void {
    this.awaitedNumber = this.sentNumber;
    this.timer.start();
  }

  /** Sends what was composed unnumbered: nothing awaits it, nothing repeats it. */
  sendUnnumbered(type: i32): void {
    const body = composedBody();
    this.channel.transmit(type, 0, 0, body.pointer, body.length);
  }

  /** Takes the number of the record opened last; false if its message was here before. */
  take(): bool {
    const number = this.channel.number;
    if (number <= this.receivedNumber) return false;
    this.receivedNumber = number;
    if (this.channel.replyTo >= this.awaitedNumber) this.timer.stop();
    return true;
  }

  /** Asks whether the peer got the message whose answer is awaited. */
  query(): void {
    this.sendNumber(RecordType.QUERY, this.awaitedNumber);
  }

  /**
   * Takes a query, a "never got" or a "proceeding"; true if the last message is to be sent again,
   * with `composeKept` or its owner's help and then `repeatComposed`.
   */
  receiveSign(type: i32, body: CborReader): bool {
    if (type == RecordType.PROCEEDING) {
      this.timer.peerProceeds();
      return false;
    }
    body.arrayOf(1);
    const asked = body.u64();
    if (!body.atEnd()) return false;
    if (type == RecordType.QUERY) return this.answerQuery(asked);
    return asked == this.keptNumber && this.timer.isWaiting;
  }

  /** Composes the last message as it was sent; false, and the body only begun, if not kept. */
  composeKept(): bool {
    const body = composeBody();
    const kept = this.kept;
    if (kept == null) return false;
    body.rawFrom(kept);
    return true;
  }

  /** Sends the last message, composed once more: the same number, a new counter. */
  repeatComposed(): void {
    const body = composedBody();
    if (body.overflow) return;
    const replyTo = this.keptReplyTo;
    this.channel.transmit(this.keptType, this.keptNumber, replyTo, body.pointer, body.length);
  }

  /** What is kept is in clear: it does not wait for the garbage collector. */
  forgetKept(): void {
    const kept = this.kept;
    if (kept != null) wipe(pointerOf(kept), kept.length);
    this.kept = null;
  }

  /**
   * The peer waits for the answer to its message `asked` (paragraph 76): it never came, or it was
   * answered and the answer is sent again, or the owner and its host are still at it.
   */
  private answerQuery(asked: u64): bool {
    if (asked > this.receivedNumber) {
      this.sendNumber(RecordType.NEVER_GOT, asked);
      return false;
    }
    if (this.keptReplyTo >= asked) return true;
    composeBody().array(0);
    this.sendUnnumbered(RecordType.PROCEEDING);
    return false;
  }

  private sendNumber(type: i32, number: u64): void {
    const writer = composeBody();
    writer.array(1);
    writer.uint(number);
    this.sendUnnumbered(type);
  }
}
