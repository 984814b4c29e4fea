// SPDX-License-Identifier: Apache-2.0
// The journal: durable memory of a module (Figs. 4A to 4D: Notes Directory, Ticket Holder, logs).
// Records are named by kind and key; a batch of puts and removals becomes durable in one append,
// all of it or none. format.ts says how; docs/protocol.md section 7 rules sealed batches.
import { counterRaise, counterRead, FLASH_SIZE } from "../board";
import { Bytes } from "../codec/bytes";
import { content, contentLength, openBatch, readBatch, wipeBatch } from "./batch";
import { advanceTail, emptyTailPage, fetchBatch } from "./compaction";
import {
  BATCH_LIMIT,
  batchSize,
  BOOT_KIND,
  Damage,
  LIVE_LIMIT,
  OpenResult,
  PAGE_COUNT,
  PAGE_HEADER_SIZE,
  PAGE_SIZE,
  PROMISED_RECORDS,
  PUT_HEAD_SIZE,
  RECORD_LIMIT,
  RECORD_OVERHEAD,
  REMOVAL_FLAG,
  SPARE_PAGES,
} from "./format";
import { Index } from "./index";
import { deriveKeys, wipeKeys } from "./keys";
import { log } from "./log";
import { Pending } from "./pending";
import { applyBatch, isBlank, Recovery } from "./recovery";

export { Damage, OpenResult, VALUE_LIMIT } from "./format";

/** Bytes of content of the batch that notes a boot: one record, the number of boots. */
const BOOT_CONTENT: i32 = PUT_HEAD_SIZE + 4;
/** Pages emptied at most for one commit: two turns of the ring. */
const EMPTYING_LIMIT: i32 = 2 * <i32>PAGE_COUNT;

/** Room to promise with `Journal.reserve` for a record whose value has `length` bytes. */
export function roomFor(length: i32): i32 {
  return RECORD_OVERHEAD + length;
}

export class Journal {
  /** Why `open` answered DAMAGED. */
  damage: Damage = Damage.NONE;

  private index: Index = new Index();
  private pending: Pending = new Pending();
  private recovery: Recovery = new Recovery();
  /** False where it did not open, or the device failed: nothing may be appended or signed. */
  isOpen: bool = false;
  private hasCounter: bool = false;
  private reserved: i32 = 0;

  /**
   * Recovers what was committed, then appends a sealed record of this boot. Must be the first call;
   * nothing may be sent before it has answered READY or EMPTY. A first boot that was cut may be
   * READY at the next with no records: callers look for theirs.
   */
  open(): OpenResult {
    this.index.clear();
    this.pending.clear();
    this.reserved = 0;
    const result = deriveKeys() ? this.recover() : this.damaged(Damage.DEVICE);
    wipeKeys();
    this.isOpen = result == OpenResult.READY || result == OpenResult.EMPTY;
    return result;
  }

  /** Starts a batch; what was put and not committed is forgotten. */
  begin(): void {
    this.pending.clear();
  }

  /**
   * Adds a record to the batch, or a new value of it: `kind` 1 to 63, `length` 0 to 4,000. The
   * bytes at `value` must stay as they are until commit or cancel: they are copied only then.
   */
  put(kind: u8, key: u32, value: usize, length: i32): void {
    if ((kind & REMOVAL_FLAG) != 0) this.pending.refused = true;
    else this.pending.add(kind, key, value, length);
  }

  /** Like `put`, and keeps the byte string alive until commit or cancel. */
  putBytes(kind: u8, key: u32, value: Bytes): void {
    this.put(kind, key, changetype<usize>(value), value.length);
    this.pending.hold(value);
  }

  /** Adds the removal of a record to the batch; there need not be one. */
  remove(kind: u8, key: u32): void {
    this.pending.add(kind | REMOVAL_FLAG, key, 0, 0);
  }

  /**
   * Makes the batch durable in one append and empties it. A sealed batch raises the counter before
   * this returns. False = no room, a batch that cannot be, or a device that fails: nothing changed.
   * (Where the counter fails, the journal closes and the next boot shows all of the batch or none.)
   */
  commit(sealed: bool): bool {
    return this.commitReserved(sealed, 0);
  }

  /** Like `commit`, with the right to use `bytes` of what was reserved; on success they are. */
  commitReserved(sealed: bool, bytes: i32): bool {
    let done = false;
    if (this.isOpen && this.hasRoom(bytes)) {
      done = deriveKeys() && this.write(sealed);
      wipeKeys();
    }
    if (done) this.release(bytes);
    this.pending.clear();
    return done;
  }

  /** Forgets the batch. */
  cancel(): void {
    this.pending.clear();
  }

  /** Whether there is such a record. The batch under way is not looked at, here and below. */
  has(kind: u8, key: u32): bool {
    return this.index.find(kind, key) >= 0;
  }

