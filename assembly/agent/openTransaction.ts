// SPDX-License-Identifier: Apache-2.0
// The journal record of a transaction that is not finished, in a customer's agent and for payments
// between persons: everything that is needed to finish it after any loss of power. It is written
// before the peer may rely on it and removed by the very append that commits or rolls back.
import { Bytes } from "../codec/bytes";
import { journal } from "../flash/journal";
import { beginBatch } from "../ticket/batch";
import { UNIT_SIZE } from "../ticket/credential";
import { TICKET_SIZE_MAX } from "../ticket/ticket";
import { MoneyTerms } from "./moneyTerms";
import { arrayWriter, countRecords, findRecord, firstIds, loadRecord, putRecord } from "./records";
import { LOG_ENTRY_SIZE_MAX } from "./tranLog";

const OPEN_RECORD: u8 = 21;
/** Most transactions that may be open (in doubt) at once. */
const OPEN_MAX: i32 = 8;
/** What a peer begins opens none beyond these: peers who vanish must not stop the owner's own. */
const OPEN_BEFORE_TAKING_MAX: i32 = 6;
/** Room for the append that ends a transaction: ticket, log entry and result. */
const FINISH_ROOM: i32 = TICKET_SIZE_MAX / 2 + LOG_ENTRY_SIZE_MAX + 256;

/** What is open; from PAYMENT_RECEIVED on, a peer began it. */
export namespace OpenKind {
  export const PURCHASE: i32 = 1;
  export const PAYMENT_SENT: i32 = 2;
  /** By command 62: the peer pays. */
  export const PAYMENT_REQUESTED: i32 = 3;
  /** By command 63: this side decides. */
  export const EXCHANGE: i32 = 4;
  export const PAYMENT_RECEIVED: i32 = 5;
  /** The peer requested it: this side pays. */
  export const PAYMENT_GRANTED: i32 = 6;
  export const EXCHANGE_TAKEN: i32 = 7;
}

const EMPTY: Bytes = [];

export class OpenTransaction {
  /** Key in the journal; 0 before it is stored. */
  key: u32 = 0;
  kind: i32 = 0;
  /** The host's command id, or, where the peer began, the session's tag. */
  commandId: Bytes = EMPTY;
  transactionId: Bytes = EMPTY;
  payId: Bytes = EMPTY;
  /** The other agent. */
  peer: Bytes = EMPTY;
  /** What the own module was ordered to pay or may receive; see MoneyTerms. */
  terms: MoneyTerms = new MoneyTerms();
  /** Empty in payments between persons; `approval` also in a purchase. */
  receipt: Bytes = EMPTY;
  mandate: Bytes = EMPTY;
  approval: Bytes = EMPTY;
  startedMs: u64 = 0;
  peerMs: u64 = 0;
  /** The own module said that it does not know yet how the payment ended. */
  isInDoubt: bool = false;

  /** A peer began it: no command of the own host waits for its end. */
  get isTaken(): bool {
    return this.kind >= OpenKind.PAYMENT_RECEIVED;
  }

  /** Writes the record, sealed; false where the journal has no room for it and its end. */
  store(): bool {
    const isNew = this.key == 0;
    if (isNew) {
      const most = this.isTaken ? OPEN_BEFORE_TAKING_MAX : OPEN_MAX;
      if (countRecords(OPEN_RECORD) >= most || !journal.reserve(FINISH_ROOM)) return false;
      this.key = max(journal.nextKey(OPEN_RECORD), 1);
    }
    beginBatch();
    this.put();
    if (journal.commit(true)) return true;
    if (isNew) {
      journal.release(FINISH_ROOM);
      this.key = 0;
    }
    return false;
  }

  /** Adds the removal to the open batch that ends this transaction. */
  putRemoval(): void {
    if (this.key != 0) journal.remove(OPEN_RECORD, this.key);
  }

  /** Ends the batch that ends this transaction: sealed, and out of the room kept for it. */
  commitEnd(): bool {
    if (this.key == 0) return journal.commit(false);
    if (!journal.commitReserved(true, FINISH_ROOM)) return false;
    this.key = 0;
    return true;
  }

  private put(): void {
    const writer = arrayWriter();
    const terms = this.terms;
    writer.array(15);
    writer.uint(u64(this.kind));
    writer.bytesFrom(this.commandId);
    writer.bytesFrom(this.transactionId);
    writer.bytesFrom(this.peer);
    writer.uint(terms.amount);
    writer.textFrom(terms.unit);
    writer.uint(terms.counterAmount);
    writer.textFrom(terms.counterUnit);
    writer.uint(u64(terms.rounding));
    writer.bytesFrom(this.receipt);
    writer.bytesFrom(this.mandate);
    writer.bytesFrom(this.approval);
    writer.uint(this.startedMs);
    writer.uint(this.peerMs);
    writer.boolean(this.isInDoubt);
    putRecord(OPEN_RECORD, this.key, this.payId, this.commandId, writer);
  }
}

/** The open transaction under this key of the journal; null where it cannot be read. */
export function loadOpen(key: u32): OpenTransaction | null {
  const record = loadRecord(OPEN_RECORD, key);
  if (record === null) return null;
  const reader = record.reader;
  const open = new OpenTransaction();
  reader.arrayOf(15);
  open.key = key;
  open.kind = i32(reader.u64());
  open.commandId = reader.bytes();
  open.transactionId = reader.bytes();
  open.payId = record.one;
  open.peer = reader.bytes();
  const terms = open.terms;
  terms.amount = reader.u64();
  terms.unit = reader.text(UNIT_SIZE);
  terms.counterAmount = reader.u64();
  terms.counterUnit = reader.text(UNIT_SIZE);
  terms.rounding = i32(reader.u64());
  open.receipt = reader.bytes();
  open.mandate = reader.bytes();
  open.approval = reader.bytes();
  open.startedMs = reader.u64();
  open.peerMs = reader.u64();
  open.isInDoubt = reader.bool();
  return reader.atEnd() ? open : null;
}

/** Pay ids of all open transactions. */
export function openPayIds(): Array<Bytes> {
  return firstIds(OPEN_RECORD, OpenKind.PURCHASE, OpenKind.EXCHANGE_TAKEN);
}

/** The open transaction with this pay id; null where there is none. */
export function openByPayId(payId: Bytes): OpenTransaction | null {
  const key = findRecord(OPEN_RECORD, 0, payId);
  return key >= 0 ? loadOpen(u32(key)) : null;
}

/** The open transaction that this command began; null where there is none. */
export function openByCommand(commandId: Bytes): OpenTransaction | null {
  const key = findRecord(OPEN_RECORD, 1, commandId);
  return key >= 0 ? loadOpen(u32(key)) : null;
}

/** At boot: keeps again the room that the end of each open transaction needs. */
export function reserveForOpen(): void {
  const count = countRecords(OPEN_RECORD);
  if (count > 0) journal.reserve(count * FINISH_ROOM);
}
