// SPDX-License-Identifier: Apache-2.0
// The end of the log, where batches are appended: pages opened in ring order, batches written over
// page boundaries. What may be erased when is in format.ts.
import { flashWrite } from "../board";
import {
  appendNumber,
  contentLength,
  image,
  link as imageLink,
  sealBatch,
  tagPointer,
} from "./batch";
import { batchSize, LINK_SIZE, PAGE_COUNT, PAGE_HEADER_SIZE, PAGE_MASK, PAGE_SIZE } from "./format";
import { PageHeader } from "./pageHeader";

/** Start of the tag of the last batch. */
const lastTag = memory.data(LINK_SIZE, 8);

export class Log {
  /** Sequence number of the page the log ends in, and the offset of its end there. */
  head: u32 = 0;
  headOffset: u32 = 0;
  /** Oldest page that matters, and the one that is known to be so by the header of page `head`. */
  tail: u32 = 0;
  durableTail: u32 = 0;
  /** Number of the last batch, and the sealed number in force behind it. */
  lastAppend: u32 = 0;
  sealed: u32 = 0;
  /** Whether the rest of page `head` may hold torn words: the next batch opens a page. */
  headTorn: bool = false;
  /** Where the batch last appended begins in the flash window. */
  lastPlace: u32 = 0;

  private header: PageHeader = new PageHeader();

  /** Pages that an append may open now without touching what a boot would need. */
  get openablePages(): i32 {
    return <i32>(this.durableTail + PAGE_COUNT - 1 - this.head);
  }

  /** Pages that can be opened once the tail is durable. */
  get freePages(): i32 {
    return <i32>(this.tail + PAGE_COUNT - 1 - this.head);
  }

  /** How many pages a batch with `length` bytes of content would open. */
  pagesFor(length: i32): i32 {
    const room: u32 = this.headTorn ? 0 : PAGE_SIZE - this.headOffset;
    const size = <u32>batchSize(length);
    if (size <= room) return 0;
    const perPage = PAGE_SIZE - PAGE_HEADER_SIZE;
    return <i32>((size - room + perPage - 1) / perPage);
  }

  /** Sets the link that the next batch carries. */
  continueAfter(tag: usize): void {
    memory.copy(lastTag, tag, LINK_SIZE);
  }

  /** Begins a log in fresh flash: nothing written yet, the first batch opens page 0. */
  begin(sealed: u32): void {
    this.head = <u32>-1;
    this.headTorn = true;
    this.tail = 0;
    this.durableTail = 0;
    this.lastAppend = 0;
    this.sealed = sealed;
    memory.fill(lastTag, 0, LINK_SIZE);
  }

  /** Encrypts and appends the batch whose content is in the buffer. False = no room or failure. */
  append(length: i32, sealed: u32): bool {
    sealBatch(length, this.lastAppend + 1, sealed, lastTag);
    return this.appendImage(sealed);
  }

  /** Appends the encrypted batch in the buffer, whose number and link are right. */
  appendImage(sealed: u32): bool {
    const length = contentLength();
    const opens = this.pagesFor(length);
    if (opens > this.openablePages) return false;
    const tail = this.tail;
    const head = this.head;
    if (!this.write(<u32>batchSize(length))) {
      // The pages it opened are opened again: what they hold is no part of the log.
      this.head = head;
      this.headTorn = true;
      return false;
    }
    if (opens > 0) this.durableTail = tail;
    this.lastAppend = appendNumber();
    this.sealed = sealed;
    this.continueAfter(tagPointer());
    return true;
  }

  private write(size: u32): bool {
    if (this.headTorn || this.headOffset == PAGE_SIZE) {
      if (!this.openPage(appendNumber(), PAGE_HEADER_SIZE, imageLink)) return false;
      this.headTorn = false;
    }
    this.lastPlace = (this.head & PAGE_MASK) * PAGE_SIZE + this.headOffset;
    let written: u32 = 0;
    while (written < size) {
      if (this.headOffset == PAGE_SIZE) {
        // The next batch starts behind the rest of this one, in this page or not at all in it.
        const firstOffset = min(PAGE_HEADER_SIZE + size - written, PAGE_SIZE);
        if (!this.openPage(appendNumber() + 1, firstOffset, tagPointer())) return false;
      }
      const part = min(size - written, PAGE_SIZE - this.headOffset);
      const place = (this.head & PAGE_MASK) * PAGE_SIZE + this.headOffset;
      if (flashWrite(place, image + <usize>written, <i32>part) != 0) return false;
      written += part;
      this.headOffset += part;
    }
    return true;
  }

  private openPage(firstAppend: u32, firstOffset: u32, link: usize): bool {
    this.head++;
    this.headOffset = PAGE_HEADER_SIZE;
    this.header.sequence = this.head;
    this.header.tail = this.tail;
    this.header.firstAppend = firstAppend;
    this.header.firstOffset = firstOffset;
    return this.header.write(link);
  }
}

/** The log of this module. */
export const log: Log = new Log();
