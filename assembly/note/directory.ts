// SPDX-License-Identifier: Apache-2.0
// Note Directory of Fig. 4: what every stored note is still worth, and which notes pay an amount
// (par. 129; Fig. 12 steps 568-570, Fig. 20 steps 1566 and 1608). The rows lie in static memory:
// the heap of a money module is small.
import { journal } from "../flash/journal";
import {
  GRACE_SECONDS,
  NOTES_LIMIT,
  PACKET_NOTES_LIMIT,
  SECONDS_PER_DAY,
  TRANSFERS_LIMIT,
} from "./limits";
import { packUnit } from "./note";
import { NOTE_STATE_KIND, NoteRecord } from "./noteRecord";

// One row: journal key u32, unit u32, minor units not paid out yet u64, expiry u32, transfers u8,
// and whether a running payment has taken the note u8.
const ROW_SIZE: i32 = 24;
const rows: usize = memory.data(NOTES_LIMIT * ROW_SIZE, 8);
// Rows that may be chosen, by falling value; places among them of the subset tried and the best.
const candidates: usize = memory.data(NOTES_LIMIT);
const current: usize = memory.data(PACKET_NOTES_LIMIT);
const best: usize = memory.data(PACKET_NOTES_LIMIT);

/** Address of the row at `index`, below `count`; the next functions read one. */
export function rowAt(index: i32): usize {
  return rows + <usize>(index * ROW_SIZE);
}
export function keyOf(row: usize): u32 {
  return load<u32>(row);
}
export function unitOf(row: usize): u32 {
  return load<u32>(row, 4);
}
export function remainingOf(row: usize): u64 {
  return load<u64>(row, 8);
}
export function expiryOf(row: usize): u64 {
  return <u64>load<u32>(row, 16);
}
export function transfersOf(row: usize): i32 {
  return <i32>load<u8>(row, 20);
}
export function isReserved(row: usize): bool {
  return load<u8>(row, 21) != 0;
}

/** Row of the candidate at `place`. */
function candidate(place: i32): usize {
  return rowAt(<i32>load<u8>(candidates + <usize>place));
}

/** Notes chosen for one payment, by journal key, and what each gives. */
export class Choice {
  count: i32 = 0;
  keys: StaticArray<u32> = new StaticArray<u32>(PACKET_NOTES_LIMIT);
  /** Minor units, more than 0 each; their sum is the amount. */
  values: StaticArray<u64> = new StaticArray<u64>(PACKET_NOTES_LIMIT);
}

/** Sums of one unit, in minor units. */
export class Funds {
  spendable: u64 = 0;
  /** Notes that only a bank takes: expired, or with too many transfers. */
  refresh: u64 = 0;
}

/** What a directory may answer to a choice. */
export namespace Found {
  export const CHOSEN: i32 = 0;
  export const INSUFFICIENT: i32 = 1;
  /** Enough, but in more notes than one packet takes. */
  export const TOO_MANY_NOTES: i32 = 2;
  /** Enough only with the notes that another running payment has taken. */
  export const RESERVED: i32 = 3;
  /** A new note could not be made: no random numbers, or no keys. */
  export const FAILED: i32 = 4;
}

/** Subsets looked at before the best one found so far is taken: bounds the work of a choice. */
const SEARCH_BUDGET: i32 = 20000;

export class Directory {
  count: i32 = 0;
  private candidateCount: i32 = 0;
  private bestTransfers: i32 = 0;
  private bestUnitDays: u64 = 0;
  private budget: i32 = 0;
  private nowSeconds: u64 = 0;

  /** Reads all owned notes anew from the journal. */
  rebuild(): void {
    this.count = 0;
    const record = new NoteRecord();
    let cursor = journal.first(NOTE_STATE_KIND);
    while (cursor >= 0) {
      const key = journal.keyAt(cursor);
      if (record.load(key) && record.owned) this.add(key, record);
      cursor = journal.next(NOTE_STATE_KIND, cursor);
    }
  }

