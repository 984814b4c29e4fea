// SPDX-License-Identifier: Apache-2.0
// The records of one session (Fig. 9 between agents, Figs. 15 and 19 between money modules): sealed
// under the session's keys, each with a counter that only grows.
//
// A record that does not open or is not newer is dropped and changes nothing (protocol rule 2).
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { wipe } from "../crypto/bytes";
import { beginHead, putInFront, writeBytesHead } from "./buffers";
import { markStep } from "./figureSteps";
import { Label, Path } from "./path";
import { BodyKind } from "./peerBodies";
import { Layer, openRecord, sealRecord } from "./recordBox";

const NO_BYTES: Bytes = new StaticArray<u8>(0);

export class RecordChannel {
  /** Who sealed it: Layer.AGENTS or Layer.MODULES. */
  layer: u8;
  /** Of the record opened last: the number of its message, and of the one it answers. */
  number: u64 = 0;
  replyTo: u64 = 0;

  private path: Path;
  private tag: Bytes;
  private initiator: bool;
  private sendKey: Bytes = NO_BYTES;
  private receiveKey: Bytes = NO_BYTES;
  private sendCounter: u64 = 0;
  private receiveCounter: u64 = 0;

  constructor(path: Path, tag: Bytes, initiator: bool) {
    const isOfAgent = path.label == Label.AGENT || path.label == Label.PAIR;
    this.layer = isOfAgent ? Layer.AGENTS : Layer.MODULES;
    this.path = path;
    this.tag = tag;
    this.initiator = initiator;
  }

  /** Takes the keys of the handshake, 32 bytes each; the channel wipes them. */
  useKeys(sendKey: Bytes, receiveKey: Bytes): void {
    this.sendKey = sendKey;
    this.receiveKey = receiveKey;
  }

  wipeKeys(): void {
    wipe(pointerOf(this.sendKey), this.sendKey.length);
    wipe(pointerOf(this.receiveKey), this.receiveKey.length);
  }

  /** Seals and sends one item that lies in the outbox with room in front and behind. */
  transmit(type: i32, number: u64, replyTo: u64, pointer: usize, length: i32): void {
    this.mark(376, 640, 678);
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
    this.mark(378, 642, 0);
    this.path.transmit(putInFront(plain, head), boxLength + head.length);
  }

  /** Opens a record in place: a reader over its body, or null if it is not a new one of ours. */
  open(counter: u64, type: i32, box: usize, length: i32): CborReader | null {
    if (counter <= this.receiveCounter) return null;
    this.mark(384, 654, 0);
    const direction: u8 = this.initiator ? 1 : 0;
    const key = this.receiveKey;
    if (!openRecord(key, this.layer, direction, counter, type, this.tag, box, length)) return null;
    this.mark(386, 656, 690);
    const plain = new CborReader(box, length - 16);
    plain.arrayOf(3);
    this.number = plain.u64();
    this.replyTo = plain.u64();
    if (!plain.raw() || !plain.atEnd()) return null;
    this.receiveCounter = counter;
    return new CborReader(plain.viewPointer, plain.viewLength);
  }

  /** Fig. 9 between agents; between modules Fig. 15 until key (TA/MM) exists, then Fig. 19. */
  private mark(agentStep: i32, routedStep: i32, encryptedRouteStep: i32): void {
    const path = this.path;
    markStep(path.label, agentStep, path.isEncryptedRoute ? encryptedRouteStep : routedStep);
  }
}
