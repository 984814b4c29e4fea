// SPDX-License-Identifier: Apache-2.0
// Note Directory of Fig. 4: what every stored note is still worth, and which notes pay an amount
// (par. 129; Fig. 12 steps 568-570, Fig. 20 steps 1566 and 1608).
import { journal } from "../flash/journal";
import { TRANSFERS_LIMIT, NOTES_LIMIT, PACKET_NOTES_LIMIT, SECONDS_PER_DAY } from "./limits";
import { packUnit } from "./note";
import { NOTE_STATE_KIND, NoteRecord } from "./noteRecord";

/** One owned note in RAM. */
export class Entry {
  /** Journal key of the note's records. */
  key: u32;
  unit: u32;
  /** Minor units not paid out yet. */
  remaining: u64;
  /** Seconds since 1970. */
  expiry: u64;
  transfers: i32;
  /** Taken by a payment that is not decided yet; no other payment may use the note. */
  reserved: bool = false;

  constructor(key: u32, record: NoteRecord) {
    this.key = key;
    this.unit = packUnit(record.unit);
    this.remaining = record.amount - record.paidOut;
    this.expiry = record.expiry;
    this.transfers = record.transfers;
  }
}

/** Notes chosen for one payment and what each gives. */
export class Choice {
  count: i32 = 0;
  entries: StaticArray<Entry | null> = new StaticArray<Entry | null>(PACKET_NOTES_LIMIT);
  /** Minor units, more than 0 each; their sum is the amount. */
  values: StaticArray<u64> = new StaticArray<u64>(PACKET_NOTES_LIMIT);

  /** Marks the notes as taken, or free again. */
  reserve(reserved: bool): void {
    for (let i = 0; i < this.count; i++) this.entries[i]!.reserved = reserved;
  }
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
}

/** Subsets looked at before the best one found so far is taken: bounds the work of a choice. */
const SEARCH_BUDGET: i32 = 20000;

export class Directory {
  count: i32 = 0;
  entries: StaticArray<Entry | null> = new StaticArray<Entry | null>(NOTES_LIMIT);