  /** Length in bytes of a record's value, or -1 where there is none. */
  lengthOf(kind: u8, key: u32): i32 {
    const slot = this.index.find(kind, key);
    return slot < 0 ? -1 : this.index.lengthOf(slot);
  }

  /** Copies a part of a value to `pointer`. False = no such record or part, or the flash fails. */
  read(kind: u8, key: u32, offset: i32, pointer: usize, length: i32): bool {
    const slot = this.index.find(kind, key);
    if (slot < 0 || offset < 0 || length < 0) return false;
    const total = this.index.lengthOf(slot);
    if (offset > total || length > total - offset) return false;
    if (!this.fetch(slot)) return false;
    const value = content + <usize>(this.index.valueOffsetOf(slot) + offset);
    memory.copy(pointer, value, <usize>length);
    return true;
  }

  /** A copy of a value, or null = no such record, or the flash fails. */
  load(kind: u8, key: u32): Bytes | null {
    const length = this.lengthOf(kind, key);
    if (length < 0) return null;
    const value = new StaticArray<u8>(length);
    return this.read(kind, key, 0, changetype<usize>(value), length) ? value : null;
  }

  /** Cursor to the record of a kind with the smallest key, or -1. */
  first(kind: u8): i32 {
    return this.index.findFrom(kind, 0);
  }

  /** Cursor to the record of a kind with the next larger key, or -1. */
  next(kind: u8, cursor: i32): i32 {
    return this.index.findFrom(kind, <u64>this.index.keyOf(cursor) + 1);
  }

  /** Key of the record at a cursor. */
  keyAt(cursor: i32): u32 {
    return this.index.keyOf(cursor);
  }

  /** A key larger than all of the kind, in the journal and in the batch under way; from 1 on. */
  nextKey(kind: u8): u32 {
    let largest: u32 = 0;
    for (let slot = this.first(kind); slot >= 0; slot = this.next(kind, slot)) {
      largest = this.index.keyOf(slot);
    }
    for (let entry = 0; entry < this.pending.count; entry++) {
      if (this.pending.kindOf(entry) == kind) largest = max(largest, this.pending.keyOf(entry));
    }
    return largest + 1;
  }

  /** Bytes neither used nor promised; a record takes `roomFor` its length. */
  freeBytes(): i32 {
    return LIVE_LIMIT - this.index.liveBytes - this.reserved;
  }

  /** Promises room to records that must be written later; false where there is not so much. */
  reserve(bytes: i32): bool {
    if (bytes < 0 || bytes > this.freeBytes()) return false;
    this.reserved += bytes;
    return true;
  }

  /** Gives promised room back. Promises are not durable: they are made again at boot. */
  release(bytes: i32): void {
    this.reserved = max(this.reserved - bytes, 0);
  }

  /** Number of boots, this one included. */
  bootCount(): u32 {
    const count = memory.data(4, 4);
    return this.read(BOOT_KIND, 0, 0, count, 4) ? load<u32>(count) : 0;
  }

  /** How often the ring has passed over a flash page: its wear. */
  erases(page: u32): u32 {
    return page > log.head ? 0 : (log.head - page) / PAGE_COUNT + 1;
  }

  /** Wipes the plain text of the record last read. To be called at the end of each event. */
  wipe(): void {
    wipeBatch();
  }

  private fetch(slot: i32): bool {
    const place = this.index.placeOf(slot);
    const fetched = deriveKeys() && fetchBatch(place);
    wipeKeys();
    return fetched;
  }

  /** Whether the batch can be and leaves to other records what was promised to them. */
  private hasRoom(ownReserved: i32): bool {
    const pending = this.pending;
    if (pending.refused || pending.contentLength() > BATCH_LIMIT) return false;
    pending.measure(this.index);
    // A batch that makes nothing larger is always welcome: it is how room comes about.
    if (pending.moreBytes <= 0 && pending.moreRecords <= 0) return true;
    const promised = this.reserved - min(ownReserved, this.reserved);
    const recordLimit = ownReserved > 0 ? RECORD_LIMIT : RECORD_LIMIT - PROMISED_RECORDS;
    return (
      this.index.liveBytes + pending.moreBytes <= LIVE_LIMIT - promised &&
      this.index.count + pending.moreRecords <= recordLimit
    );
  }

  private write(sealed: bool): bool {
    const length = this.pending.contentLength();
    if (!this.makeRoom(length)) return false;
    this.pending.store(content);
    return this.append(length, sealed);
  }

  /** Empties tail pages until a batch with `length` bytes of content leaves spare pages free. */
  private makeRoom(length: i32): bool {
    for (let emptied = 0; emptied < EMPTYING_LIMIT; emptied++) {
      // Pages gained can be opened only once a header tells of the tail: before the others run out,
      // the rest of the last page is given up for that.
      if (log.openablePages < SPARE_PAGES && log.freePages > SPARE_PAGES) log.headTorn = true;
      if (log.freePages - log.pagesFor(length) >= SPARE_PAGES) return true;
      if (!emptyTailPage(this.index)) return false;
    }
    return false;
  }

