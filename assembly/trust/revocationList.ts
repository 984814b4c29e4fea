// SPDX-License-Identifier: Apache-2.0
// The list of untrusted agents (Security Manager 144) or of bad module ids (Maintain Security),
// signed by a server of the own root (docs/protocol.cddl section 2). Up to 4,320 ids, in flash.
//
// A list comes in parts. They are kept beside the list in use, which they replace in one append
// once the last is there; until then, and at any loss of power, the old list stands.
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Purpose } from "../codec/purpose";
import { journal } from "../flash/journal";
import { Reason } from "./reasons";
import { ServerObject } from "./serverObject";

const KIND: u8 = 2;
const ID_SIZE: i32 = 8;
/** Ids of one part: its record is no longer than a note's. */
const PART_IDS: i32 = 480;
const PARTS_LIMIT: u64 = 9;
const VERSION_MAX: u64 = 0xffffffff;

// Keys: 0 describes the list in use, 1 the one that arrives; 16 and 32 begin their parts. The
// description: version, issued (8 bytes each), parts, bit set of those that are there, first key.
const KEY_ACTIVE: u32 = 0;
const KEY_ARRIVING: u32 = 1;
const FIRST_KEY_EVEN: u32 = 16;
const FIRST_KEY_ODD: u32 = 32;
const DESCRIPTION_SIZE: i32 = 28;
const AT_VERSION: usize = 0;
const AT_ISSUED: usize = 8;
const AT_PARTS: usize = 16;
const AT_PRESENT: usize = 20;
const AT_FIRST_KEY: usize = 24;

const active: usize = memory.data(32, 8);
const arriving: usize = memory.data(32, 8);
const probe: usize = memory.data(16, 8);

/** Takes the descriptions from the journal; at boot. */
export function loadLists(): void {
  memory.fill(active, 0, 32);
  memory.fill(arriving, 0, 32);
  journal.read(KIND, KEY_ACTIVE, 0, active, DESCRIPTION_SIZE);
  journal.read(KIND, KEY_ARRIVING, 0, arriving, DESCRIPTION_SIZE);
}

/** Version of the list in use; 0 if there is none. */
export function listVersion(): u64 {
  return load<u64>(active + AT_VERSION);
}

/** Whether an id of 8 bytes is on the list in use. */
export function isListed(id: Bytes): bool {
  if (id.length != ID_SIZE) return false;
  const parts = load<u32>(active + AT_PARTS);
  const firstKey = load<u32>(active + AT_FIRST_KEY);
  // Ids ascend over all parts: the one part to search ends at or after the id.
  for (let part: u32 = 0; part < parts; part++) {
    const count = journal.lengthOf(KIND, firstKey + part) / ID_SIZE;
    if (count <= 0 || compareAt(firstKey + part, count - 1, id) < 0) continue;
    return isInPart(firstKey + part, count, id);
  }
  return false;
}

