// SPDX-License-Identifier: Apache-2.0
// What the journal's flash holds (docs/protocol.md, section 7) and what power loss may do to it.
//
// The window is a ring of 32 pages. The page with sequence number s lies at page s mod 32, so wear
// is even by construction. A page begins with a header; after it come batches, one behind the
// other, each the records of one commit. A batch runs on behind the header of the next page if need
// be.
//
//   page header, 40 bytes          batch, padded with zeros to 8 bytes
//    0  magic u32                   0  nonce 12
//    4  sequence u32               12  content length u16, format u16
//    8  tail u32                   16  append number u32
//   12  first append u32           20  sealed number u32
//   16  first link 8               24  link 8
//   24  first offset u32           32  content, encrypted
//   28  zero u32                    +  tag 16
//   32  code 8
//
// `link` is the start of the tag of the batch before: the batches form a chain. `first ...` tell
// which batch starts first in the page, where, and its link. `tail` is the oldest page that still
// matters. `sealed number` is the counter value of the latest sealed batch up to this one. Content:
// { kind u8 (+ 0x80 for a removal) | key u32 | length u16 (not in a removal) | value }, all numbers
// little-endian. Encryption is ChaCha20-Poly1305 with bytes 12 to 31 as additional data. The nonce
// is a keyed hash of those bytes and the content, so no nonce ever serves two contents, whatever
// power loss or an old copy of the flash makes the journal write twice. `code` is a keyed hash too.
//
// What power loss may do, and why it costs nothing:
// - A cut inside a batch leaves any subset of its bits. Its tag fails: none of it happened.
// - Such words may read differently at each boot, so a batch cut at its very end may seem whole. At
//   boot nothing is written behind the last batch: it is copied to a fresh page before it is
//   believed, and the log goes on there. A page may thus claim the append number of a batch in an
//   older page; the newest page with a whole batch under a claim wins. (That something was written
//   behind a batch would be no proof of it: a cut erase leaves any content too.)
// - A cut inside an erase leaves any content. A page is erased only where the header of the page in
//   which the log ended before this append has a later tail, so nothing in it is needed, whether
//   this append comes true or not.
// - Records in the tail page that still live are appended anew before the tail moves on.
//
// What it can do: each boot opens a page. After some five boots in a row that are all cut between
// that and the emptying of the tail page, pages run out and the journal answers DAMAGED.

import { FLASH_PAGE_SIZE, FLASH_SIZE } from "../board";

export const PAGE_SIZE: u32 = FLASH_PAGE_SIZE;
export const PAGE_COUNT: u32 = FLASH_SIZE / FLASH_PAGE_SIZE;
export const PAGE_MASK: u32 = PAGE_COUNT - 1;
export const PAGE_HEADER_SIZE: u32 = 40;
/** "FLJ1" in ASCII: Florin journal, format 1. */
export const PAGE_MAGIC: u32 = 0x314a4c46;

/** Bytes of a batch before its content, of its tag, and of both together. */
export const BATCH_HEADER_SIZE: i32 = 32;
export const BATCH_OVERHEAD: i32 = 48;
/** Offset in a batch of what its tag covers besides the content, and the length of it. */
export const BATCH_BOUND_OFFSET: i32 = 12;
export const BATCH_BOUND_SIZE: i32 = 20;
export const LINK_SIZE: i32 = 8;
/** Format number in every batch; another one is not read. */
export const BATCH_FORMAT: u16 = 1;

/**
 * Longest content of a batch, longest value, largest kind. A value with its batch fits in one page:
 * a journal full of longer ones could not be turned round. The longest that the firmware appends is
 * a full part of a list, 3,840 bytes (trust/revocationList.ts); notes and tickets have less than
 * 3,000. The one buffer in memory is as long as the longest batch.
 */
export const BATCH_LIMIT: i32 = 5192;
export const VALUE_LIMIT: i32 = 4000;
export const KIND_LIMIT: u8 = 63;
/** Bytes of content before a value, and of a removal. */
export const PUT_HEAD_SIZE: i32 = 7;
export const REMOVAL_SIZE: i32 = 5;
export const REMOVAL_FLAG: u8 = 0x80;

/** The journal's own record: number of boots, u32. Kinds 1 and up are the callers'. */
export const BOOT_KIND: u8 = 0;

/** Most records alive at one time, and how many of them are kept for promised records. */
export const RECORD_LIMIT: i32 = 420;
export const PROMISED_RECORDS: i32 = 20;
/** Most flash one record takes besides its value: its head, a batch of its own and the padding. */
export const RECORD_OVERHEAD: i32 = PUT_HEAD_SIZE + BATCH_OVERHEAD + 7;

/**
 * Pages that an ordinary append leaves free. Emptying the tail page opens up to 4, since its last
 * batch may be long; a boot opens 1, or 3 where the last batch is long. What is left is for boots
 * that are cut one after the other before they have emptied the tail page.
 */
export const SPARE_PAGES: i32 = 8;
/** Room for live records: what always fits in 19 pages, so that a whole turn of the ring helps. */
export const LIVE_LIMIT: i32 = 19 * <i32>(PAGE_SIZE - PAGE_HEADER_SIZE);

/** Size in flash of a batch with `length` bytes of content. */
export function batchSize(length: i32): i32 {
  return (BATCH_OVERHEAD + length + 7) & ~7;
}

/** What `Journal.open` found. */
export enum OpenResult {
  /** The journal is open, with all that was committed. */
  READY,
  /** The flash was fresh and is formatted now; the journal is open and holds nothing. */
  EMPTY,
  /** The journal cannot be read; `Journal.damage` tells where. It stays closed. */
  DAMAGED,
  /** The flash is an older copy than the counter says. The journal stays closed. */
  ROLLED_BACK,
}

/** Why a journal is damaged. */
export enum Damage {
  NONE,
  /** The flash holds something, but no page header of a journal. */
  NO_HEADER,
  /** The tail page, where the log begins, is missing. */
  PAGE_MISSING,
  /** A batch is missing that later ones follow. */
  BATCH_MISSING,
  /** The flash or the counter refuses to work. */
  DEVICE,
}