  /** Appends the content in the buffer, raises the counter if sealed, and notes the records. */
  private append(length: i32, sealed: bool): bool {
    const raises = sealed && this.hasCounter;
    if (!log.append(length, raises ? log.sealed + 1 : log.sealed)) {
      // Were the batch whole in flash after all, this empty one in a page of its own outdates it.
      this.isOpen = log.append(0, log.sealed);
      return false;
    }
    if ((raises && !this.raise()) || !openBatch(log.lastPlace)) {
      this.isOpen = false;
      return false;
    }
    applyBatch(this.index, log.lastPlace);
    return true;
  }

  /** Raises the counter to the sealed number in force. */
  private raise(): bool {
    return counterRaise() == <i64>log.sealed;
  }

  private recover(): OpenResult {
    const counter = counterRead();
    this.hasCounter = counter >= 0;
    if (counter >= <i64>u32.MAX_VALUE) return this.damaged(Damage.DEVICE);
    const recovery = this.recovery;
    recovery.findNewest();
    if (!recovery.hasPages) return this.format(counter);
    if (!recovery.run(this.index, recovery.newest)) return this.damaged(recovery.damage);
    if (log.lastAppend == 0) return this.format(counter);
    const sealed = <i64>log.sealed;
    if (this.hasCounter && sealed != counter && sealed != counter + 1) {
      return OpenResult.ROLLED_BACK;
    }
    // The page that the copy opens makes this durable: else boots alone would fill the flash.
    advanceTail(this.index);
    if (!this.copyLast()) return this.damaged(Damage.DEVICE);
    if (this.hasCounter && sealed == counter + 1 && !this.raise()) {
      return this.damaged(Damage.DEVICE);
    }
    return this.noteBoot() ? OpenResult.READY : this.damaged(Damage.DEVICE);
  }

  /** Copies the last batch, which may have been cut at its very end, to a fresh page. */
  private copyLast(): bool {
    const recovery = this.recovery;
    const append = log.lastAppend;
    if (!readBatch(log.lastPlace)) return false;
    if (log.pagesFor(contentLength()) > log.openablePages) {
      // Boot after boot was cut just behind this copy. The batch before it was copied from is whole
      // too, so the pages of this copy are used again.
      if (recovery.lastSequence == log.tail) return false;
      if (!recovery.run(this.index, recovery.lastSequence - 1)) return false;
      if (log.lastAppend != append || !readBatch(log.lastPlace)) return false;
    }
    const from = log.lastPlace;
    if (!log.appendImage(log.sealed)) return false;
    this.index.moveBatch(from, log.lastPlace);
    return true;
  }

  /**
   * Appends the record that there was one more boot, twice: every other copy is outdated then. With
   * one raise a copy whose last batch was appended and never raised would stay alive, and with
   * another one that was cut so, the two would go on by turns (docs/model/journal.pml).
   */
  private noteBoot(): bool {
    const boots = this.bootCount();
    if (!deriveKeys()) return false;
    // Where room stays short, commits will say so: a boot may use the spare pages.
    this.makeRoom(BOOT_CONTENT);
    store<u8>(content, BOOT_KIND);
    store<u32>(content, 0, 1);
    store<u16>(content, 4, 5);
    store<u32>(content, boots + 1, PUT_HEAD_SIZE);
    if (!this.append(BOOT_CONTENT, true)) return false;
    // The buffer holds the plain text of what was just appended.
    return !this.hasCounter || this.append(BOOT_CONTENT, true);
  }

  /** Formats flash on which nothing was ever relied; anything else is refused. */
  private format(counter: i64): OpenResult {
    const othersBlank = isBlank(PAGE_SIZE, FLASH_SIZE);
    if (counter > 0) {
      if (othersBlank && isBlank(0, PAGE_SIZE)) return OpenResult.ROLLED_BACK;
      return this.damaged(Damage.NO_HEADER);
    }
    // With no counter to tell, only flash that looks like a first boot that was cut is taken.
    const firstEnd = PAGE_HEADER_SIZE + <u32>batchSize(BOOT_CONTENT);
    const isCutFirst = othersBlank && (!this.recovery.hasPages || isBlank(firstEnd, PAGE_SIZE));
    if (!this.hasCounter && !isCutFirst) return this.damaged(Damage.NO_HEADER);
    this.index.clear();
    log.begin(0);
    return this.noteBoot() ? OpenResult.EMPTY : this.damaged(Damage.DEVICE);
  }

  private damaged(damage: Damage): OpenResult {
    this.damage = damage;
    return OpenResult.DAMAGED;
  }
}

/** The journal of this module. */
export const journal: Journal = new Journal();
