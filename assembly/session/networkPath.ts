// SPDX-License-Identifier: Apache-2.0
// The way of a money module's bare sessions to a bank or another server: by a network server while
// the module is signed on to one, else straight (Fig. 14, steps 1466-1476; docs/protocol.cddl
// section 3, network-hello). What was agreed at sign-on lives in memory alone: a boot forgets it.
import { Port, step } from "../board";
import { Bytes, bytesEqual, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Purpose } from "../codec/purpose";
import { wipe } from "../crypto/bytes";
import { sealBox, TAG_SIZE } from "../crypto/chacha20poly1305";
import { HPKE_OVERHEAD } from "../crypto/hpke";
import { journal } from "../flash/journal";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { ServerObject } from "../trust/serverObject";
import { nowSeconds } from "../trust/signedTime";
import { beginHead, putInFront, writeBytesHead } from "./buffers";
import { Label, PortPath } from "./path";
import { BodyKind } from "./peerBodies";

const TAG_BYTES: i32 = 8;
const KEY_SIZE: i32 = 32;
const VERIFICATION_SIZE: i32 = 16;
const NAME_LIMIT: i32 = 48;
/** The counter begins at the number of boots times 2^20, so that it rises over boots, too. */
const COUNTER_BITS: u64 = 20;
/** Latest date that is taken (year 9999). */
const DATE_MAX: u64 = 253402300799;

const nonce: usize = memory.data(12, 4);

export class NetworkPath extends PortPath {
  /** K, 32 bytes, and V, 16 bytes; null while the module is not signed on. */
  private secrets: Bytes | null = null;
  /** Seconds since 1970: from then on they are worth nothing. */
  private expires: u64 = 0;
  /** Rises over sign-ons and boots, so that no nonce is used twice even if a box comes twice. */
  private counter: u64 = 0;

  constructor() {
    super(Label.BARE, Port.PEER);
  }

  /**
   * Signs on with a box from a security server, by way of the network server and the host; the box
   * is opened in place. Reason 0, 1, 4, 10, 11 or 16 (not sealed for this module).
   */
  signOn(box: usize, length: i32): i32 {
    // Over the box itself, which the end of this event wipes.
    const plain = box + <usize>(HPKE_OVERHEAD - TAG_SIZE);
    if (!identity.open(Purpose.NETWORK, 0, 0, box, length, plain)) return Reason.BOX_INVALID;
    const object = new ServerObject();
    if (!object.read(plain, length - HPKE_OVERHEAD)) return Reason.MALFORMED;
    const reader = new CborReader(object.payload, object.payloadLength);
    reader.arrayOf(5);
    reader.viewText(NAME_LIMIT);
    reader.view();
    const key = reader.viewPointer;
    const keyLength = reader.viewLength;
    reader.view();
    const verification = reader.viewPointer;
    const verificationLength = reader.viewLength;
    const module = reader.bytesExact(identity.certificate.id.length);
    const expires = reader.uintAtMost(DATE_MAX);
    if (!reader.atEnd() || keyLength != KEY_SIZE || verificationLength != VERIFICATION_SIZE) {
      return Reason.MALFORMED;
    }
    const now = nowSeconds();
    const reason = object.reason(Purpose.NETWORK, now);
    if (reason != Reason.NONE) return reason;
    if (!bytesEqual(module, identity.certificate.id)) return Reason.BOX_INVALID;
    if (now >= expires) return Reason.CERTIFICATE_EXPIRED;
    this.leave();
    const secrets = new StaticArray<u8>(KEY_SIZE + VERIFICATION_SIZE);
    memory.copy(pointerOf(secrets), key, KEY_SIZE);
    memory.copy(pointerOf(secrets) + KEY_SIZE, verification, VERIFICATION_SIZE);
    this.secrets = secrets;
    this.expires = expires;
    return Reason.NONE;
  }

  /** Sessions go straight again. */
  leave(): void {
    const secrets = this.secrets;
    if (secrets != null) wipe(pointerOf(secrets), secrets.length);
    this.secrets = null;
  }

  transmitHello(pointer: usize, length: i32): void {
    step(1466);
    const secrets = this.secrets;
    if (secrets != null && nowSeconds() < this.expires) {
      this.transmitSealed(pointer, length, pointerOf(secrets));
      return;
    }
    this.leave();
    step(1476);
    this.transmit(pointer, length);
  }

  /** Sends [ 13, tag, counter, box ], the box made over the hello [ 1, tag, m1 ] in the outbox. */
  private transmitSealed(pointer: usize, length: i32, key: usize): void {
    const hello = new CborReader(pointer, length);
    hello.array();
    hello.u64();
    const tag = hello.bytesExact(TAG_BYTES);
    hello.view();
    if (this.counter == 0) this.counter = (<u64>journal.bootCount()) << COUNTER_BITS;
    const counter = ++this.counter;
    step(1468);
    let head = beginHead();
    head.array(2);
    head.bytes(key + KEY_SIZE, VERIFICATION_SIZE);
    const plain = putInFront(hello.viewPointer, head);
    const plainLength = hello.viewLength + head.length;
    head = beginHead();
    head.array(4);
    head.uint(1);
    head.textFrom(Purpose.NETWORK);
    head.bytesFrom(tag);
    head.uint(counter);
    store<u32>(nonce, 0);
    store<u64>(nonce + 4, counter);
    sealBox(key, nonce, head.pointer, head.length, plain, plainLength, plain);
    head = beginHead();
    head.array(4);
    head.uint(BodyKind.NETWORK_HELLO);
    head.bytesFrom(tag);
    head.uint(counter);
    writeBytesHead(head, plainLength + TAG_SIZE);
    step(1470);
    this.transmit(putInFront(plain, head), plainLength + TAG_SIZE + head.length);
  }
}