  /** Enters a note; what is beyond the limit stays in flash and is entered at the next rebuild. */
  add(key: u32, record: NoteRecord): void {
    if (this.count == NOTES_LIMIT) return;
    const row = rowAt(this.count++);
    store<u32>(row, key);
    store<u32>(row, packUnit(record.unit), 4);
    store<u64>(row, record.amount - record.paidOut, 8);
    store<u32>(row, <u32>min<u64>(record.expiry, u32.MAX_VALUE), 16);
    store<u8>(row, <u8>record.transfers, 20);
    store<u8>(row, 0, 21);
  }

  /** Takes what is promised off the chosen notes, which stay taken until it is decided. */
  promise(choice: Choice): void {
    this.reserve(choice, true);
    for (let i = 0; i < choice.count; i++) {
      const row = this.find(choice.keys[i]);
      if (row != 0) store<u64>(row, remainingOf(row) - choice.values[i], 8);
    }
  }

  /** What was promised is not paid: the notes are whole and free again. */
  giveBack(choice: Choice): void {
    this.reserve(choice, false);
    for (let i = 0; i < choice.count; i++) {
      const row = this.find(choice.keys[i]);
      if (row != 0) store<u64>(row, remainingOf(row) + choice.values[i], 8);
    }
  }

  /** What was promised is paid: the notes that are used up leave, the others are free again. */
  leave(choice: Choice): void {
    this.reserve(choice, false);
    for (let i = 0; i < choice.count; i++) {
      const row = this.find(choice.keys[i]);
      if (row != 0 && remainingOf(row) == 0) this.remove(choice.keys[i]);
    }
    choice.count = 0;
  }

  /** Takes a note out. */
  remove(key: u32): void {
    const row = this.find(key);
    if (row != 0) memory.copy(row, rowAt(--this.count), ROW_SIZE);
  }

  /** Marks the chosen notes as taken, or free again. */
  reserve(choice: Choice, reserved: bool): void {
    for (let i = 0; i < choice.count; i++) {
      const row = this.find(choice.keys[i]);
      if (row != 0) store<u8>(row, reserved ? 1 : 0, 21);
    }
  }

  /** Unit of the note in row `index`, below `count`. */
  unitAt(index: i32): u32 {
    return unitOf(rowAt(index));
  }

  /** What the notes of `unit` are worth at `nowSeconds`. */
  funds(unit: u32, nowSeconds: u64): Funds {
    const funds = new Funds();
    for (let i = 0; i < this.count; i++) {
      const row = rowAt(i);
      if (unitOf(row) != unit) continue;
      if (isSpendable(row, nowSeconds, false)) funds.spendable += remainingOf(row);
      else funds.refresh += remainingOf(row);
    }
    return funds;
  }

  /**
   * Chooses notes for `amount` (par. 129): the fewest notes; among these the fewest transfers; then
   * the fewest monetary-unit-days, the values given times the days until the notes expire. Exact
   * unless more than SEARCH_BUDGET subsets compete. Returns a number of `Found`.
   */
  choose(unit: u32, amount: u64, nowSeconds: u64, toBank: bool, choice: Choice): i32 {
    choice.count = 0;
    this.nowSeconds = nowSeconds;
    const taken = this.gather(unit, toBank);
    let size = 0;
    let sum: u64 = 0;
    while (size < this.candidateCount && sum < amount) sum += remainingOf(candidate(size++));
    if (amount == 0) return Found.INSUFFICIENT;
    if (sum < amount) return taken >= amount - sum ? Found.RESERVED : Found.INSUFFICIENT;
    if (size > PACKET_NOTES_LIMIT) return Found.TOO_MANY_NOTES;
    this.bestTransfers = i32.MAX_VALUE;
    this.budget = SEARCH_BUDGET;
    // The first subset tried is the largest `size` notes, so there always is a best one.
    this.search(0, 0, size, 0, 0, amount);
    this.fill(choice, size, amount);
    return Found.CHOSEN;
  }

  private find(key: u32): usize {
    for (let i = 0; i < this.count; i++) if (keyOf(rowAt(i)) == key) return rowAt(i);
    return 0;
  }

