// SPDX-License-Identifier: Apache-2.0
// Tran Log 162, 174, 183: what this agent finished, with both devices' times (paragraphs 56 and 84)
// and the evidence that a dispute needs. Entry: docs/protocol.cddl section 8, command 9.
import { Bytes, concat2, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { journal } from "../flash/journal";
import { addRecord, recordWriter } from "../ticket/batch";
import { makeRoom } from "./records";

/** Journal kind of log entries; keys ascend with time. */
export const LOG_RECORD: u8 = 23;
/** Entries kept; the oldest makes room. */
const ENTRIES_MAX: i32 = 32;
/** Largest encoded entry: mandate, approval and two annexes take about 900 bytes. */
export const LOG_ENTRY_SIZE_MAX: i32 = 1280;

/** Elements of an entry; the last is the evidence, but for exchanges. */
const FIELDS: i32 = 12;
/** Most objects of evidence: the head of their array stays one byte. */
const EVIDENCE_MAX: i32 = 8;

/** What an entry is about. */
export namespace LogKind {
  export const PURCHASE: i32 = 1;
  export const PAYMENT_SENT: i32 = 2;
  export const PAYMENT_RECEIVED: i32 = 3;
  export const CREDENTIAL_RECEIVED: i32 = 4;
  export const CREDENTIAL_ISSUED: i32 = 5;
  export const PURCHASE_SERVED: i32 = 6;
  export const CARD_SETTLED: i32 = 7;
  /** `amount` is what this side paid. */
  export const EXCHANGE: i32 = 8;
}

/** One entry; ids that do not apply are null. */
export class LogEntry {
  /** Own and peer's time in milliseconds since 1970, at the start of the session. */
  startedMs: u64 = 0;
  peerMs: u64 = 0;
  kind: i32 = 0;
  /** Payment-state, or the settlement of a card (1 posted, 2 voided, 3 refused). */
  state: i32 = 0;
  reason: i32 = 0;
  transactionId: Bytes | null = null;
  payId: Bytes | null = null;
  peer!: Bytes;
  amount: u64 = 0;
  unit: Bytes | null = null;
  ticketId: Bytes | null = null;
  /** In an exchange, and only there: what this side received. */
  gained: u64 = 0;
  gainedUnit: Bytes = [];
  /** Encoded signed objects: mandate, approval, annexes. */
  evidence: Array<Bytes> = [];

  /** Adds the entry to the open batch of the journal under `key`. */
  put(key: u32): void {
    const writer = recordWriter(0);
    const isExchange = this.kind == LogKind.EXCHANGE;
    writer.array(isExchange ? FIELDS + 1 : FIELDS);
    writer.uint(this.startedMs);
    writer.uint(this.peerMs);
    writer.uint(u64(this.kind));
    writer.uint(u64(this.state));
    writer.uint(u64(this.reason));
    writeOrNull(writer, this.transactionId);
    writeOrNull(writer, this.payId);
    writer.bytesFrom(this.peer);
    writer.uint(this.amount);
    const unit = this.unit;
    if (unit !== null && unit.length > 0) writer.textFrom(unit);
    else writer.nil();
    writeOrNull(writer, this.ticketId);
    writer.array(this.evidence.length);
    for (let i = 0; i < this.evidence.length; ++i) writer.rawFrom(this.evidence[i]);
    if (isExchange) {
      writer.array(2);
      writer.uint(this.gained);
      writer.textFrom(this.gainedUnit);
    }
    addRecord(LOG_RECORD, key, 0, writer);
  }
}

/** Writes a byte string, or null where there is none. */
export function writeOrNull(writer: CborWriter, value: Bytes | null): void {
  if (value !== null && value.length > 0) writer.bytesFrom(value);
  else writer.nil();
}

/** Adds the entry to the open batch of the journal, as the newest; returns its key. */
export function putLog(entry: LogEntry): u32 {
  makeRoom(LOG_RECORD, ENTRIES_MAX);
  const key = journal.nextKey(LOG_RECORD);
  entry.put(key);
  return key;
}

/**
 * Adds a signed object that came later to the evidence of the entry under `key`: the last item of
 * the entry, so its head is counted up and the object put behind. A full journal keeps the old.
 */
export function addEvidence(key: u32, evidence: Bytes): void {
  const entry = journal.load(LOG_RECORD, key);
  if (entry === null) return;
  const reader = new CborReader(pointerOf(entry), entry.length);
  reader.arrayOf(FIELDS);
  for (let i = 1; i < FIELDS; ++i) reader.skip();
  const headAt = reader.position;
  const count = reader.array();
  if (reader.failed || count >= EVIDENCE_MAX) return;
  const longer = concat2(entry, evidence);
  longer[headAt] = longer[headAt] + 1;
  journal.begin();
  journal.putBytes(LOG_RECORD, key, longer);
  journal.commit(false);
}
