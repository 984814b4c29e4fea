// SPDX-License-Identifier: Apache-2.0
// Key (TA/MM) of one payment, between an agent and its own money module (438, 440 of Fig. 13; Send
// MM/TA Message, Fig. 16; Send TA/MM Message, Fig. 17). Made from the local key, the agents'
// session and R(1) xor R(2), so that it ends with the payment.
import { Port, send, step } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { wipe } from "../crypto/bytes";
import { hkdfExpand, hkdfExtract } from "../crypto/hkdf";
import { beginHead, composeBody, composedBody, putInFront, writeBytesHead } from "./buffers";
import { Layer, openRecord, sealRecord } from "./recordBox";

/** First element of the own-bodies of this layer. */
export const PAYMENT_KIND: u64 = 11;
/** A message of the modules' session inside this layer (Fig. 19). */
export const MODULE_MESSAGE_TYPE: i32 = 5;

/** "florin/payment" */
const INFO: Bytes = [
  0x66, 0x6c, 0x6f, 0x72, 0x69, 0x6e, 0x2f, 0x70, 0x61, 0x79, 0x6d, 0x65, 0x6e, 0x74,
];
const info: usize = memory.data(64);
const prk: usize = memory.data(32, 8);

/** What the two halves of a device know of a payment before its key exists (538, 542). */
export class PaymentTerms {
  /** Tag of the agents' session, 8 bytes. */
  sessionTag: Bytes;
  /** 16 bytes each. */
  payId: Bytes;
  transactionId: Bytes;
  /** Exporter of the agents' session, 32 bytes. */
  exporter: Bytes;

  constructor(sessionTag: Bytes, payId: Bytes, transactionId: Bytes, exporter: Bytes) {
    this.sessionTag = sessionTag;
    this.payId = payId;
    this.transactionId = transactionId;
    this.exporter = exporter;
  }
}

export class PaymentChannel {
  payId: Bytes;
  /** Tag of the agents' session that the payment belongs to. */
  sessionTag: Bytes;

  private isAgent: bool;
  private sendKey: Bytes = new StaticArray<u8>(32);
  private receiveKey: Bytes = new StaticArray<u8>(32);
  private sendCounter: u64 = 0;
  private receiveCounter: u64 = 0;
  private composedType: i32 = 0;

  /** `localKey`: local key(3), 32 bytes. `mixed`: R(1) xor R(2), 32 bytes (534, 536, 552, 556). */
  constructor(isAgent: bool, localKey: usize, mixed: usize, terms: PaymentTerms) {
    this.isAgent = isAgent;
    this.payId = terms.payId;
    this.sessionTag = terms.sessionTag;
    const exporter = terms.exporter;
    hkdfExtract(pointerOf(exporter), exporter.length, localKey, 32, prk);
    memory.copy(info, pointerOf(INFO), INFO.length);
    memory.copy(info + 14, mixed, 32);
    memory.copy(info + 46, pointerOf(terms.transactionId), 16);
    store<u8>(info + 62, 1);
    hkdfExpand(prk, info, 63, pointerOf(isAgent ? this.sendKey : this.receiveKey), 32);
    store<u8>(info + 62, 2);
    hkdfExpand(prk, info, 63, pointerOf(isAgent ? this.receiveKey : this.sendKey), 32);
    wipe(prk, 32);
    wipe(info, 63);
  }

  /** Begins a message: exactly one item is to be written. */
  compose(type: i32): CborWriter {
    this.composedType = type;
    return composeBody();
  }

  /** Sends what was composed to the other half of the device; false where it did not fit. */
  send(): bool {
    const body = composedBody();
    if (body.overflow) return false;
    this.transmit(this.composedType, body.pointer, body.length);
    return true;
  }

  /** Seals and sends one item that lies in the outbox with room in front and behind. */
  transmit(type: i32, pointer: usize, length: i32): void {
    step(this.isAgent ? 668 : 658);
    const counter = ++this.sendCounter;
    const direction: u8 = this.isAgent ? 0 : 1;
    const key = this.sendKey;
    const boxLength = sealRecord(
      key,
      Layer.PAYMENT,
      direction,
      counter,
      type,
      this.payId,
      pointer,
      length,
    );
    const head = beginHead();
    head.array(5);
    head.uint(PAYMENT_KIND);
    head.bytesFrom(this.payId);
    head.uint(counter);
    head.uint(<u64>type);
    writeBytesHead(head, boxLength);
    step(this.isAgent ? 670 : 660);
    send(<i32>Port.OWN, putInFront(pointer, head), boxLength + head.length);
  }

  /** Opens one record in place: a reader over its item, or null if it is not a new one of ours. */
  open(counter: u64, type: i32, box: usize, length: i32): CborReader | null {
    if (counter <= this.receiveCounter) return null;
    step(this.isAgent ? 664 : 674);
    const direction: u8 = this.isAgent ? 1 : 0;
    const key = this.receiveKey;
    if (!openRecord(key, Layer.PAYMENT, direction, counter, type, this.payId, box, length)) {
      return null;
    }
    step(this.isAgent ? 666 : 676);
    this.receiveCounter = counter;
    return new CborReader(box, length - 16);
  }

  /** Wipes the keys. */
  wipe(): void {
    wipe(pointerOf(this.sendKey), 32);
    wipe(pointerOf(this.receiveKey), 32);
  }
}
