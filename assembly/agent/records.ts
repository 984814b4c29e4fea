// SPDX-License-Identifier: Apache-2.0
// The agent's records in the journal: two ids of 16 bytes in front, by which a record is found
// without reading the rest, then one CBOR array. The heap is collected only after an event, so a
// search must not load every record it passes.
import { Bytes, bytesOf, equalAt, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { journal } from "../flash/journal";
import { composeBody } from "../session/buffers";

/** Bytes of an id in front of a record. */
export const RECORD_ID_SIZE: i32 = 16;
const HEAD_SIZE: i32 = 2 * RECORD_ID_SIZE;

const head = memory.data(HEAD_SIZE + 2, 8);

/**
 * A writer for a record's array. It writes where messages are composed, for want of other room: what
 * is written is to be put, and messages are to be composed, one after the other.
 */
export function recordWriter(): CborWriter {
  return composeBody();
}

/** Adds the record just written to the open batch; ids shorter than 16 bytes end in zeros. */
export function putRecord(kind: u8, key: u32, one: Bytes, other: Bytes, writer: CborWriter): void {
  assert(!writer.overflow && one.length <= RECORD_ID_SIZE && other.length <= RECORD_ID_SIZE);
  const record = new StaticArray<u8>(HEAD_SIZE + writer.length);
  const pointer = pointerOf(record);
  memory.copy(pointer, pointerOf(one), one.length);
  memory.copy(pointer + RECORD_ID_SIZE, pointerOf(other), other.length);
  memory.copy(pointer + HEAD_SIZE, writer.pointer, writer.length);
  journal.putBytes(kind, key, record);
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

/** The whole value of a record; null where there is none. Its array is for `recordReader`. */
export function loadRecord(kind: u8, key: u32): Bytes | null {
  const value = journal.load(kind, key);
  return value !== null && value.length > HEAD_SIZE ? value : null;
}

/** A reader over the array of a record's value. */
export function recordReader(value: Bytes): CborReader {
  return new CborReader(pointerOf(value) + HEAD_SIZE, value.length - HEAD_SIZE);
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
  const ids = new Array<Bytes>();
  for (let at = journal.first(kind); at >= 0; at = journal.next(kind, at)) {
    if (!journal.read(kind, journal.keyAt(at), 0, head, HEAD_SIZE + 2)) continue;
    const first = i32(load<u8>(head + HEAD_SIZE + 1));
    if (first >= least && first <= most) ids.push(bytesOf(head, RECORD_ID_SIZE));
  }
  return ids;
}
