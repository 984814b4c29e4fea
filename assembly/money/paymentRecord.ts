// SPDX-License-Identifier: Apache-2.0
// The journal's record of one payment: `prepared` at a payee, `committed` at either, `aborted` at a
// payee that was in doubt (docs/protocol.md section 4). The payer's is small on purpose: the payee
// shows the drafts again when it asks, and the same key makes the same signatures.
//
// Offsets in bytes, numbers least significant first:
//   0 state    1 role    2 flags (1 own side noted, 2 peer done, 4 claimed)    3 reason    4 unit
//   7 own side    8 amount  16 horizon  24 time  32 pay id (16)  48 peer (8)
//  56 peer's signing key (32)  88 hash of drafts (32)  120 evidence (32)  152 command id (16)
// 168 kind of the request to a bank          169 hashes and 170 promises at the end, how many
// 172 counter unit (4)      176 counter amount: what a payee pays, too
// 184 a prepared payee's: hashes of the notes it is to own, 32 bytes each; what it promised of its
//     own notes, { journal key u32, minor units u64 } each; then one signed object: the payer's
//     offer, or the claim that was made of it; of an aborted exchange the payer's answer
import { Bytes, bytesOf } from "../codec/bytes";
import { journal, roomFor } from "../flash/journal";
import { Choice } from "../note/directory";
import { HASH_SIZE, ID_SIZE, KEY_SIZE, PAY_ID_SIZE } from "../note/limits";
import { Hashes, Promises } from "../note/notes";

const PAYMENT_KIND: u8 = 12;
const FIXED_SIZE: i32 = 184;
const PROMISE_SIZE: i32 = 12;
const COMMAND_ID_SIZE: i32 = 16;

/** State of a payment as told to the own side (docs/protocol.cddl, payment-state). */
export namespace PaymentState {
  export const NONE: u8 = 0;
  export const ABORTED: u8 = 1;
  export const COMMITTED: u8 = 2;
  export const IN_DOUBT: u8 = 3;
  export const RUNNING: u8 = 4;
}

export namespace PaymentRole {
  export const PAYER: u8 = 1;
  export const PAYEE: u8 = 2;
}

/** Who must note the outcome before the record may go (docs/protocol.md section 1, own side). */
export namespace OwnSideKind {
  /** The owner's host started it and only reads the outcome. */
  export const COMMAND: u8 = 0;
  export const AGENT: u8 = 1;
  export const BANK: u8 = 2;
}

const found = memory.data(HASH_SIZE, 8);

const FLAG_NOTED: u8 = 1;
const FLAG_DONE: u8 = 2;
const FLAG_CLAIMED: u8 = 4;
const NO_HASHES: Hashes = new StaticArray<u8>(0);
/** Longest offer, with what both pay; no answer is longer. */
const STATEMENT_SIZE_LIMIT: i32 = 224;

/** Flash that the record of a payment takes which receives and pays so many notes. */
export function paymentRoom(received: i32, paid: i32): i32 {
  return roomFor(FIXED_SIZE + received * HASH_SIZE + paid * PROMISE_SIZE + STATEMENT_SIZE_LIMIT);
}

export class PaymentRecord {
  /** Journal key; 0 for a record not stored yet. */
  key: u32 = 0;
  private bytes: Bytes = new StaticArray<u8>(FIXED_SIZE);
  /** Hashes of the notes that a prepared record names. */
  hashes: Hashes = NO_HASHES;
  /** What a prepared payee promised of its own notes, where both pay. */
  promised: Choice | null = null;
  /**
   * One signed object: of a payee in doubt the payer's offer, or its own claim; of an exchange that
   * was aborted the payer's answer, which is kept to the horizon. Empty where there is none.
   */
  statement: Bytes = NO_HASHES;