function isInPart(key: u32, count: i32, id: Bytes): bool {
  let low = 0;
  let high = count - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = compareAt(key, middle, id);
    if (order == 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

/** Order of the stored id number `index` of a part and `id`. */
function compareAt(key: u32, index: i32, id: Bytes): i32 {
  if (!journal.read(KIND, key, index * ID_SIZE, probe, ID_SIZE)) return 1;
  return memory.compare(probe, pointerOf(id), ID_SIZE);
}

/**
 * Takes one list-part, whose bytes are used up. Reason 0, 1, 4, 5 (not newer than the list in use),
 * 6, 10 or 11.
 */
export function receiveListPart(pointer: usize, length: i32): i32 {
  const object = new ServerObject();
  if (!object.read(pointer, length)) return Reason.MALFORMED;
  const reader = new CborReader(object.payload, object.payloadLength);
  reader.arrayOf(5);
  const version = reader.uintAtMost(VERSION_MAX);
  const issued = reader.u64();
  const part = <u32>reader.uintAtMost(PARTS_LIMIT - 1);
  const parts = <u32>reader.uintAtMost(PARTS_LIMIT);
  const count = reader.array();
  if (reader.failed || version == 0 || part >= parts || count > PART_IDS) return Reason.MALFORMED;
  if (version <= listVersion()) return Reason.ALREADY_DONE;
  const reason = object.reason(Purpose.LIST, issued);
  if (reason != Reason.NONE) return reason;
  // Ids are gathered where they stand: each shrinks by its one-byte head.
  const ids = reader.itemStart;
  for (let index = 0; index < count; index++) {
    if (!reader.view() || reader.viewLength != ID_SIZE) return Reason.MALFORMED;
    const target = ids + <usize>(index * ID_SIZE);
    memory.copy(target, reader.viewPointer, ID_SIZE);
    if (index > 0 && memory.compare(target - ID_SIZE, target, ID_SIZE) >= 0) {
      return Reason.MALFORMED;
    }
  }
  if (!reader.atEnd() || (count == 0 && parts > 1)) return Reason.MALFORMED;
  return storePart(version, issued, part, parts, ids, count);
}

function storePart(version: u64, issued: u64, part: u32, parts: u32, ids: usize, count: i32): i32 {
  const arrivingVersion = load<u64>(arriving + AT_VERSION);
  if (version < arrivingVersion) return Reason.ALREADY_DONE;
  const isSame =
    version == arrivingVersion &&
    parts == load<u32>(arriving + AT_PARTS) &&
    issued == load<u64>(arriving + AT_ISSUED);
  const isOdd = load<u32>(active + AT_FIRST_KEY) == FIRST_KEY_ODD;
  const firstKey = isOdd ? FIRST_KEY_EVEN : FIRST_KEY_ODD;
  journal.begin();
  if (!isSame) {
    // A newer list takes the place of one that did not arrive whole.
    removeParts(firstKey);
    store<u64>(arriving + AT_VERSION, version);
    store<u64>(arriving + AT_ISSUED, issued);
    store<u32>(arriving + AT_PARTS, parts);
    store<u32>(arriving + AT_PRESENT, 0);
    store<u32>(arriving + AT_FIRST_KEY, firstKey);
  }
  const present = load<u32>(arriving + AT_PRESENT) | (1 << part);
  store<u32>(arriving + AT_PRESENT, present);
  journal.put(KIND, firstKey + part, ids, count * ID_SIZE);
  journal.put(KIND, KEY_ARRIVING, arriving, DESCRIPTION_SIZE);
  if (!journal.commit(false)) {
    loadLists();
    return Reason.JOURNAL_FULL;
  }
  return present == (1 << parts) - 1 ? replaceList(firstKey, parts) : Reason.NONE;
}

/** All parts are there: they become the list in use if they ascend from one to the next. */
function replaceList(firstKey: u32, parts: u32): i32 {
  let isAscending = true;
  for (let part: u32 = 1; part < parts; part++) {
    const before = firstKey + part - 1;
    const offset = journal.lengthOf(KIND, before) - ID_SIZE;
    const last = new StaticArray<u8>(ID_SIZE);
    const isRead = journal.read(KIND, before, offset, pointerOf(last), ID_SIZE);
    if (!isRead || compareAt(firstKey + part, 0, last) <= 0) isAscending = false;
  }
  journal.begin();
  journal.remove(KIND, KEY_ARRIVING);
  if (isAscending) {
    removeParts(load<u32>(active + AT_FIRST_KEY));
    journal.put(KIND, KEY_ACTIVE, arriving, DESCRIPTION_SIZE);
  } else {
    removeParts(firstKey);
  }
  const isKept = journal.commit(false);
  loadLists();
  if (!isKept) return Reason.JOURNAL_FULL;
  return isAscending ? Reason.NONE : Reason.MALFORMED;
}

function removeParts(firstKey: u32): void {
  for (let part: u32 = 0; part < <u32>PARTS_LIMIT; part++) {
    if (journal.has(KIND, firstKey + part)) journal.remove(KIND, firstKey + part);
  }
}
