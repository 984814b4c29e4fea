// SPDX-License-Identifier: Apache-2.0
// What a merchant's agent owes to the card network: the journal record of one purchase or sale from
// the request for authorization until the card issuer's signed word that it posted or voided
// (docs/protocol.md sections 5 and 6). The host's outbox is only a copy of it.
import { Bytes, pointerOf } from "../codec/bytes";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { journal } from "../flash/journal";
import { composeHost, sendHost } from "../session/buffers";
import { beginBatch } from "../ticket/batch";
import { cardOf } from "../ticket/credential";
import { payloadWriter, signWritten } from "../ticket/issue";
import {
  Approval,
  payloadHash,
  readApproval,
  Settlement,
  writeCompletion,
} from "../ticket/mandate";
import { readTicket } from "../ticket/ticket";
import { arrayWriter, countRecords, findRecord, firstIds, loadRecord, putRecord } from "./records";
import { LOG_ENTRY_SIZE_MAX, LogEntry, putLog } from "./tranLog";

const OBLIGATION_RECORD: u8 = 22;
/** Most purchases that may wait for the card network at once. */
const OBLIGATIONS_MAX: i32 = 12;
/** Room for what must follow: the outcome with its log entry, then the end with another. */
const OUTCOME_ROOM: i32 = LOG_ENTRY_SIZE_MAX + 512;
const END_ROOM: i32 = LOG_ENTRY_SIZE_MAX + 256;

const COMPLETE: i32 = 47;
const EMPTY: Bytes = [];

export namespace ObligationState {
  /** Card and receipt of a session under way, out of the heap. Found at boot: forgotten. */
  export const PROVISIONAL: i32 = 0;
  /** The host may have asked the network: durable before event 45. Found at boot: to be voided. */
  export const AUTHORIZING: i32 = 1;
  /** The issuer approved; the money module decides. */
  export const APPROVED: i32 = 2;
  /** The money moved: the hold must be posted. */
  export const POST_OWED: i32 = 3;
  /** The money certainly did not move: the hold must be voided. */
  export const VOID_OWED: i32 = 4;
}

export class Obligation {
  /** Key in the journal; 0 before it is stored. */
  key: u32 = 0;
  state: i32 = 0;
  sessionTag: Bytes = EMPTY;
  transactionId: Bytes = EMPTY;
  payId: Bytes = EMPTY;
  customer: Bytes = EMPTY;
  /** Electronic money in minor units of `unit`. */
  amount: u64 = 0;
  unit: Bytes = EMPTY;
  /** The signed mandate, the card credential, the own receipt, the approval once there is one. */
  mandate: Bytes = EMPTY;
  card: Bytes = EMPTY;
  receipt: Bytes = EMPTY;
  approval: Bytes = EMPTY;
  startedMs: u64 = 0;
  peerMs: u64 = 0;

  /** Writes the record for the first time; false where there is no room for all that follows. */
  begin(): bool {
    if (countRecords(OBLIGATION_RECORD) >= OBLIGATIONS_MAX) return false;
    if (!journal.reserve(OUTCOME_ROOM + END_ROOM)) return false;
    this.key = journal.nextKey(OBLIGATION_RECORD);
    if (this.enter(ObligationState.PROVISIONAL, null)) return true;
    journal.release(OUTCOME_ROOM + END_ROOM);
    this.key = 0;
    return false;
  }

  /**
   * Makes `state`, and a log entry if given, durable in one append, sealed unless provisional;
   * false, and the state as before, where the journal did not take it.
   */
  enter(state: i32, entry: LogEntry | null): bool {
    const former = this.state;
    this.state = state;
    beginBatch();
    this.put();
    if (entry !== null) putLog(entry);
    const room = state >= ObligationState.POST_OWED ? OUTCOME_ROOM : 0;
    if (journal.commitReserved(state != ObligationState.PROVISIONAL, room)) return true;
    this.state = former;
    return false;
  }

  /** Removes the record: nothing is owed any more. */
  remove(entry: LogEntry | null): bool {
    const isOwed = this.state >= ObligationState.POST_OWED;
    beginBatch();
    journal.remove(OBLIGATION_RECORD, this.key);
    if (entry !== null) putLog(entry);
    const isSealed = this.state != ObligationState.PROVISIONAL;
    return journal.commitReserved(isSealed, isOwed ? END_ROOM : OUTCOME_ROOM + END_ROOM);
  }