  /** Sorts the usable notes by falling value; returns the value of those taken by others. */
  private gather(unit: u32, toBank: bool): u64 {
    let taken: u64 = 0;
    this.candidateCount = 0;
    for (let i = 0; i < this.count; i++) {
      const row = rowAt(i);
      if (unitOf(row) != unit || !isSpendable(row, this.nowSeconds, toBank)) continue;
      if (isReserved(row)) {
        taken += remainingOf(row);
        continue;
      }
      let place = this.candidateCount++;
      while (place > 0 && remainingOf(candidate(place - 1)) < remainingOf(row)) {
        store<u8>(candidates + <usize>place, load<u8>(candidates + <usize>place - 1));
        place--;
      }
      store<u8>(candidates + <usize>place, <u8>i);
    }
    return taken;
  }

  /** Tries every subset of `size` candidates, from place `from` on, whose sum reaches `amount`. */
  private search(depth: i32, from: i32, size: i32, sum: u64, transfers: i32, amount: u64): void {
    if (depth == size) {
      this.weigh(size, sum, transfers, amount);
      return;
    }
    const left = size - depth;
    for (let i = from; i <= this.candidateCount - left; i++) {
      if (this.budget <= 0 && this.bestTransfers != i32.MAX_VALUE) return;
      this.budget--;
      // Candidates fall in value: if the next `left` ones do not reach the amount, none later do.
      let reachable = sum;
      for (let k = 0; k < left; k++) reachable += remainingOf(candidate(i + k));
      if (reachable < amount) return;
      const row = candidate(i);
      const sumOfTransfers = transfers + transfersOf(row);
      if (sumOfTransfers > this.bestTransfers) continue;
      store<u8>(current + <usize>depth, <u8>i);
      this.search(depth + 1, i + 1, size, sum + remainingOf(row), sumOfTransfers, amount);
    }
  }

  /** Keeps the current subset if it is better than the best so far. */
  private weigh(size: i32, sum: u64, transfers: i32, amount: u64): void {
    let unitDays: u64 = 0;
    let longest: u64 = 0;
    for (let k = 0; k < size; k++) {
      const row = candidate(<i32>load<u8>(current + <usize>k));
      const days = this.daysLeft(row);
      unitDays += remainingOf(row) * days;
      longest = max(longest, days);
    }
    // The change stays in the note that lives longest.
    unitDays -= (sum - amount) * longest;
    if (transfers > this.bestTransfers) return;
    if (transfers == this.bestTransfers && unitDays >= this.bestUnitDays) return;
    this.bestTransfers = transfers;
    this.bestUnitDays = unitDays;
    memory.copy(best, current, <usize>size);
  }

  /** Days until a note expires, whole days up; capped so that no product overflows. */
  private daysLeft(row: usize): u64 {
    if (expiryOf(row) <= this.nowSeconds) return 0;
    const seconds = expiryOf(row) - this.nowSeconds;
    return min<u64>(512, (seconds + SECONDS_PER_DAY - 1) / SECONDS_PER_DAY);
  }

  /** Writes the best subset to `choice`; the longest-lived note gives what the others leave. */
  private fill(choice: Choice, size: i32, amount: u64): void {
    let sum: u64 = 0;
    let longest = 0;
    let mostDays: u64 = 0;
    for (let k = 0; k < size; k++) {
      const row = candidate(<i32>load<u8>(best + <usize>k));
      choice.keys[k] = keyOf(row);
      choice.values[k] = remainingOf(row);
      sum += remainingOf(row);
      const days = this.daysLeft(row);
      if (days > mostDays) {
        mostDays = days;
        longest = k;
      }
    }
    choice.values[longest] -= sum - amount;
    choice.count = size;
  }
}

/**
 * Before its expiry and below the cap of transfers; a bank takes more, and for some days longer.
 */
export function isSpendable(row: usize, nowSeconds: u64, toBank: bool): bool {
  if (toBank) return nowSeconds < expiryOf(row) + GRACE_SECONDS;
  return nowSeconds < expiryOf(row) && transfersOf(row) < TRANSFERS_LIMIT;
}