  // The search's candidates and its current and best subsets, as indices of candidates.
  private candidates: StaticArray<Entry | null> = new StaticArray<Entry | null>(NOTES_LIMIT);
  private candidateCount: i32 = 0;
  private current: StaticArray<i32> = new StaticArray<i32>(PACKET_NOTES_LIMIT);
  private best: StaticArray<i32> = new StaticArray<i32>(PACKET_NOTES_LIMIT);
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
    if (this.count < NOTES_LIMIT) this.entries[this.count++] = new Entry(key, record);
  }

  /** Takes a note's entry out, if there is one. */
  remove(key: u32): void {
    for (let i = 0; i < this.count; i++) {
      if (this.entries[i]!.key != key) continue;
      this.entries[i] = this.entries[--this.count];
      this.entries[this.count] = null;
      return;
    }
  }

  /** What the notes of `unit` are worth at `nowSeconds`. */
  funds(unit: u32, nowSeconds: u64): Funds {
    const funds = new Funds();
    for (let i = 0; i < this.count; i++) {
      const entry = this.entries[i]!;
      if (entry.unit != unit) continue;
      if (this.isSpendable(entry, nowSeconds, false)) funds.spendable += entry.remaining;
      else funds.refresh += entry.remaining;
    }
    return funds;
  }

  /**
   * Chooses notes for `amount` (par. 129): the fewest notes; among these the fewest transfers; then
   * the fewest monetary-unit-days, the values given times the days until the notes expire. Exact
   * unless more than SEARCH_BUDGET subsets compete. Returns a number of `Found`.
   */
  choose(unit: u32, amount: u64, nowSeconds: u64, toTeller: bool, choice: Choice): i32 {
    choice.count = 0;
    this.nowSeconds = nowSeconds;
    const taken = this.gather(unit, nowSeconds, toTeller);
    let size = 0;
    let sum: u64 = 0;
    while (size < this.candidateCount && sum < amount) {
      sum += this.candidates[size++]!.remaining;
    }
    if (sum < amount || amount == 0) {
      return amount > 0 && taken >= amount - sum ? Found.RESERVED : Found.INSUFFICIENT;
    }
    if (size > PACKET_NOTES_LIMIT) return Found.TOO_MANY_NOTES;
    this.bestTransfers = i32.MAX_VALUE;
    this.budget = SEARCH_BUDGET;
    // The first subset tried is the largest `size` notes, so there always is a best one.
    this.search(0, 0, size, 0, 0, amount);
    this.fill(choice, size, amount);
    return Found.CHOSEN;
  }

  private isSpendable(entry: Entry, nowSeconds: u64, toTeller: bool): bool {
    return nowSeconds < entry.expiry && (toTeller || entry.transfers < TRANSFERS_LIMIT);
  }

  /** Sorts the usable notes by falling value; returns the value of those taken by others. */
  private gather(unit: u32, nowSeconds: u64, toTeller: bool): u64 {
    let taken: u64 = 0;
    this.candidateCount = 0;
    for (let i = 0; i < this.count; i++) {
      const entry = this.entries[i]!;
      if (entry.unit != unit || !this.isSpendable(entry, nowSeconds, toTeller)) continue;
      if (entry.reserved) {
        taken += entry.remaining;
        continue;
      }
      let place = this.candidateCount++;
      while (place > 0 && this.candidates[place - 1]!.remaining < entry.remaining) {
        this.candidates[place] = this.candidates[place - 1];
        place--;
      }
      this.candidates[place] = entry;
    }
    return taken;
  }

  /** Tries every subset of `size` candidates, from index `from` on, whose sum reaches `amount`. */
  private search(depth: i32, from: i32, size: i32, sum: u64, transfers: i32, amount: u64): void {
    if (depth == size) {
      this.weigh(size, sum, transfers, amount);
      return;
    }
    const left = size - depth;
    for (let i = from; i <= this.candidateCount - left; i++) {
      if (this.budget <= 0 && this.bestTransfers != i32.MAX_VALUE) return;
      this.budget--;
      const entry = this.candidates[i]!;
      // Candidates fall in value: if the next `left` ones do not reach the amount, none later do.
      let reachable = sum;
      for (let k = 0; k < left; k++) reachable += this.candidates[i + k]!.remaining;
      if (reachable < amount) return;
      if (transfers + entry.transfers > this.bestTransfers) continue;
      this.current[depth] = i;
      const next = depth + 1;
      this.search(next, i + 1, size, sum + entry.remaining, transfers + entry.transfers, amount);
    }
  }

  /** Keeps the current subset if it is better than the best so far. */
  private weigh(size: i32, sum: u64, transfers: i32, amount: u64): void {
    let unitDays: u64 = 0;
    let longest: u64 = 0;
    for (let k = 0; k < size; k++) {
      const entry = this.candidates[this.current[k]]!;
      const days = this.daysLeft(entry);
      unitDays += entry.remaining * days;
      longest = max(longest, days);
    }
    // The change stays in the note that lives longest.
    unitDays -= (sum - amount) * longest;
    if (transfers > this.bestTransfers) return;
    if (transfers == this.bestTransfers && unitDays >= this.bestUnitDays) return;
    this.bestTransfers = transfers;
    this.bestUnitDays = unitDays;
    for (let k = 0; k < size; k++) this.best[k] = this.current[k];
  }

  /** Days until a note expires, whole days up; capped so that no product overflows. */
  private daysLeft(entry: Entry): u64 {
    const seconds = entry.expiry - this.nowSeconds;
    return min<u64>(512, (seconds + SECONDS_PER_DAY - 1) / SECONDS_PER_DAY);
  }

  /** Writes the best subset to `choice`; the longest-lived note gives what the others leave. */
  private fill(choice: Choice, size: i32, amount: u64): void {
    let sum: u64 = 0;
    let longest = 0;
    for (let k = 0; k < size; k++) {
      const entry = this.candidates[this.best[k]]!;
      choice.entries[k] = entry;
      choice.values[k] = entry.remaining;
      sum += entry.remaining;
      if (this.daysLeft(entry) > this.daysLeft(choice.entries[longest]!)) longest = k;
    }
    choice.values[longest] -= sum - amount;
    choice.count = size;
  }
}
