// SPDX-License-Identifier: Apache-2.0
// Notes of Fig. 4: the stored notes (Fig. 20 step 1606). A received note is appended unowned before
// its payment promises anything; the payment's `prepared` record names it by the hash of its newest
// transfer, and the commit owns it. What no record names is dropped at boot (protocol rule 4.1).
import { Bytes } from "../codec/bytes";
import { journal, roomFor } from "../flash/journal";
import { sweepCertificates } from "./certificateStore";
import { Choice, Directory } from "./directory";
import { HASH_SIZE, NOTES_LIMIT, SIGNATURE_SIZE } from "./limits";
import { NOTE_KIND, NOTE_STATE_KIND, NOTE_STATE_SIZE, NoteRecord } from "./noteRecord";
import { PacketView } from "./packetManager";
import { scratchAfter } from "../session/buffers";
import { Reason } from "../trust/reasons";
import { TRANSFER_SIZE_LIMIT } from "./transfer";

/** Flash that owning one note takes once more: its small record, rewritten. */
export const OWNING_ROOM: i32 = roomFor(NOTE_STATE_SIZE);

/** Where `Notes.readDraft` puts a draft transfer. */
export const DRAFT: usize = memory.data(TRANSFER_SIZE_LIMIT, 8);

/** The hashes of the notes of one payment, one after the other; what `prepared` names. */
export type Hashes = Bytes;

/** What payments have promised to take (docs/protocol.md rule 4.1). */
export abstract class Promises {
  /** Whether a payment's record names the note whose newest transfer has this hash. */
  abstract names(hash: usize): bool;
}

export class Notes {
  directory: Directory;
  /** Journal key of the note that `unownedAfter` found last. */
  key: u32 = 0;
  private promises: Promises;
  private record: NoteRecord = new NoteRecord();

  constructor(directory: Directory, promises: Promises) {
    this.directory = directory;
    this.promises = promises;
  }

  /**
   * Appends the notes of a verified packet as unowned, and the certificates they need. `leaving`:
   * notes that go when these are owned. Returns their hashes, or null where there is no room; what
   * was appended then is dropped again.
   */
  keep(packet: PacketView, leaving: i32): Hashes | null {
    const hashes = new StaticArray<u8>(packet.count * HASH_SIZE);
    if (this.count() + packet.count - leaving > NOTES_LIMIT) return null;
    if (!packet.bag.keep()) {
      // Nothing is being composed now: the outbox has room for the sweep.
      sweepCertificates(scratchAfter(0));
      if (!packet.bag.keep()) return null;
    }
    for (let i = 0; i < packet.count; i++) {
      const start = packet.pointerAt(i);
      const key = journal.nextKey(NOTE_STATE_KIND);
      if (packet.open(i)) {
        this.record.describe(packet.note, start);
        journal.begin();
        journal.put(NOTE_KIND, key, start, packet.lengthAt(i));
        this.record.put(key);
        if (journal.commit(false)) {
          const place = changetype<usize>(hashes) + <usize>(i * HASH_SIZE);
          memory.copy(place, this.record.leafHash, HASH_SIZE);
          continue;
        }
      }
      this.drop(hashes);
      return null;
    }
    return hashes;
  }

  /** Journal key of the note whose newest transfer has the hash at `hash`, or -1. */
  find(hash: usize): i64 {
    let cursor = journal.first(NOTE_STATE_KIND);
    while (cursor >= 0) {
      const key = journal.keyAt(cursor);
      if (this.record.load(key) && memory.compare(this.record.leafHash, hash, HASH_SIZE) == 0) {
        return <i64>key;
      }
      cursor = journal.next(NOTE_STATE_KIND, cursor);
    }
    return -1;
  }

  /**
   * Reads the payload of the newest transfer of the note that is named by the hash at `hash` to
   * `DRAFT`; its length, or 0 where it cannot be read.
   */
  readDraft(hash: usize): i32 {
    const found = this.find(hash);
    const length = this.record.draftLength;
    if (found < 0 || length > TRANSFER_SIZE_LIMIT) return 0;
    const start = this.record.draftStart;
    return journal.read(NOTE_KIND, <u32>found, start, DRAFT, length) ? length : 0;
  }

