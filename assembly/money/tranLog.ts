// SPDX-License-Identifier: Apache-2.0
// Tran Log of Fig. 4: what this module paid and received, newest entries only (steps 1710, 1718 and
// 1732). It also tells own transfers in notes that come back (Fig. 20 step 1598).
//
// A record, offsets in bytes: 0 state, 1 role, 2 reason, 3 parts, 4 unit, 8 amount, 16 time, 24 pay
// id (16), 40 peer (8), 48 the parts: { note id 16, parent 32, offset u64, amount u64, sequence
// u32 }, then what proves a payment to another device (paymentEvidence.ts).
import { Bytes } from "../codec/bytes";
import { CborWriter } from "../codec/cborWriter";
import { journal, roomFor } from "../flash/journal";
import { Choice } from "../note/directory";
import { HASH_SIZE, ID_SIZE, NOTE_ID_SIZE, PAY_ID_SIZE } from "../note/limits";
import { NoteRecord } from "../note/noteRecord";
import { packUnit, unpackUnit, writeUnit } from "../note/note";
import { Hashes } from "../note/notes";
import { OwnHistory } from "../note/expected";
import { Item } from "../session/hostInterface";
import { notes } from "./moneyHolder";
import { PaymentRecord, PaymentRole } from "./paymentRecord";

export const LOG_KIND: u8 = 13;
/** Entries kept; the oldest gives way. */
const LOG_LIMIT: i32 = 24;
export const HEAD_SIZE: i32 = 48;
export const PART_SIZE: i32 = 68;

/** Of what needs no proof, or cannot be proven so. */
export const NO_EVIDENCE: Bytes = new StaticArray<u8>(0);

const part = memory.data(68, 8);
const note: NoteRecord = new NoteRecord();

export class TranLog extends OwnHistory {
  /**
   * Adds to the journal's open batch what this module paid and what it received by a decided or
   * doubtful payment, an entry each. `received`: hashes of the notes; `paid`: null where nothing;
   * `evidence`: what proves that, empty for none.
   */
  put(record: PaymentRecord, received: Hashes, paid: Choice | null, evidence: Bytes): void {
    const isDecider = record.role == PaymentRole.PAYER;
    const unit = packUnit(record.unit);
    const amount = record.amount;
    const counterUnit = record.counterUnit;
    const counterAmount = record.counterAmount;
    if (paid != null) {
      const start = begin(record, PaymentRole.PAYER, paid.count, evidence);
      writeAmount(start, isDecider ? unit : counterUnit, isDecider ? amount : counterAmount);
      for (let i = 0; i < paid.count; i++) {
        const place = start + <usize>(HEAD_SIZE + i * PART_SIZE);
        if (!note.load(paid.keys[i])) continue;
        describe(place, note, note.paidOut, paid.values[i], note.sequence + 1);
      }
    }
    if (isDecider && counterAmount == 0) return;
    const count = received.length / HASH_SIZE;
    const start = begin(record, PaymentRole.PAYEE, count, NO_EVIDENCE);
    writeAmount(start, isDecider ? counterUnit : unit, isDecider ? counterAmount : amount);
    for (let i = 0; i < count; i++) {
      const place = start + <usize>(HEAD_SIZE + i * PART_SIZE);
      const key = notes.find(changetype<usize>(received) + <usize>(i * HASH_SIZE));
      if (key >= 0 && note.load(<u32>key)) describe(place, note, 0, note.amount, 0);
    }
  }

  contradicts(parent: usize, sequence: u64, offset: u64, amount: u64, _transferee: usize): bool {
    let cursor = journal.first(LOG_KIND);
    while (cursor >= 0) {
      const key = journal.keyAt(cursor);
      const isPayer =
        journal.read(LOG_KIND, key, 1, part, 3) && load<u8>(part) == PaymentRole.PAYER;
      const count = <i32>load<u8>(part, 2);
      for (let i = 0; isPayer && i < count; i++) {
        if (!journal.read(LOG_KIND, key, HEAD_SIZE + i * PART_SIZE, part, PART_SIZE)) continue;
        if (memory.compare(part + 16, parent, HASH_SIZE) != 0) continue;
        if (<u64>load<u32>(part, 64) != sequence) continue;
        return load<u64>(part, 48) != offset || load<u64>(part, 56) != amount;
      }
      cursor = journal.next(LOG_KIND, cursor);
    }
    return false;
  }

