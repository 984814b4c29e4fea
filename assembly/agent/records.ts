// SPDX-License-Identifier: Apache-2.0
// The agent's records in the journal: two ids of 16 bytes in front, by which a record is found
// without reading the rest, then one CBOR array. The heap is collected only after an event, so a
// search must not load every record it passes.
import { Bytes, bytesOf, equalAt, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { journal } from "../flash/journal";
import { addRecord, readRecord, recordWriter } from "../ticket/batch";

/** Bytes of an id in front of a record. */
export const RECORD_ID_SIZE: i32 = 16;
const HEAD_SIZE: i32 = 2 * RECORD_ID_SIZE;

const head = memory.data(HEAD_SIZE + 2, 8);

/** A writer for the array of the next record of a batch. */
export function arrayWriter(): CborWriter {
  return recordWriter(HEAD_SIZE);
}

/** Adds the record just written to the batch; ids shorter than 16 bytes end in zeros. */
export function putRecord(kind: u8, key: u32, one: Bytes, other: Bytes, writer: CborWriter): void {
  assert(one.length <= RECORD_ID_SIZE && other.length <= RECORD_ID_SIZE);
  const start = addRecord(kind, key, HEAD_SIZE, writer);
  memory.fill(start, 0, HEAD_SIZE);
  memory.copy(start, pointerOf(one), one.length);
  memory.copy(start + RECORD_ID_SIZE, pointerOf(other), other.length);
}

/** Key of the record of this kind with `id` in place 0 or 1 of its head; -1 where there is none. */
export function findRecord(kind: u8, place: i32, id: Bytes): i64 {
  if (id.length != RECORD_ID_SIZE) return -1;
  for (let at = journal.first(kind); at >= 0; at = journal.next(kind, at)) {
    const key = journal.keyAt(at);
    if (!journal.read(kind, key, 0, head, HEAD_SIZE)) continue;
    if (equalAt(id, head + place * RECORD_ID_SIZE)) return i64(key);
  }
  return -1;
}

/** A stored record: its ids, and a reader over its array. */
export class StoredRecord {
  constructor(
    readonly one: Bytes,
    readonly other: Bytes,
    readonly reader: CborReader,
  ) {}
}

/** Reads a record; null where there is none. Its array lasts until a message is composed. */
export function loadRecord(kind: u8, key: u32): StoredRecord | null {
  const start = readRecord(kind, key, HEAD_SIZE + 1);
  if (start == 0) return null;
  const one = bytesOf(start, RECORD_ID_SIZE);
  const other = bytesOf(start + RECORD_ID_SIZE, RECORD_ID_SIZE);
  const length = journal.lengthOf(kind, key) - HEAD_SIZE;
  return new StoredRecord(one, other, new CborReader(start + HEAD_SIZE, length));
}

/** Records of this kind. */
export function countRecords(kind: u8): i32 {
  let count = 0;
  for (let at = journal.first(kind); at >= 0; at = journal.next(kind, at)) ++count;
  return count;
}

/** Adds the removal of the oldest record to the open batch if there are `limit` or more. */
export function makeRoom(kind: u8, limit: i32): void {
  if (countRecords(kind) >= limit) journal.remove(kind, journal.keyAt(journal.first(kind)));
}

/**
 * The first ids of the records of this kind whose array begins with an integer from `least` to
 * `most` (0 to 23): a record's state or kind.
 */
export function firstIds(kind: u8, least: i32, most: i32): Array<Bytes> {
  const ids: Bytes[] = [];
  for (let at = journal.first(kind); at >= 0; at = journal.next(kind, at)) {
    if (!journal.read(kind, journal.keyAt(at), 0, head, HEAD_SIZE + 2)) continue;
    const first = i32(load<u8>(head + HEAD_SIZE + 1));
    if (first >= least && first <= most) ids.push(bytesOf(head, RECORD_ID_SIZE));
  }
  return ids;
}
