// SPDX-License-Identifier: Apache-2.0
// Page headers of the journal: written once when a page is opened, read at boot (format.ts).
import { flashErase, flashRead, flashWrite } from "../board";
import { hmacSha256 } from "../crypto/hmac";
import {
  LINK_SIZE,
  PAGE_COUNT,
  PAGE_HEADER_SIZE,
  PAGE_MAGIC,
  PAGE_MASK,
  PAGE_SIZE,
} from "./format";
import { nonceKey } from "./keys";

/** Bytes that the code at the end of the header covers, and of the code itself. */
const COVERED: i32 = 32;
const CODE_SIZE: i32 = 8;
const DIGEST_SIZE: i32 = 32;

/** The header last read or to be written, and room for the whole keyed hash behind it. */
const header = memory.data(COVERED + DIGEST_SIZE, 8);
const digest = memory.data(DIGEST_SIZE, 8);

/** Per flash page: number of the first batch that starts in it. Kept since reads check by it. */
const firstAppends = memory.data(PAGE_COUNT * 4, 8);

/** Number of the first batch that starts in the page with this sequence number. */
export function firstAppendOf(sequence: u32): u32 {
  return load<u32>(firstAppends + ((<usize>(sequence & PAGE_MASK)) << 2));
}

/** What a page header says; the fields hold what the last successful `read` found. */
export class PageHeader {
  sequence: u32 = 0;
  /** Oldest page that mattered when this one was opened. */
  tail: u32 = 0;
  firstAppend: u32 = 0;
  firstOffset: u32 = 0;

  /** Address of the link of the first batch that starts in the page. */
  get link(): usize {
    return header + 16;
  }

  /** Reads the header of flash page `page`; whether there is a genuine one. */
  read(page: u32): bool {
    if (flashRead(page * PAGE_SIZE, header, PAGE_HEADER_SIZE) != 0) return false;
    if (load<u32>(header) != PAGE_MAGIC) return false;
    this.sequence = load<u32>(header, 4);
    if ((this.sequence & PAGE_MASK) != page) return false;
    computeCode();
    if (load<u64>(digest) != load<u64>(header, COVERED)) return false;
    this.tail = load<u32>(header, 8);
    this.firstAppend = load<u32>(header, 12);
    this.firstOffset = load<u32>(header, 24);
    store<u32>(firstAppends + ((<usize>page) << 2), this.firstAppend);
    return true;
  }

  /** Erases the flash page and writes this header with the 8-byte `link`; false = flash error. */
  write(link: usize): bool {
    const page = this.sequence & PAGE_MASK;
    store<u32>(header, PAGE_MAGIC);
    store<u32>(header, this.sequence, 4);
    store<u32>(header, this.tail, 8);
    store<u32>(header, this.firstAppend, 12);
    memory.copy(header + 16, link, LINK_SIZE);
    store<u32>(header, this.firstOffset, 24);
    store<u32>(header, 0, 28);
    computeCode();
    memory.copy(header + COVERED, digest, CODE_SIZE);
    store<u32>(firstAppends + ((<usize>page) << 2), this.firstAppend);
    if (flashErase(page) != 0) return false;
    return flashWrite(page * PAGE_SIZE, header, PAGE_HEADER_SIZE) == 0;
  }
}

function computeCode(): void {
  hmacSha256(nonceKey, 32, header, COVERED, digest);
}
