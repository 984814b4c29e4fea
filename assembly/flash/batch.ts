// SPDX-License-Identifier: Apache-2.0
// One batch in memory: sealing it for the flash and opening it again (format.ts). There is a single
// buffer; it holds the batch being written, or the plain text of the one last read as a cache.
import { flashRead } from "../board";
import { openBox, sealBox, TAG_SIZE } from "../crypto/chacha20poly1305";
import { hmacSha256 } from "../crypto/hmac";
import { wipe } from "../crypto/bytes";
import {
  BATCH_BOUND_OFFSET,
  BATCH_BOUND_SIZE,
  BATCH_FORMAT,
  BATCH_HEADER_SIZE,
  BATCH_LIMIT,
  batchSize,
  LINK_SIZE,
  PAGE_HEADER_SIZE,
  PAGE_MASK,
  PAGE_SIZE,
} from "./format";
import { boxKey, nonceKey } from "./keys";
import { firstAppendOf } from "./pageHeader";

const NONCE_SIZE: i32 = 12;
const BUFFER_SIZE: i32 = BATCH_HEADER_SIZE + BATCH_LIMIT + TAG_SIZE + 8;

/** The batch as it lies in flash; its content is plain or encrypted in place. */
export const image = memory.data(BUFFER_SIZE, 8);
/** The content within `image`. */
export const content: usize = image + <usize>BATCH_HEADER_SIZE;

const digest = memory.data(32, 8);

/** Place whose plain text is in the buffer, or NOWHERE. */
const NOWHERE: u32 = 0xffffffff;
let openedPlace: u32 = NOWHERE;

/** Header fields of the batch in `image`. */
export function contentLength(): i32 {
  return <i32>load<u16>(image, 12);
}
export function appendNumber(): u32 {
  return load<u32>(image, 16);
}
export function sealedNumber(): u32 {
  return load<u32>(image, 20);
}
export const link: usize = image + 24;

/** Start of the tag of the batch in `image`: the link of the batch after it. */
export function tagPointer(): usize {
  return content + <usize>contentLength();
}

/** Completes and encrypts the batch whose `length` bytes of content are in place. */
export function sealBatch(length: i32, append: u32, sealed: u32, previous: usize): void {
  openedPlace = NOWHERE;
  store<u16>(image, <u16>length, 12);
  store<u16>(image, BATCH_FORMAT, 14);
  store<u32>(image, append, 16);
  store<u32>(image, sealed, 20);
  memory.copy(link, previous, LINK_SIZE);
  const bound = image + <usize>BATCH_BOUND_OFFSET;
  hmacSha256(nonceKey, 32, bound, BATCH_BOUND_SIZE + length, digest);
  memory.copy(image, digest, NONCE_SIZE);
  sealBox(boxKey, image, bound, BATCH_BOUND_SIZE, content, length, content);
  const end = BATCH_HEADER_SIZE + length + TAG_SIZE;
  memory.fill(image + <usize>end, 0, <usize>(batchSize(length) - end));
}

/**
 * Reads the batch at `place` (offset in the window) into `image`, still encrypted, passing over
 * page headers on the way. False where there cannot be one.
 */
export function readBatch(place: u32): bool {
  openedPlace = NOWHERE;
  if (!readAround(place, image, BATCH_HEADER_SIZE)) return false;
  const length = contentLength();
  if (length > BATCH_LIMIT || load<u16>(image, 14) != BATCH_FORMAT) return false;
  const behind = passHeader(place, BATCH_HEADER_SIZE);
  return readAround(behind, content, batchSize(length) - BATCH_HEADER_SIZE);
}

/** Decrypts the batch in `image`, which is that at `place`; false where it is not genuine. */
export function openBatch(place: u32): bool {
  const length = contentLength() + TAG_SIZE;
  const bound = image + <usize>BATCH_BOUND_OFFSET;
  const genuine = openBox(boxKey, image, bound, BATCH_BOUND_SIZE, content, length, content);
  if (genuine) openedPlace = place;
  return genuine;
}

/** Whether the buffer holds the plain text of the batch at `place`. */
export function isOpened(place: u32): bool {
  return openedPlace == place;
}

/** Whether the page of `place` can hold a batch of this number: no batch of an earlier turn. */
export function isFromThisTurn(place: u32): bool {
  return appendNumber() >= firstAppendOf(place / PAGE_SIZE);
}

/** Overwrites the buffer: no plain text stays in memory. */
export function wipeBatch(): void {
  openedPlace = NOWHERE;
  wipe(image, BUFFER_SIZE);
}

/** The place `length` bytes of batch after `place`; whole batches leave no page by more than 2. */
function passHeader(place: u32, length: u32): u32 {
  const room = PAGE_SIZE - (place % PAGE_SIZE);
  if (length < room) return place + length;
  const page = (place / PAGE_SIZE + 1) & PAGE_MASK;
  return page * PAGE_SIZE + PAGE_HEADER_SIZE + (length - room);
}

/** Reads `length` bytes of batch from `place` on, over page boundaries. */
function readAround(place: u32, pointer: usize, length: i32): bool {
  while (length > 0) {
    const part = min(length, <i32>(PAGE_SIZE - (place % PAGE_SIZE)));
    if (flashRead(place, pointer, part) != 0) return false;
    place = passHeader(place, part);
    pointer += <usize>part;
    length -= part;
  }
  return true;
}
