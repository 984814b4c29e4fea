// SPDX-License-Identifier: Apache-2.0
// Reading the log at boot: finds its end, rebuilds the index, tells a cut from damage (format.ts).
import { flashRead } from "../board";
import {
  appendNumber,
  content,
  contentLength,
  link,
  openBatch,
  readBatch,
  sealedNumber,
  tagPointer,
} from "./batch";
import {
  batchSize,
  Damage,
  LINK_SIZE,
  PAGE_COUNT,
  PAGE_HEADER_SIZE,
  PAGE_MASK,
  PAGE_SIZE,
  PUT_HEAD_SIZE,
  REMOVAL_FLAG,
  REMOVAL_SIZE,
} from "./format";
import { Index } from "./index";
import { log } from "./log";
import { firstAppendOf, PageHeader } from "./pageHeader";

/** Link that the batch looked for must carry, and bytes read to see whether flash is erased. */
const expectedLink = memory.data(LINK_SIZE, 8);
const probe = memory.data(64, 8);
const PROBE_SIZE: u32 = 64;
/** Most pages that an append opens, and a cut may leave without any batch. */
const STALE_PAGES: u32 = 3;

/** Notes in `index` the records of the opened batch in the buffer, which lies at `place`. */
export function applyBatch(index: Index, place: u32): void {
  const length = contentLength();
  let at = 0;
  while (at < length) {
    const tag = load<u8>(content + <usize>at);
    const key = load<u32>(content + <usize>at, 1);
    if ((tag & REMOVAL_FLAG) != 0) {
      index.remove(tag & ~REMOVAL_FLAG, key);
      at += REMOVAL_SIZE;
    } else {
      const valueLength = <i32>load<u16>(content + <usize>at, 5);
      index.put(tag, key, place, at + PUT_HEAD_SIZE, valueLength);
      at += PUT_HEAD_SIZE + valueLength;
    }
  }
}

/** Whether flash from `place` to `end` (offsets in the window, multiples of 8) reads erased. */
export function isBlank(place: u32, end: u32): bool {
  while (place < end) {
    const part = min(PROBE_SIZE, end - place);
    if (flashRead(place, probe, <i32>part) != 0) return false;
    for (let at: u32 = 0; at < part; at += 8) {
      if (load<u64>(probe + <usize>at) != u64.MAX_VALUE) return false;
    }
    place += part;
  }
  return true;
}

/** A pass over the log; after a successful `run`, `log` stands at its end. */
export class Recovery {
  damage: Damage = Damage.NONE;
  /** Sequence number of the newest page with a header; meaningless unless `hasPages`. */
  newest: u32 = 0;
  hasPages: bool = false;
  /** Sequence number of the page where the last batch begins. */
  lastSequence: u32 = 0;

  /** How far the pass has come: page and offset in it, PAGE_SIZE meaning the page after. */
  private sequence: u32 = 0;
  private offset: u32 = 0;
  private header: PageHeader = new PageHeader();

  /** Finds the newest page among all headers. */
  findNewest(): void {
    this.hasPages = false;
    for (let page: u32 = 0; page < PAGE_COUNT; page++) {
      if (!this.header.read(page)) continue;
      if (!this.hasPages || this.header.sequence > this.newest) this.newest = this.header.sequence;
      this.hasPages = true;
    }
  }

  /**
   * Replays the log from the tail to its end, taking pages up to `newest` into account. False where
   * it is damaged. Where it holds no batch at all, `log.lastAppend` is 0.
   */
  run(index: Index, newest: u32): bool {
    // The newest pages may be those of an append that was cut, with a tail that never came true: it
    // leads to the end of the log, unless to nothing; then the page before them is asked.
    for (let page = newest; page + STALE_PAGES >= newest; page--) {
      if (this.readHeader(page)) this.replay(index, this.header.tail, newest);
      if (log.lastAppend != 0 || page == 0) break;
    }
    if (log.lastAppend == 0) return newest == 0 || this.fail(Damage.BATCH_MISSING);
    // The tail that holds is the one in the page where the log ends.
    if (!this.readHeader(log.head)) return this.fail(Damage.PAGE_MISSING);
    const tail = this.header.tail;
    if (!this.replay(index, tail, newest)) return this.fail(Damage.PAGE_MISSING);
    log.headTorn = true;
    log.tail = tail;
    log.durableTail = tail;
    return this.checkPagesBehind(newest);
  }

