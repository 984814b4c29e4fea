// SPDX-License-Identifier: Apache-2.0
// Reads a journal as it is written: batches from the flash writes of a board (assembly/flash/
// format.ts), and which of them survived a cut, from what the next boot writes again.
import { chacha20 } from "@noble/ciphers/chacha.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { deriveDeviceKey } from "../simulator/deviceKey.ts";
import type { BoardEvent, WatchedModule } from "./boardEvents.ts";
import { remember } from "./remembered.ts";

const PAGE_SIZE = 4096;
const PAGE_HEADER_SIZE = 40;
const BATCH_HEADER_SIZE = 32;
const BATCH_OVERHEAD = 48;
const NONCE_SIZE = 12;
const PUT_HEAD_SIZE = 7;
const REMOVAL_SIZE = 5;
const REMOVAL_FLAG = 0x80;

/** A record that a batch puts, or removes where there is no value. */
export interface JournalRecord {
  kind: number;
  key: number;
  value: Uint8Array | null;
}

/** One append. */
export interface Batch {
  number: number;
  /** The counter value of the latest sealed batch up to this one. */
  sealed: number;
  /** Name of its bytes: the nonce is made of the content. */
  nonce: string;
  records: readonly JournalRecord[];
}

/** What a board did with its journal: an event of the JOURNAL table, and what it made durable. */
export interface JournalEvent {
  event: string;
  /** The batch that is durable now and was not, as far as was known. */
  batch: Batch | null;
  isSealed: boolean;
}

/** What is known of one journal; plain data that nobody changes. */
export interface JournalReading {
  last: Batch | null;
  /** A batch that was cut within its last write: the next boot shows whether it is there. */
  torn: Batch | null;
  /** Parts of a batch that runs over the end of a page. */
  begun: Uint8Array | null;
  /** The counter at a start of which nothing was written yet; null otherwise. */
  startedAt: number | null;
}

export const NOTHING_READ: JournalReading = {
  last: null,
  torn: null,
  begun: null,
  startedAt: null,
};

/** A reading goes on from a batch that was not the last: something old was put back. */
export const NOT_THE_LAST = "goesOnFromAnotherBatch";

const contents = new Map<string, readonly JournalRecord[]>();

/** The key under which a module's journal is encrypted. */
export function journalKey({ secret, image }: WatchedModule): Uint8Array {
  const names = { name: image, signer: new Uint8Array(0), minimumVersion: 0 };
  return deriveDeviceKey(secret, names, utf8ToBytes("florin/journal"));
}

/** Takes one event of a board; the reading behind it and what happened to the journal. */
export function readJournal(
  before: JournalReading,
  key: Uint8Array,
  event: BoardEvent,
): [JournalReading, readonly JournalEvent[]] {
  if (event.kind === "start") {
    return [{ ...before, begun: null, startedAt: event.counter }, []];
  }
  if (event.kind === "off") return [{ ...before, begun: null, startedAt: null }, [plain("cut")]];
  // A raise that was cut is old or new: the counter at the next start says which.
  if (event.kind === "raise") return [before, event.isTorn ? [] : [plain("raise")]];
  if (event.kind !== "write") return [before, []];
  const { offset, bytes, isTorn } = event;
  if (offset % PAGE_SIZE === 0 && bytes.length === PAGE_HEADER_SIZE) return [before, []];
  const image = before.begun === null ? bytes : joined(before.begun, bytes);
  // A page may end within the head of a batch.
  const hasHead = image.length >= BATCH_HEADER_SIZE;
  const length = hasHead ? new DataView(image.buffer, image.byteOffset).getUint16(12, true) : 0;
  if (!hasHead || image.length < ((BATCH_OVERHEAD + length + 7) & ~7)) {
    return [{ ...before, begun: isTorn ? null : image }, []];
  }
  return takeBatch({ ...before, begun: null }, batchIn(image, length, key), isTorn);
}

const plain = (event: string): JournalEvent => ({ event, batch: null, isSealed: false });

function takeBatch(
  before: JournalReading,
  batch: Batch,
  isTorn: boolean,
): [JournalReading, readonly JournalEvent[]] {
  const { last, torn, startedAt } = before;
  if (startedAt === null) {
    if (isTorn) return [{ ...before, torn: batch }, []];
    const isSealed = batch.sealed > (last?.sealed ?? 0);
    const event = isSealed ? "appendSealed" : "appendPlain";
    return [{ ...before, last: batch }, [{ event, batch, isSealed }]];
  }
  // The first batch behind a start is the last one again, or the first of all.
  const isTornOne = torn !== null && isSame(torn, batch);
  if (isTorn) return [last === null ? { ...before, torn: batch } : before, []];
  const after = { last: batch, torn: null, begun: null, startedAt: null };
  if (last === null && !isTornOne) {
    const sealed = { event: "appendSealed", batch, isSealed: true };
    return [after, [plain("startFresh"), sealed]];
  }
  if (!isTornOne && !(last !== null && isSame(last, batch))) return [after, [plain(NOT_THE_LAST)]];
  const isBehind = batch.sealed === startedAt + 1;
  if (!isBehind && batch.sealed !== startedAt) return [after, [plain(NOT_THE_LAST)]];
  const isSealed = batch.sealed > (last?.sealed ?? 0);
  const copy = { event: "appendCopy", batch: isTornOne ? batch : null, isSealed };
  return [after, [plain(isBehind ? "startBehind" : "startEven"), copy]];
}

function isSame(one: Batch, other: Batch): boolean {
  return one.number === other.number && one.nonce === other.nonce;
}

function batchIn(image: Uint8Array, length: number, key: Uint8Array): Batch {
  const view = new DataView(image.buffer, image.byteOffset);
  const nonce = Buffer.from(image.buffer, image.byteOffset, NONCE_SIZE).toString("latin1");
  const records = remember(contents, nonce, () => {
    // The simulator's own flash needs no tag checked: block 0 of the key stream is that of the tag.
    const box = image.slice(BATCH_HEADER_SIZE, BATCH_HEADER_SIZE + length);
    return recordsIn(chacha20(key, image.slice(0, NONCE_SIZE), box, undefined, 1));
  });
  return { number: view.getUint32(16, true), sealed: view.getUint32(20, true), nonce, records };
}

function recordsIn(content: Uint8Array): readonly JournalRecord[] {
  const view = new DataView(content.buffer, content.byteOffset);
  const records: JournalRecord[] = [];
  for (let at = 0; at < content.length; ) {
    const kind = content[at]!;
    const key = view.getUint32(at + 1, true);
    if ((kind & REMOVAL_FLAG) !== 0) {
      records.push({ kind: kind & ~REMOVAL_FLAG, key, value: null });
      at += REMOVAL_SIZE;
      continue;
    }
    const start = at + PUT_HEAD_SIZE;
    const length = view.getUint16(at + 5, true);
    records.push({ kind, key, value: content.slice(start, start + length) });
    at = start + length;
  }
  return records;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
