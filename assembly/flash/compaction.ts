// SPDX-License-Identifier: Apache-2.0
// Making room: live records of the oldest page are appended anew, then the tail moves on. Each
// batch moved is one append, so a cut anywhere leaves every record in at least one place.
import { content, contentLength, isFromThisTurn, isOpened, openBatch, readBatch } from "./batch";
import { PAGE_MASK, PUT_HEAD_SIZE, REMOVAL_FLAG, REMOVAL_SIZE } from "./format";
import { Index } from "./index";
import { log } from "./log";
import { applyBatch } from "./recovery";

/** Opens the batch at `place`, unless its plain text is in the buffer already. Needs the keys. */
export function fetchBatch(place: u32): bool {
  if (isOpened(place)) return true;
  return readBatch(place) && isFromThisTurn(place) && openBatch(place);
}

/** Moves the tail over pages in which no live record begins. */
export function advanceTail(index: Index): void {
  while (log.tail != log.head && index.findInPage(log.tail & PAGE_MASK) < 0) log.tail++;
}

/**
 * Empties the tail page and moves the tail behind it. False where that cannot be: the log has one
 * page only, its free pages are used up, or the flash fails. Needs the keys.
 */
export function emptyTailPage(index: Index): bool {
  advanceTail(index);
  const page = log.tail & PAGE_MASK;
  if (log.tail == log.head) return false;
  for (let slot = index.findInPage(page); slot >= 0; slot = index.findInPage(page)) {
    const place = index.placeOf(slot);
    if (!fetchBatch(place)) return false;
    const length = dropDeadRecords(index, place);
    if (!log.append(length, log.sealed) || !openBatch(log.lastPlace)) return false;
    applyBatch(index, log.lastPlace);
  }
  advanceTail(index);
  return true;
}

/** Leaves in the opened batch only what still lives there; returns the length that remains. */
function dropDeadRecords(index: Index, place: u32): i32 {
  const length = contentLength();
  let kept = 0;
  let at = 0;
  while (at < length) {
    const record = content + <usize>at;
    const kind = load<u8>(record);
    if ((kind & REMOVAL_FLAG) != 0) {
      // What a removal removes lies in this page or before it, so it has done its work.
      at += REMOVAL_SIZE;
      continue;
    }
    const size = PUT_HEAD_SIZE + <i32>load<u16>(record, 5);
    const slot = index.find(kind, load<u32>(record, 1));
    if (slot >= 0 && index.placeOf(slot) == place) {
      memory.copy(content + <usize>kept, record, <usize>size);
      kept += size;
    }
    at += size;
  }
  return kept;
}