  /** Replays the log from the page `tail` on; false where it does not begin there. */
  private replay(index: Index, tail: u32, newest: u32): bool {
    index.clear();
    log.lastAppend = 0;
    if (newest - tail >= PAGE_COUNT || !this.readHeader(tail)) return false;
    let append = this.header.firstAppend;
    this.sequence = tail;
    this.offset = this.header.firstOffset;
    memory.copy(expectedLink, this.header.link, LINK_SIZE);
    for (; this.findBatch(append, newest); append++) this.takeBatch(index);
    return log.lastAppend != 0;
  }

  /** Goes to where the batch `append` begins and opens it; false at the end of the log. */
  private findBatch(append: u32, newest: u32): bool {
    // The newest page that claims this batch and has it whole wins over older copies of it.
    for (let later = newest; later > this.sequence; later--) {
      if (firstAppendOf(later) != append || !this.readHeader(later)) continue;
      if (memory.compare(expectedLink, this.header.link, LINK_SIZE) != 0) continue;
      const begin = this.header.firstOffset;
      if (!this.tryBatch(later, begin, append)) continue;
      this.sequence = later;
      this.offset = begin;
      return true;
    }
    return this.tryBatch(this.sequence, this.offset, append);
  }

  /** Takes the opened batch as the last of the log so far and goes to its end. */
  private takeBatch(index: Index): void {
    if (this.offset == PAGE_SIZE) {
      this.sequence++;
      this.offset = PAGE_HEADER_SIZE;
    }
    this.lastSequence = this.sequence;
    log.lastPlace = (this.sequence & PAGE_MASK) * PAGE_SIZE + this.offset;
    log.lastAppend = appendNumber();
    log.sealed = sealedNumber();
    applyBatch(index, log.lastPlace);
    memory.copy(expectedLink, tagPointer(), LINK_SIZE);
    log.continueAfter(tagPointer());
    this.offset += <u32>batchSize(contentLength());
    while (this.offset > PAGE_SIZE) {
      this.sequence++;
      this.offset = this.offset - PAGE_SIZE + PAGE_HEADER_SIZE;
    }
    log.head = this.sequence;
    log.headOffset = this.offset;
  }

  /** Whether the batch `append` with the expected link begins at this position; opens it. */
  private tryBatch(sequence: u32, offset: u32, append: u32): bool {
    if (offset == PAGE_SIZE) {
      sequence++;
      offset = PAGE_HEADER_SIZE;
    }
    const place = (sequence & PAGE_MASK) * PAGE_SIZE + offset;
    if (!readBatch(place) || appendNumber() != append) return false;
    return memory.compare(link, expectedLink, LINK_SIZE) == 0 && openBatch(place);
  }

  /**
   * Pages opened by an append that was cut hold no batch, and no claim beyond the batch after it.
   * Anything else behind the end was a part of the log: batches between are damaged.
   */
  private checkPagesBehind(newest: u32): bool {
    for (let sequence = log.head + 1; sequence <= newest; sequence++) {
      if (!this.readHeader(sequence)) continue;
      const append = this.header.firstAppend;
      if (append > log.lastAppend + 2) return this.fail(Damage.BATCH_MISSING);
      memory.copy(expectedLink, this.header.link, LINK_SIZE);
      if (this.tryBatch(sequence, this.header.firstOffset, append)) {
        return this.fail(Damage.BATCH_MISSING);
      }
    }
    return true;
  }

  private readHeader(sequence: u32): bool {
    return this.header.read(sequence & PAGE_MASK) && this.header.sequence == sequence;
  }

  private fail(damage: Damage): bool {
    this.damage = damage;
    return false;
  }
}