  /** Whether the log has a payment of this pay id: one that was decided, or is in doubt. */
  knows(payId: Bytes): bool {
    for (let at = journal.first(LOG_KIND); at >= 0; at = journal.next(LOG_KIND, at)) {
      if (!journal.read(LOG_KIND, journal.keyAt(at), 24, part, PAY_ID_SIZE)) continue;
      if (memory.compare(part, changetype<usize>(payId), PAY_ID_SIZE) == 0) return true;
    }
    return false;
  }

  /** For command 9: the entry with the smallest key from `cursor` on, as module-log-entry. */
  item(cursor: u32): Item {
    let slot = journal.first(LOG_KIND);
    while (slot >= 0 && journal.keyAt(slot) < cursor) slot = journal.next(LOG_KIND, slot);
    if (slot < 0) return new Item(null, -1);
    const entry = journal.load(LOG_KIND, journal.keyAt(slot));
    if (entry == null) return new Item(null, -1);
    const following = journal.next(LOG_KIND, slot);
    const size = entry.length * 2 + 64;
    const writer = new CborWriter(changetype<usize>(new StaticArray<u8>(size)), size);
    writeEntry(writer, entry);
    return new Item(writer.taken(), following < 0 ? -1 : <i64>journal.keyAt(following));
  }
}

/** Flash that an entry with so many parts and bytes of evidence takes; none for no parts. */
export function roomForEntry(parts: i32, evidence: i32): i32 {
  return parts == 0 ? 0 : roomFor(HEAD_SIZE + parts * PART_SIZE + evidence);
}

/** Puts an entry into the open batch that has its head but the amount; where it is to be filled. */
function begin(record: PaymentRecord, role: u8, count: i32, evidence: Bytes): usize {
  const end = HEAD_SIZE + count * PART_SIZE;
  const entry = new StaticArray<u8>(end + evidence.length);
  const start = changetype<usize>(entry);
  memory.copy(start + <usize>end, changetype<usize>(evidence), evidence.length);
  store<u8>(start, record.state);
  store<u8>(start, role, 1);
  store<u8>(start, record.reason, 2);
  store<u8>(start, <u8>count, 3);
  store<u64>(start, record.seconds, 16);
  memory.copy(start + 24, changetype<usize>(record.payId), PAY_ID_SIZE);
  memory.copy(start + 40, changetype<usize>(record.peer), ID_SIZE);
  const key = journal.nextKey(LOG_KIND);
  journal.putBytes(LOG_KIND, key, entry);
  if (<i32>key > LOG_LIMIT) journal.remove(LOG_KIND, key - <u32>LOG_LIMIT);
  return start;
}

function writeAmount(start: usize, unit: u32, amount: u64): void {
  unpackUnit(unit, start + 4);
  store<u64>(start, amount, 8);
}

/** Fills one part of an entry. */
function describe(place: usize, note: NoteRecord, offset: u64, amount: u64, sequence: u32): void {
  memory.copy(place, note.noteId, NOTE_ID_SIZE);
  memory.copy(place + 16, note.leafHash, HASH_SIZE);
  store<u64>(place, offset, 48);
  store<u64>(place, amount, 56);
  store<u32>(place, sequence, 64);
}

function writeEntry(writer: CborWriter, entry: Bytes): void {
  const start = changetype<usize>(entry);
  const count = <i32>load<u8>(start, 3);
  writer.array(9);
  writer.bytes(start + 24, PAY_ID_SIZE);
  writer.uint(<u64>load<u8>(start, 1));
  writer.uint(<u64>load<u8>(start));
  writer.uint(<u64>load<u8>(start, 2));
  writer.bytes(start + 40, ID_SIZE);
  writer.uint(load<u64>(start, 8));
  writeUnit(writer, packUnit(start + 4));
  writer.uint(load<u64>(start, 16));
  writer.array(count);
  for (let i = 0; i < count; i++) {
    const place = start + <usize>(HEAD_SIZE + i * PART_SIZE);
    writer.array(5);
    writer.bytes(place, NOTE_ID_SIZE);
    writer.bytes(place + 16, HASH_SIZE);
    writer.uint(load<u64>(place, 48));
    writer.uint(load<u64>(place, 56));
    writer.uint(<u64>load<u32>(place, 64));
  }
}

/** The one log of this module. */
export const tranLog: TranLog = new TranLog();
