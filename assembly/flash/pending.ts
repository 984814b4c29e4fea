// SPDX-License-Identifier: Apache-2.0
// The batch being put together: a list in memory until commit. Forgetting it is rolling back.
import { Bytes } from "../codec/bytes";
import {
  KIND_LIMIT,
  PUT_HEAD_SIZE,
  RECORD_OVERHEAD,
  REMOVAL_FLAG,
  REMOVAL_SIZE,
  VALUE_LIMIT,
} from "./format";
import { Index } from "./index";

/** Most puts and removals in one batch. */
const ENTRY_LIMIT: i32 = 96;
/** pointer u32, key u32, length u16, kind u8 with the removal flag, one byte unused. */
const ENTRY_SIZE: i32 = 12;
const entries = memory.data(ENTRY_LIMIT * ENTRY_SIZE, 8);

/** A value that was put as a byte string, and the ones before it. */
class Held {
  value: Bytes;
  before: Held | null;

  constructor(value: Bytes, before: Held | null) {
    this.value = value;
    this.before = before;
  }
}

export class Pending {
  count: i32 = 0;
  /** Whether something was put that cannot be: the batch must not be committed. */
  refused: bool = false;
  /** What `measure` found: live bytes and records that there will be more, or fewer if negative. */
  moreBytes: i32 = 0;
  moreRecords: i32 = 0;
  /** Keeps values alive that were put as byte strings. */
  private held: Held | null = null;

  clear(): void {
    this.count = 0;
    this.refused = false;
    this.held = null;
  }

  hold(value: Bytes): void {
    this.held = new Held(value, this.held);
  }

  /** Adds an entry; a later one for the same record takes the place of an earlier one. */
  add(kind: u8, key: u32, value: usize, length: i32): void {
    const plainKind = kind & ~REMOVAL_FLAG;
    if (plainKind == 0 || plainKind > KIND_LIMIT || length < 0 || length > VALUE_LIMIT) {
      this.refused = true;
      return;
    }
    let entry = 0;
    while (entry < this.count) {
      if (this.keyOf(entry) == key && (this.kindOf(entry) & ~REMOVAL_FLAG) == plainKind) break;
      entry++;
    }
    if (entry == ENTRY_LIMIT) {
      this.refused = true;
      return;
    }
    if (entry == this.count) this.count++;
    const at = this.at(entry);
    store<u32>(at, <u32>value);
    store<u32>(at, key, 4);
    store<u16>(at, <u16>length, 8);
    store<u8>(at, kind, 10);
  }

  keyOf(entry: i32): u32 {
    return load<u32>(this.at(entry), 4);
  }

  /** Kind with REMOVAL_FLAG for a removal. */
  kindOf(entry: i32): u8 {
    return load<u8>(this.at(entry), 10);
  }

  lengthOf(entry: i32): i32 {
    return <i32>load<u16>(this.at(entry), 8);
  }

  /** Bytes of content the batch will have. */
  contentLength(): i32 {
    let length = 0;
    for (let entry = 0; entry < this.count; entry++) {
      const isRemoval = (this.kindOf(entry) & REMOVAL_FLAG) != 0;
      length += isRemoval ? REMOVAL_SIZE : PUT_HEAD_SIZE + this.lengthOf(entry);
    }
    return length;
  }

  /** Finds out what the batch makes of the records in `index`. */
  measure(index: Index): void {
    this.moreBytes = 0;
    this.moreRecords = 0;
    for (let entry = 0; entry < this.count; entry++) {
      const kind = this.kindOf(entry);
      const slot = index.find(kind & ~REMOVAL_FLAG, this.keyOf(entry));
      if (slot >= 0) {
        this.moreBytes -= RECORD_OVERHEAD + index.lengthOf(slot);
        this.moreRecords--;
      }
      if ((kind & REMOVAL_FLAG) == 0) {
        this.moreBytes += RECORD_OVERHEAD + this.lengthOf(entry);
        this.moreRecords++;
      }
    }
  }

  /**
   * Writes the content to `output`: removals first, so that a replay never holds more records than
   * there were before or after the batch.
   */
  store(output: usize): void {
    for (let entry = 0; entry < this.count; entry++) {
      if ((this.kindOf(entry) & REMOVAL_FLAG) == 0) continue;
      store<u8>(output, this.kindOf(entry));
      store<u32>(output, this.keyOf(entry), 1);
      output += REMOVAL_SIZE;
    }
    for (let entry = 0; entry < this.count; entry++) {
      if ((this.kindOf(entry) & REMOVAL_FLAG) != 0) continue;
      const length = this.lengthOf(entry);
      store<u8>(output, this.kindOf(entry));
      store<u32>(output, this.keyOf(entry), 1);
      store<u16>(output, <u16>length, 5);
      memory.copy(output + PUT_HEAD_SIZE, <usize>load<u32>(this.at(entry)), <usize>length);
      output += <usize>(PUT_HEAD_SIZE + length);
    }
  }

  private at(entry: i32): usize {
    return entries + <usize>(entry * ENTRY_SIZE);
  }
}
