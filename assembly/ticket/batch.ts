// SPDX-License-Identifier: Apache-2.0
// A batch of the journal whose records are formed side by side in the outbox. The heap has little
// more room than one large record needs; the outbox has plenty, and nothing is composed between the
// beginning of a batch and its commit.
import { CborWriter } from "../codec/cborWriter";
import { journal } from "../flash/journal";
import { BODY_LIMIT, scratchAfter } from "../session/buffers";

/** Where stored records are read to; records of a batch are formed before it. */
const READ_AT: i32 = BODY_LIMIT / 2 + 1024;
/** Longest record that is read: mandate, card, receipt and approval take about 2,400 bytes. */
const READ_MAX: i32 = BODY_LIMIT - READ_AT;

let used: i32 = 0;

/** Begins a batch; until its commit no message may be composed. */
export function beginBatch(): void {
  used = 0;
  journal.begin();
}

/** A writer for the next record, behind `headSize` bytes that `addRecord` leaves to the caller. */
export function recordWriter(headSize: i32): CborWriter {
  return new CborWriter(scratchAfter(used + headSize), READ_AT - used - headSize);
}

/** Adds what was written to the batch; returns the address of its head of `headSize` bytes. */
export function addRecord(kind: u8, key: u32, headSize: i32, writer: CborWriter): usize {
  assert(!writer.overflow);
  const start = scratchAfter(used);
  const length = headSize + writer.length;
  used += length;
  journal.put(kind, key, start, length);
  return start;
}

/**
 * Reads a stored record to a place where it lasts until the next message is composed; its address,
 * or 0 where there is none or it is shorter than `least`.
 */
export function readRecord(kind: u8, key: u32, least: i32): usize {
  const length = journal.lengthOf(kind, key);
  if (length < least || length > READ_MAX) return 0;
  const place = scratchAfter(READ_AT);
  return journal.read(kind, key, 0, place, length) ? place : 0;
}