  /** The record of this pay id (16 bytes), or null. */
  static find(payId: Bytes): PaymentRecord | null {
    for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
      const key = journal.keyAt(cursor);
      if (!journal.read(PAYMENT_KIND, key, 32, found, PAY_ID_SIZE)) continue;
      if (memory.compare(found, changetype<usize>(payId), PAY_ID_SIZE) != 0) continue;
      const record = new PaymentRecord();
      return record.load(cursor) ? record : null;
    }
    return null;
  }

  /**
   * Reads the record at a cursor of `firstPayment` into this object, so that a walk over all
   * records leaves no garbage. False where it cannot be read.
   */
  load(cursor: i32): bool {
    this.key = journal.keyAt(cursor);
    const length = journal.lengthOf(PAYMENT_KIND, this.key);
    if (length < FIXED_SIZE) return false;
    if (!journal.read(PAYMENT_KIND, this.key, 0, this.place(0), FIXED_SIZE)) return false;
    const hashes = <i32>load<u8>(this.place(169)) * HASH_SIZE;
    const promises = <i32>load<u8>(this.place(170));
    const statementStart = FIXED_SIZE + hashes + promises * PROMISE_SIZE;
    this.promised = null;
    this.hashes = this.tail(FIXED_SIZE, hashes);
    this.statement = this.tail(statementStart, length - statementStart);
    if (promises > 0) {
      const choice = new Choice();
      choice.count = promises;
      for (let i = 0; i < promises; i++) {
        const at = FIXED_SIZE + hashes + i * PROMISE_SIZE;
        if (!journal.read(PAYMENT_KIND, this.key, at, found, PROMISE_SIZE)) return false;
        choice.keys[i] = load<u32>(found);
        choice.values[i] = load<u64>(found, 4);
      }
      this.promised = choice;
    }
    return true;
  }

  /** A part of the stored record behind its fixed size; empty where there is none. */
  private tail(offset: i32, length: i32): Bytes {
    if (length <= 0) return NO_HASHES;
    const bytes = new StaticArray<u8>(length);
    journal.read(PAYMENT_KIND, this.key, offset, changetype<usize>(bytes), length);
    return bytes;
  }

  /** Adds the record to the journal's open batch. */
  put(): void {
    if (this.key == 0) this.key = journal.nextKey(PAYMENT_KIND);
    const hashes = this.hashes.length;
    const statement = this.statement;
    const promised = this.promised;
    const promises = promised == null ? 0 : promised.count;
    const size = FIXED_SIZE + hashes + promises * PROMISE_SIZE + statement.length;
    const value = new StaticArray<u8>(size);
    const start = changetype<usize>(value);
    store<u8>(this.place(169), <u8>(hashes / HASH_SIZE));
    store<u8>(this.place(170), <u8>promises);
    memory.copy(start, changetype<usize>(this.bytes), FIXED_SIZE);
    memory.copy(start + <usize>FIXED_SIZE, changetype<usize>(this.hashes), hashes);
    let end = start + <usize>(FIXED_SIZE + hashes);
    for (let i = 0; i < promises; i++) {
      store<u32>(end, promised!.keys[i]);
      store<u64>(end, promised!.values[i], 4);
      end += PROMISE_SIZE;
    }
    memory.copy(end, changetype<usize>(statement), statement.length);
    journal.putBytes(PAYMENT_KIND, this.key, value);
  }

  /** Adds its removal to the open batch. */
  remove(): void {
    journal.remove(PAYMENT_KIND, this.key);
  }

  isFor(payId: Bytes): bool {
    return memory.compare(this.place(32), changetype<usize>(payId), PAY_ID_SIZE) == 0;
  }
  isWith(peer: Bytes): bool {
    return memory.compare(this.place(48), changetype<usize>(peer), ID_SIZE) == 0;
  }
  isOfCommand(commandId: Bytes): bool {
    return memory.compare(this.place(152), changetype<usize>(commandId), COMMAND_ID_SIZE) == 0;
  }

  get state(): u8 {
    return load<u8>(this.place(0));
  }
  set state(value: u8) {
    store<u8>(this.place(0), value);
  }
  get role(): u8 {
    return load<u8>(this.place(1));
  }
  set role(value: u8) {
    store<u8>(this.place(1), value);
  }
  get reason(): u8 {
    return load<u8>(this.place(3));
  }
  set reason(value: u8) {
    store<u8>(this.place(3), value);
  }
  /** Address of the unit's three letters. */
  get unit(): usize {
    return this.place(4);
  }
  get ownSide(): u8 {
    return load<u8>(this.place(7));
  }
  set ownSide(value: u8) {
    store<u8>(this.place(7), value);
  }
  /** See RequestKind. */
  get kind(): u8 {
    return load<u8>(this.place(168));
  }
  set kind(value: u8) {
    store<u8>(this.place(168), value);
  }
  /** What a payee pays where both pay: unit as a number, minor units; 0 where only one pays. */
  get counterUnit(): u32 {
    return load<u32>(this.place(172));
  }
  set counterUnit(value: u32) {
    store<u32>(this.place(172), value);
  }
  get counterAmount(): u64 {
    return load<u64>(this.place(176));
  }
  set counterAmount(value: u64) {
    store<u64>(this.place(176), value);
  }
  get amount(): u64 {
    return load<u64>(this.place(8));
  }
  set amount(value: u64) {
    store<u64>(this.place(8), value);
  }
  /** Seconds since 1970; see `OutgoingNotes.horizon`. */
  get horizon(): u64 {
    return load<u64>(this.place(16));
  }
  set horizon(value: u64) {
    store<u64>(this.place(16), value);
  }
  get seconds(): u64 {
    return load<u64>(this.place(24));
  }
  set seconds(value: u64) {
    store<u64>(this.place(24), value);
  }
  get payId(): Bytes {
    return bytesOf(this.place(32), PAY_ID_SIZE);
  }
  set payId(value: Bytes) {
    memory.copy(this.place(32), changetype<usize>(value), PAY_ID_SIZE);
  }
  get peer(): Bytes {
    return bytesOf(this.place(48), ID_SIZE);
  }
  set peer(value: Bytes) {
    memory.copy(this.place(48), changetype<usize>(value), ID_SIZE);
  }
  /** Address of the peer's Ed25519 key: its statements are believed whatever becomes of it. */
  get peerKey(): usize {
    return this.place(56);
  }
  set peerKeyBytes(value: Bytes) {
    memory.copy(this.place(56), changetype<usize>(value), KEY_SIZE);
  }
  get draftsHash(): usize {
    return this.place(88);
  }
  set draftsHashBytes(value: Bytes) {
    memory.copy(this.place(88), changetype<usize>(value), HASH_SIZE);
  }
  /** SHA-256 of the acknowledgement body, 32 bytes; zeros before a commit. */
  get evidence(): Bytes {
    return bytesOf(this.place(120), HASH_SIZE);
  }
  set evidence(value: Bytes) {
    memory.copy(this.place(120), changetype<usize>(value), HASH_SIZE);
  }
  get commandId(): Bytes {
    return bytesOf(this.place(152), COMMAND_ID_SIZE);
  }
  set commandId(value: Bytes) {
    memory.copy(this.place(152), changetype<usize>(value), COMMAND_ID_SIZE);
  }
  get isNoted(): bool {
    return (load<u8>(this.place(2)) & FLAG_NOTED) != 0;
  }
  setNoted(): void {
    store<u8>(this.place(2), load<u8>(this.place(2)) | FLAG_NOTED);
  }
  get isDone(): bool {
    return (load<u8>(this.place(2)) & FLAG_DONE) != 0;
  }
  setDone(): void {
    store<u8>(this.place(2), load<u8>(this.place(2)) | FLAG_DONE);
  }
  /** From now on nothing but the agency's verdict ends this payment in doubt. */
  get isClaimed(): bool {
    return (load<u8>(this.place(2)) & FLAG_CLAIMED) != 0;
  }
  setClaimed(): void {
    store<u8>(this.place(2), load<u8>(this.place(2)) | FLAG_CLAIMED);
  }

  private place(offset: usize): usize {
    return changetype<usize>(this.bytes) + offset;
  }
}

/** The notes that `prepared` records name; asked for each unowned note, so it leaves no garbage. */
export class RecordedPromises extends Promises {
  names(hash: usize): bool {
    for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
      const key = journal.keyAt(cursor);
      if (!journal.read(PAYMENT_KIND, key, 169, found, 1)) continue;
      const end = FIXED_SIZE + <i32>load<u8>(found) * HASH_SIZE;
      for (let at = FIXED_SIZE; at < end; at += HASH_SIZE) {
        if (!journal.read(PAYMENT_KIND, key, at, found, HASH_SIZE)) break;
        if (memory.compare(found, hash, HASH_SIZE) == 0) return true;
      }
    }
    return false;
  }
}

/** Cursor to the first payment record, or -1. */
export function firstPayment(): i32 {
  return journal.first(PAYMENT_KIND);
}

/** Cursor to the next payment record, or -1. */
export function nextPayment(cursor: i32): i32 {
  return journal.next(PAYMENT_KIND, cursor);
}
