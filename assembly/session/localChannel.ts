// SPDX-License-Identifier: Apache-2.0
// Between an agent and the money module of the same device (To Money Module, To Subscriber):
// pairing, a fresh local key from each boot, and the messages under it (protocol rule 2, layer 3).
// The host carries these bodies and can only lose them: a renewed nonce makes a new key.
import { Port, random, send } from "../board";
import { Bytes, bytesEqual, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { wipe } from "../crypto/bytes";
import { hkdfExpand, hkdfExtract } from "../crypto/hkdf";
import { identity, Life } from "../trust/identity";
import { Reason } from "../trust/reasons";
import {
  beginHead,
  composeBody,
  composedBody,
  putInFront,
  sendBody,
  writeBytesHead,
} from "./buffers";
import { OwnHalf } from "./ownHalf";
import { Pairing } from "./pairing";
import { MODULE_MESSAGE_TYPE, PAYMENT_KIND, PaymentChannel, PaymentTerms } from "./paymentChannel";
import { Layer, openRecord, sealRecord } from "./recordBox";
import { BodyKind } from "./peerBodies";

/** First element of own-bodies (docs/protocol.cddl section 5). */
const NONCE_WANTED: u64 = 7;
const AGENT_NONCE: u64 = 8;
const MODULE_NONCE: u64 = 9;
const LOCAL: u64 = 10;
const ROUTED: u64 = 12;

/** "florin/local" */
const INFO: Bytes = [0x66, 0x6c, 0x6f, 0x72, 0x69, 0x6e, 0x2f, 0x6c, 0x6f, 0x63, 0x61, 0x6c];
const NONCE_SIZE: i32 = 16;
const NO_BYTES: Bytes = new StaticArray<u8>(0);
const secret: usize = memory.data(32, 8);
const prk: usize = memory.data(32, 8);
const salt: usize = memory.data(32, 8);
const info: usize = memory.data(16, 8);

/** What the local channel belongs to: the agent's or the module's business. */
export abstract class LocalOwner {
  /** A new local key is in use: after a boot of either half. Open matters are to be asked anew. */
  abstract localReady(): void;
  /** A message under the local key; `body` stands before its one item. */
  abstract localReceived(type: i32, body: CborReader): void;
  /** A message under the key (TA/MM) of an open payment, other than a module message. */
  abstract paymentReceived(channel: PaymentChannel, type: i32, body: CborReader): void;
  /** A peer-body of the modules' session, by Fig. 15 or 19, of the agents' session `sessionTag`. */
  abstract moduleMessageReceived(sessionTag: Bytes, pointer: usize, length: i32): void;
}

export class LocalChannel extends OwnHalf {
  /** Whether a local key is there; both halves have it once a message has passed. */
  ready: bool = false;

  private isAgent: bool;
  private owner: LocalOwner;
  private pairing: Pairing;
  private ownNonce: Bytes = NO_BYTES;
  private sendKey: Bytes = new StaticArray<u8>(32);
  private receiveKey: Bytes = new StaticArray<u8>(32);
  private paymentKey: Bytes = new StaticArray<u8>(32);
  private sendCounter: u64 = 0;
  private receiveCounter: u64 = 0;
  private composedType: i32 = 0;
  private payments: StaticArray<PaymentChannel | null>;

  /** `capacity`: payments at a time. */
  constructor(isAgent: bool, owner: LocalOwner, capacity: i32) {
    super();
    this.isAgent = isAgent;
    this.owner = owner;
    this.payments = new StaticArray<PaymentChannel | null>(capacity);
    this.pairing = new Pairing();
  }

  /** The 8-byte id of the other half of the device; empty until paired. */
  get counterpart(): Bytes {
    return identity.counterpart;
  }

  renew(): void {
    if (identity.life != Life.PAIRED) return;
    if (this.isAgent) this.sendAgentNonce();
    else this.askForNonce();
  }

  /** It is the agent that pairs with its money module. */
  pair(): i32 {
    return this.isAgent ? this.pairing.start() : Reason.WRONG_ROLE;
  }

  /** Begins a message under the local key: exactly one item is to be written. */
  compose(type: i32): CborWriter {
    this.composedType = type;
    return composeBody();
  }

  /** Sends what was composed; false where there is no local key or it did not fit. */
  send(): bool {
    const body = composedBody();
    if (!this.ready || body.overflow) return false;
    const counter = ++this.sendCounter;
    const direction: u8 = this.isAgent ? 0 : 1;
    const type = this.composedType;
    const key = this.sendKey;
    const boxLength = sealRecord(
      key,
      Layer.LOCAL,
      direction,
      counter,
      type,
      NO_BYTES,
      body.pointer,
      body.length,
    );
    const head = beginHead();
    head.array(4);
    head.uint(LOCAL);
    head.uint(counter);
    head.uint(<u64>type);
    writeBytesHead(head, boxLength);
    send(<i32>Port.OWN, putInFront(body.pointer, head), boxLength + head.length);
    return true;
  }

  /**
   * Makes key (TA/MM) of a payment from R(1) xor R(2), 32 bytes (534, 536, 552, 556). Null where
   * there is no local key, no free place, or a payment of this id already.
   */
  openPayment(terms: PaymentTerms, mixed: usize): PaymentChannel | null {
    if (!this.ready || this.findPayment(terms.payId) != null) return null;
    for (let place = 0; place < this.payments.length; place++) {
      if (this.payments[place] != null) continue;
      const channel = new PaymentChannel(this.isAgent, pointerOf(this.paymentKey), mixed, terms);
      this.payments[place] = channel;
      return channel;
    }
    return null;
  }

  /** Key (TA/MM) of an open payment, or null. */
  findPayment(payId: Bytes): PaymentChannel | null {
    for (let place = 0; place < this.payments.length; place++) {
      const channel = this.payments[place];
      if (channel != null && bytesEqual(channel.payId, payId)) return channel;
    }
    return null;
  }

  /** Ends a payment's key. */
  closePayment(channel: PaymentChannel): void {
    for (let place = 0; place < this.payments.length; place++) {
      if (this.payments[place] === channel) this.payments[place] = null;
    }
    channel.wipe();
  }

  /**
   * Sends one peer-body in the outbox by Fig. 15: not under key (TA/MM), which is not there yet.
   */
  sendRouted(sessionTag: Bytes, pointer: usize, length: i32): void {
    const head = beginHead();
    head.array(3);
    head.uint(ROUTED);
    head.bytesFrom(sessionTag);
    writeBytesHead(head, length);
    send(<i32>Port.OWN, putInFront(pointer, head), length + head.length);
  }

  receive(pointer: usize, length: i32): void {
    const reader = new CborReader(pointer, length);
    const count = reader.array();
    const kind = reader.u64();
    if (reader.failed) return;
    if (kind <= BodyKind.DENIED) this.receivePairing(pointer, length);
    else if (kind == NONCE_WANTED && count == 1) this.receiveNonceWanted(reader);
    else if (kind == AGENT_NONCE && count == 2) this.receiveAgentNonce(reader);
    else if (kind == MODULE_NONCE && count == 3) this.receiveModuleNonce(reader);
    else if (kind == LOCAL && count == 4) this.receiveLocal(reader);
    else if (kind == PAYMENT_KIND && count == 5) this.receivePayment(reader);
    else if (kind == ROUTED && count == 3) this.receiveRouted(reader);
  }

  /** Does what is due; pairing alone has time-outs. */
  tick(): void {
    this.pairing.tick();
  }

  nextDeadline(): i64 {
    return this.pairing.nextDeadline();
  }

  private receivePairing(pointer: usize, length: i32): void {
    this.pairing.receive(pointer, length);
    if (!this.pairing.takeStored()) return;
    this.ready = false;
    if (this.isAgent) this.sendAgentNonce();
  }

  private askForNonce(): void {
    const writer = composeBody();
    writer.array(1);
    writer.uint(NONCE_WANTED);
    sendBody(Port.OWN);
  }

  private sendAgentNonce(): void {
    const nonce = new StaticArray<u8>(NONCE_SIZE);
    if (random(pointerOf(nonce), NONCE_SIZE) != 0) return;
    this.ownNonce = nonce;
    // The module has another key as soon as it has the nonce: with its answer lost, neither opens.
    this.ready = false;
    wipe(pointerOf(this.sendKey), 32);
    wipe(pointerOf(this.receiveKey), 32);
    wipe(pointerOf(this.paymentKey), 32);
    const writer = composeBody();
    writer.array(2);
    writer.uint(AGENT_NONCE);
    writer.bytesFrom(nonce);
    sendBody(Port.OWN);
  }

  private receiveNonceWanted(reader: CborReader): void {
    if (!reader.atEnd() || !this.isAgent || identity.life != Life.PAIRED) return;
    this.sendAgentNonce();
  }

  private receiveAgentNonce(reader: CborReader): void {
    const agentNonce = reader.bytesExact(NONCE_SIZE);
    if (!reader.atEnd() || this.isAgent || identity.life != Life.PAIRED) return;
    const moduleNonce = new StaticArray<u8>(NONCE_SIZE);
    if (random(pointerOf(moduleNonce), NONCE_SIZE) != 0) return;
    if (!this.makeKeys(agentNonce, moduleNonce)) return;
    const writer = composeBody();
    writer.array(3);
    writer.uint(MODULE_NONCE);
    writer.bytesFrom(agentNonce);
    writer.bytesFrom(moduleNonce);
    sendBody(Port.OWN);
    this.owner.localReady();
  }

  private receiveModuleNonce(reader: CborReader): void {
    const agentNonce = reader.bytesExact(NONCE_SIZE);
    const moduleNonce = reader.bytesExact(NONCE_SIZE);
    if (!reader.atEnd() || !this.isAgent || identity.life != Life.PAIRED) return;
    if (!bytesEqual(agentNonce, this.ownNonce)) {
      // The module took another nonce, old or replayed: its key is not ours. One nonce makes one
      // key, so a new one is agreed; while an answer is still awaited, that answer decides.
      if (this.ownNonce.length == 0) this.sendAgentNonce();
      return;
    }
    this.ownNonce = NO_BYTES;
    if (this.makeKeys(agentNonce, moduleNonce)) this.owner.localReady();
  }

  private receiveLocal(reader: CborReader): void {
    const counter = reader.u64();
    const type = <i32>reader.uintAtMost(255);
    reader.view();
    if (!reader.atEnd()) return;
    // A module that was started, and whose question for a nonce was lost: the agent's key is old.
    if (!this.ready && !this.isAgent) this.renew();
    if (!this.ready || counter <= this.receiveCounter) return;
    const box = reader.viewPointer;
    const length = reader.viewLength;
    const direction: u8 = this.isAgent ? 1 : 0;
    const key = this.receiveKey;
    if (!openRecord(key, Layer.LOCAL, direction, counter, type, NO_BYTES, box, length)) {
      // Nonces pass unprotected: one that was changed on its way leaves two keys that never meet.
      // Once anything has opened the keys agree, and what does not open is simply dropped.
      if (this.receiveCounter == 0) this.renew();
      return;
    }
    this.receiveCounter = counter;
    this.owner.localReceived(type, new CborReader(box, length - 16));
  }

  private receivePayment(reader: CborReader): void {
    const payId = reader.bytesExact(16);
    const counter = reader.u64();
    const type = <i32>reader.uintAtMost(255);
    reader.view();
    if (!reader.atEnd()) return;
    const channel = this.findPayment(payId);
    if (channel == null) return;
    const body = channel.open(counter, type, reader.viewPointer, reader.viewLength);
    if (body == null) return;
    if (type != MODULE_MESSAGE_TYPE) {
      this.owner.paymentReceived(channel, type, body);
      return;
    }
    body.arrayOf(1);
    body.view();
    if (!body.atEnd()) return;
    this.owner.moduleMessageReceived(channel.sessionTag, body.viewPointer, body.viewLength);
  }

  private receiveRouted(reader: CborReader): void {
    const sessionTag = reader.bytesExact(8);
    reader.view();
    if (!reader.atEnd()) return;
    this.owner.moduleMessageReceived(sessionTag, reader.viewPointer, reader.viewLength);
  }

  /** HKDF(salt = both nonces, ikm = pairing secret, "florin/local" n): keys of both directions. */
  private makeKeys(agentNonce: Bytes, moduleNonce: Bytes): bool {
    if (!identity.readPairing(secret)) return false;
    memory.copy(salt, pointerOf(agentNonce), NONCE_SIZE);
    memory.copy(salt + NONCE_SIZE, pointerOf(moduleNonce), NONCE_SIZE);
    hkdfExtract(salt, 2 * NONCE_SIZE, secret, 32, prk);
    wipe(secret, 32);
    this.expandKey(1, this.isAgent ? this.sendKey : this.receiveKey);
    this.expandKey(2, this.isAgent ? this.receiveKey : this.sendKey);
    this.expandKey(3, this.paymentKey);
    wipe(prk, 32);
    this.sendCounter = 0;
    this.receiveCounter = 0;
    this.ready = true;
    return true;
  }

  private expandKey(number: u8, key: Bytes): void {
    memory.copy(info, pointerOf(INFO), INFO.length);
    store<u8>(info + <usize>INFO.length, number);
    hkdfExpand(prk, info, INFO.length + 1, pointerOf(key), 32);
  }
}
