// SPDX-License-Identifier: Apache-2.0
// Time (Date/Time 154, Clock/Timer): the board's clock, never earlier than the latest time that a
// server signed. A host that sets a clock back cannot revive what has expired beyond that floor.
import { clock } from "../board";
import { journal } from "../flash/journal";

const KIND: u8 = 3;
const KEY_FLOOR: u32 = 0;
const scratch: usize = memory.data(8, 8);
let floor: u64 = 0;

/** Takes the floor from the journal; at boot, before any message. */
export function loadFloor(): void {
  floor = 0;
  if (journal.read(KIND, KEY_FLOOR, 0, scratch, 8)) floor = load<u64>(scratch);
}

/** The latest time that was signed, in seconds since 1970; 0 if none was. */
export function floorSeconds(): u64 {
  return floor;
}

/** Raises the floor, never lowers it; false if the journal could not take it. */
export function raiseFloor(seconds: u64): bool {
  if (seconds <= floor) return true;
  store<u64>(scratch, seconds);
  journal.begin();
  journal.put(KIND, KEY_FLOOR, scratch, 8);
  if (!journal.commit(false)) return false;
  floor = seconds;
  return true;
}

/** The time in milliseconds since 1970, at least the floor. */
export function nowMs(): u64 {
  const now = clock();
  const earliest = floor * 1000;
  return now < 0 || <u64>now < earliest ? earliest : <u64>now;
}

/** The time in seconds since 1970, at least the floor. */
export function nowSeconds(): u64 {
  return nowMs() / 1000;
}

/** What to tell a peer: the time in milliseconds, or 0 where the board does not know it. */
export function toldMs(): u64 {
  return clock() < 0 ? 0 : nowMs();
}