  /** SHA-256 of the mandate's payload; null where the record is damaged. */
  mandateHash(): Bytes | null {
    const signed = new CoseSign1();
    if (!signed.parse(pointerOf(this.mandate), this.mandate.length)) return null;
    return payloadHash(signed);
  }

  /** The key by which the card's issuer signs; null where the record is damaged. */
  approvalKey(): Bytes | null {
    const ticket = readTicket(this.card);
    const card = ticket !== null ? cardOf(ticket) : null;
    return card !== null ? card.approvalKey : null;
  }

  /** Reads an approval of this mandate by the card's issuer; null where it is none. */
  readApproval(pointer: usize, length: i32): Approval | null {
    const hash = this.mandateHash();
    const key = this.approvalKey();
    if (hash === null || key === null) return null;
    return readApproval(pointer, length, hash, key);
  }

  /** Gives the host the signed completion to carry (47), if the outcome is known. */
  tellCompletion(): void {
    const isPost = this.state == ObligationState.POST_OWED;
    if (!isPost && this.state != ObligationState.VOID_OWED) return;
    const hash = this.mandateHash();
    if (hash === null) return;
    const payload = payloadWriter();
    writeCompletion(payload, hash, isPost ? Settlement.POST : Settlement.VOID);
    const completion = signWritten(Purpose.COMPLETION, payload);
    if (completion === null) return;
    const writer = composeHost(COMPLETE, 3);
    writer.bytesFrom(this.transactionId);
    writer.rawFrom(completion);
    writer.rawFrom(this.card);
    sendHost();
  }

  private put(): void {
    const writer = arrayWriter();
    writer.array(11);
    writer.uint(u64(this.state));
    writer.bytesFrom(this.sessionTag);
    writer.bytesFrom(this.customer);
    writer.uint(this.amount);
    writer.textFrom(this.unit);
    writer.bytesFrom(this.mandate);
    writer.bytesFrom(this.card);
    writer.bytesFrom(this.receipt);
    writer.bytesFrom(this.approval);
    writer.uint(this.startedMs);
    writer.uint(this.peerMs);
    putRecord(OBLIGATION_RECORD, this.key, this.payId, this.transactionId, writer);
  }
}

/** The obligation under this key of the journal; null where it cannot be read. */
function loadObligation(key: u32): Obligation | null {
  const record = loadRecord(OBLIGATION_RECORD, key);
  if (record === null) return null;
  const found = new Obligation();
  found.key = key;
  found.payId = record.one;
  found.transactionId = record.other;
  const reader = record.reader;
  reader.arrayOf(11);
  found.state = i32(reader.u64());
  found.sessionTag = reader.bytes();
  found.customer = reader.bytes();
  found.amount = reader.u64();
  found.unit = reader.text(3);
  found.mandate = reader.bytes();
  found.card = reader.bytes();
  found.receipt = reader.bytes();
  found.approval = reader.bytes();
  found.startedMs = reader.u64();
  found.peerMs = reader.u64();
  return reader.atEnd() ? found : null;
}

/** Pay ids of the obligations in a state from `least` to `most`. */
export function obligationPayIds(least: i32, most: i32): Array<Bytes> {
  return firstIds(OBLIGATION_RECORD, least, most);
}

/** The obligation with this pay id; null where there is none. */
export function obligationByPayId(payId: Bytes): Obligation | null {
  const key = findRecord(OBLIGATION_RECORD, 0, payId);
  return key >= 0 ? loadObligation(u32(key)) : null;
}

/** The obligation with this transaction id; null where there is none. */
export function obligationByTransaction(transactionId: Bytes): Obligation | null {
  const key = findRecord(OBLIGATION_RECORD, 1, transactionId);
  return key >= 0 ? loadObligation(u32(key)) : null;
}

/** At boot: keeps again the room that open obligations need. */
export function reserveForObligations(): void {
  const all = countRecords(OBLIGATION_RECORD);
  const open = obligationPayIds(ObligationState.PROVISIONAL, ObligationState.APPROVED).length;
  journal.reserve(all * END_ROOM + open * OUTCOME_ROOM);
}
