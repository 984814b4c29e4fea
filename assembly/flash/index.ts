// SPDX-License-Identifier: Apache-2.0
// The index of live records: which kind and key lies where in the flash. Values stay in flash. Ten
// bytes each in three tables; searched from end to end, which is quicker than it sounds at 420.
import { RECORD_LIMIT, RECORD_OVERHEAD } from "./format";

/** A slot that holds no record; window offsets in words are below 2^14. */
const EMPTY: u16 = 0xffff;

const keys = memory.data(RECORD_LIMIT * 4, 8);
/** kind (6 bits) | length of the value (13) | offset of the value in its batch's content (13). */
const shapes = memory.data(RECORD_LIMIT * 4, 8);
/** Where the batch begins: offset in the flash window in words of 8 bytes. */
const places = memory.data(RECORD_LIMIT * 2, 8);

/** Slot numbers are stable while a record lives. */
export class Index {
  /** Number of live records, and the most flash they can take (bytes). */
  count: i32 = 0;
  liveBytes: i32 = 0;

  clear(): void {
    memory.fill(places, 0xff, RECORD_LIMIT * 2);
    this.count = 0;
    this.liveBytes = 0;
  }

  keyOf(slot: i32): u32 {
    return load<u32>(keys + ((<usize>slot) << 2));
  }

  kindOf(slot: i32): u8 {
    return <u8>(this.shapeOf(slot) >> 26);
  }

  lengthOf(slot: i32): i32 {
    return <i32>((this.shapeOf(slot) >> 13) & 0x1fff);
  }

  /** Offset of the value in the content of its batch. */
  valueOffsetOf(slot: i32): i32 {
    return <i32>(this.shapeOf(slot) & 0x1fff);
  }

  /** Offset of the record's batch in the flash window. */
  placeOf(slot: i32): u32 {
    return (<u32>load<u16>(places + ((<usize>slot) << 1))) << 3;
  }

  isLive(slot: i32): bool {
    return load<u16>(places + ((<usize>slot) << 1)) != EMPTY;
  }

  /** Slot of a record, or -1. */
  find(kind: u8, key: u32): i32 {
    for (let slot = 0; slot < RECORD_LIMIT; slot++) {
      if (this.keyOf(slot) == key && this.isLive(slot) && this.kindOf(slot) == kind) return slot;
    }
    return -1;
  }

  /** Slot of the record of a kind with the smallest key that is at least `from`, or -1. */
  findFrom(kind: u8, from: u64): i32 {
    let best = -1;
    let bestKey: u64 = u64.MAX_VALUE;
    for (let slot = 0; slot < RECORD_LIMIT; slot++) {
      const key = <u64>this.keyOf(slot);
      if (key < from || key >= bestKey) continue;
      if (this.isLive(slot) && this.kindOf(slot) == kind) {
        best = slot;
        bestKey = key;
      }
    }
    return best;
  }

  /** Slot of the first record whose batch begins in the flash page `page`, or -1. */
  findInPage(page: u32): i32 {
    for (let slot = 0; slot < RECORD_LIMIT; slot++) {
      // 512 words to a page; an empty slot gives page 127, which there is none of.
      if (<u32>(load<u16>(places + ((<usize>slot) << 1)) >> 9) == page) return slot;
    }
    return -1;
  }

  /** Notes where a record is now. False where it is new and the index is full. */
  put(kind: u8, key: u32, place: u32, valueOffset: i32, length: i32): bool {
    let slot = this.find(kind, key);
    if (slot >= 0) {
      this.liveBytes -= this.lengthOf(slot);
    } else {
      for (slot = 0; slot < RECORD_LIMIT && this.isLive(slot); ) slot++;
      if (slot == RECORD_LIMIT) return false;
      this.count++;
      this.liveBytes += RECORD_OVERHEAD;
    }
    this.liveBytes += length;
    store<u32>(keys + ((<usize>slot) << 2), key);
    const shape = ((<u32>kind) << 26) | ((<u32>length) << 13) | <u32>valueOffset;
    store<u32>(shapes + ((<usize>slot) << 2), shape);
    store<u16>(places + ((<usize>slot) << 1), <u16>(place >> 3));
    return true;
  }

  remove(kind: u8, key: u32): void {
    const slot = this.find(kind, key);
    if (slot < 0) return;
    this.count--;
    this.liveBytes -= RECORD_OVERHEAD + this.lengthOf(slot);
    store<u16>(places + ((<usize>slot) << 1), EMPTY);
  }

  /** Notes that a whole batch lies elsewhere now, unchanged. */
  moveBatch(from: u32, to: u32): void {
    for (let slot = 0; slot < RECORD_LIMIT; slot++) {
      const at = places + ((<usize>slot) << 1);
      if (load<u16>(at) == <u16>(from >> 3)) store<u16>(at, <u16>(to >> 3));
    }
  }

  private shapeOf(slot: i32): u32 {
    return load<u32>(shapes + ((<usize>slot) << 2));
  }
}
