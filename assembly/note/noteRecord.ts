// SPDX-License-Identifier: Apache-2.0
// What a module keeps of one note. Two journal records under one key: the draft as it was received
// (written once), and this small record of fixed layout, rewritten whenever a part is paid out.
//
// Offsets in bytes, numbers least significant first:
//   0 owned (0 unowned or in doubt, 1 owned)    1 transfers, the newest one included
//   2 unit, 3 letters                           5 kind of body
//   6 length of the body's signed object        8 where the signed transfers start in the draft
//  10 their length                             12 where the newest transfer starts   14 its length
//  16 note id (16)          32 hash of the newest transfer (32)
//  64 its amount            72 sum paid out from it        80 transfers made from it
//  88 expiry                96 reference of its signer's certificate (8)
// 104 its date             112 its signature (64), zeros until it is released
import { Bytes, bytesOf } from "../codec/bytes";
import { journal } from "../flash/journal";
import { HASH_SIZE, ID_SIZE, NOTE_ID_SIZE, SIGNATURE_SIZE } from "./limits";
import { NoteView, unpackUnit } from "./note";
import { sha256 } from "../crypto/sha256";

/** Journal kinds of this folder (docs/protocol.md section 7 rules what a record may promise). */
export const NOTE_KIND: u8 = 10;
export const NOTE_STATE_KIND: u8 = 15;

export const NOTE_STATE_SIZE: i32 = 176;

/** Field offsets, as the header of this file lists them. */
const OWNED: usize = 0;
const TRANSFERS: usize = 1;
const UNIT: usize = 2;
const BODY_KIND: usize = 5;
const BODY_LENGTH: usize = 6;
const TRANSFERS_START: usize = 8;
const TRANSFERS_LENGTH: usize = 10;
const DRAFT_START: usize = 12;
const DRAFT_LENGTH: usize = 14;
const NOTE_ID: usize = 16;
const LEAF_HASH: usize = 32;
const AMOUNT: usize = 64;
const PAID_OUT: usize = 72;
const SEQUENCE: usize = 80;
const EXPIRY: usize = 88;
const KID: usize = 96;
const DATE: usize = 104;
const SIGNATURE: usize = 112;

/** One note's small record, in memory. */
export class NoteRecord {
  bytes: Bytes = new StaticArray<u8>(NOTE_STATE_SIZE);

  /** Reads the record under `key`; false when there is none of the right size. */
  load(key: u32): bool {
    if (journal.lengthOf(NOTE_STATE_KIND, key) != NOTE_STATE_SIZE) return false;
    return journal.read(NOTE_STATE_KIND, key, 0, this.at(0), NOTE_STATE_SIZE);
  }

  /** Adds the record to the journal's open batch. */
  put(key: u32): void {
    journal.put(NOTE_STATE_KIND, key, this.at(0), NOTE_STATE_SIZE);
  }

  /** Like `put`, of a copy: the record may be used for another note before the commit. */
  putCopy(key: u32): void {
    journal.putBytes(NOTE_STATE_KIND, key, bytesOf(this.at(0), NOTE_STATE_SIZE));
  }

  /** Fills the record for a verified draft that lies at `start`. */
  describe(view: NoteView, start: usize): void {
    const pointer = this.at(0);
    memory.fill(pointer, 0, NOTE_STATE_SIZE);
    const body = view.body;
    store<u8>(pointer + TRANSFERS, <u8>(view.transferCount + 1));
    unpackUnit(body.unit, pointer + UNIT);
    store<u8>(pointer + BODY_KIND, body.kind);
    store<u16>(pointer + BODY_LENGTH, <u16>view.bodyLength);
    store<u16>(pointer + TRANSFERS_START, <u16>(view.transfersPointer - start));
    store<u16>(pointer + TRANSFERS_LENGTH, <u16>view.transfersLength);
    store<u16>(pointer + DRAFT_START, <u16>(view.draftPointer - start));
    store<u16>(pointer + DRAFT_LENGTH, <u16>view.draftLength);
    memory.copy(pointer + NOTE_ID, body.noteId, NOTE_ID_SIZE);
    sha256(view.draftPointer, view.draftLength, pointer + LEAF_HASH);
    store<u64>(pointer + EXPIRY, body.expiry);
    memory.copy(pointer + KID, view.draftKid, ID_SIZE);
    view.transfer.parse(view.draftPointer, view.draftLength);
    store<u64>(pointer + AMOUNT, view.transfer.amount);
    store<u64>(pointer + DATE, view.transfer.date);
  }

  /** Address of the byte at `offset` of the record. */
  at(offset: usize): usize {
    return changetype<usize>(this.bytes) + offset;
  }

  get owned(): bool {
    return load<u8>(this.at(OWNED)) == 1;
  }
  get transfers(): i32 {
    return <i32>load<u8>(this.at(TRANSFERS));
  }
  get unit(): usize {
    return this.at(UNIT);
  }
  get bodyLength(): i32 {
    return <i32>load<u16>(this.at(BODY_LENGTH));
  }
  get transfersStart(): i32 {
    return <i32>load<u16>(this.at(TRANSFERS_START));
  }
  get transfersLength(): i32 {
    return <i32>load<u16>(this.at(TRANSFERS_LENGTH));
  }
  get draftStart(): i32 {
    return <i32>load<u16>(this.at(DRAFT_START));
  }
  get draftLength(): i32 {
    return <i32>load<u16>(this.at(DRAFT_LENGTH));
  }
  get noteId(): usize {
    return this.at(NOTE_ID);
  }
  /** SHA-256 of the newest transfer: the parent of all that is paid out from here. */
  get leafHash(): usize {
    return this.at(LEAF_HASH);
  }
  get amount(): u64 {
    return load<u64>(this.at(AMOUNT));
  }
  get paidOut(): u64 {
    return load<u64>(this.at(PAID_OUT));
  }
  get sequence(): u32 {
    return load<u32>(this.at(SEQUENCE));
  }
  get expiry(): u64 {
    return load<u64>(this.at(EXPIRY));
  }
  get kid(): usize {
    return this.at(KID);
  }
  get date(): u64 {
    return load<u64>(this.at(DATE));
  }
  get signature(): usize {
    return this.at(SIGNATURE);
  }

  /** The note is this module's from now on: its newest transfer is signed. */
  own(signature: usize): void {
    store<u8>(this.at(OWNED), 1);
    memory.copy(this.at(SIGNATURE), signature, SIGNATURE_SIZE);
  }

  /** A part of `amount` minor units left by the next transfer in sequence. */
  payOut(amount: u64): void {
    store<u64>(this.at(PAID_OUT), this.paidOut + amount);
    store<u32>(this.at(SEQUENCE), this.sequence + 1);
  }

  /** A copy of the leaf's hash. */
  takeLeafHash(): Bytes {
    return bytesOf(this.leafHash, HASH_SIZE);
  }
}