  /**
   * Puts into the open batch that the named notes are owned; `signatures` are those of their newest
   * transfers, 64 bytes each, in the same order. False where a note is missing.
   */
  putOwned(hashes: Hashes, signatures: Bytes): bool {
    for (let i = 0; i * HASH_SIZE < hashes.length; i++) {
      const key = this.find(changetype<usize>(hashes) + <usize>(i * HASH_SIZE));
      if (key < 0 || !this.record.load(<u32>key)) return false;
      this.record.own(changetype<usize>(signatures) + <usize>(i * SIGNATURE_SIZE));
      this.record.putCopy(<u32>key);
    }
    return true;
  }

  /** Puts into the open batch that parts are paid out; notes that are used up are removed. */
  putPaidOut(choice: Choice): bool {
    for (let i = 0; i < choice.count; i++) {
      const key = choice.keys[i];
      const record = this.record;
      if (!record.load(key)) return false;
      record.payOut(choice.values[i]);
      if (record.paidOut < record.amount) {
        record.putCopy(key);
      } else {
        journal.remove(NOTE_KIND, key);
        journal.remove(NOTE_STATE_KIND, key);
      }
    }
    return true;
  }

  /** Enters notes that were just committed as owned into the directory (step 1608). */
  enter(hashes: Hashes): void {
    for (let i = 0; i * HASH_SIZE < hashes.length; i++) {
      const key = this.find(changetype<usize>(hashes) + <usize>(i * HASH_SIZE));
      if (key >= 0 && this.record.load(<u32>key)) this.directory.add(<u32>key, this.record);
    }
  }

  /** Puts the removal of unowned notes into the open batch. */
  putDropped(hashes: Hashes): void {
    for (let i = 0; i * HASH_SIZE < hashes.length; i++) {
      const key = this.find(changetype<usize>(hashes) + <usize>(i * HASH_SIZE));
      if (key < 0 || !this.record.load(<u32>key) || this.record.owned) continue;
      journal.remove(NOTE_KIND, <u32>key);
      journal.remove(NOTE_STATE_KIND, <u32>key);
    }
  }

  /** Removes unowned notes: their payment was aborted. Nothing depends on when this is durable. */
  drop(hashes: Hashes): void {
    journal.begin();
    this.putDropped(hashes);
    journal.commit(false);
  }

  /**
   * A generator's bank has the owned note with this newest transfer in its books as redeemed: it
   * goes. A reason; 0 also where it is not here any more.
   */
  forget(hash: usize): i32 {
    const found = this.find(hash);
    if (found < 0) return Reason.NONE;
    const key = <u32>found;
    if (!this.record.owned) return Reason.IN_DOUBT;
    journal.begin();
    journal.remove(NOTE_KIND, key);
    journal.remove(NOTE_STATE_KIND, key);
    if (!journal.commit(false)) return Reason.JOURNAL_FULL;
    this.directory.remove(key);
    return Reason.NONE;
  }

  /**
   * Hash of the first unowned note with a journal key above `after` that no payment has promised to
   * take, or null; and `key` is its.
   */
  unownedAfter(after: u32): Hashes | null {
    let cursor = journal.first(NOTE_STATE_KIND);
    while (cursor >= 0) {
      this.key = journal.keyAt(cursor);
      if (this.key > after && this.record.load(this.key) && !this.record.owned) {
        if (!this.promises.names(this.record.leafHash)) return this.record.takeLeafHash();
      }
      cursor = journal.next(NOTE_STATE_KIND, cursor);
    }
    return null;
  }

  /** Stored notes, the unowned ones included. */
  count(): i32 {
    let count = 0;
    let cursor = journal.first(NOTE_STATE_KIND);
    while (cursor >= 0) {
      count++;
      cursor = journal.next(NOTE_STATE_KIND, cursor);
    }
    return count;
  }
}
