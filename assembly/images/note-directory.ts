// SPDX-License-Identifier: Apache-2.0
// Test image: the note directory alone, so that a test can compare its choices (par. 129) with
// those of a model that tries everything. Never ships.
import { chooseInOrder } from "../note/bankChoice";
import { Choice, Directory } from "../note/directory";
import { NoteRecord } from "../note/noteRecord";

const directory = new Directory();
const choice = new Choice();

/** Empties the directory. */
export function clear(): void {
  directory.count = 0;
}

/** Enters a note of the unit with number 1 or 2: minor units, expiry in seconds, transfers. */
export function add(key: u32, unit: u32, amount: u64, expiry: u64, transfers: u32): void {
  const record = new NoteRecord();
  store<u8>(record.at(1), <u8>transfers);
  store<u8>(record.at(4), <u8>unit);
  store<u64>(record.at(64), amount);
  store<u64>(record.at(88), expiry);
  directory.add(key, record);
}

/** Chooses; returns a number of `Found`. */
export function choose(unit: u32, amount: u64, nowSeconds: u64, toBank: bool): i32 {
  const found = directory.choose(unit, amount, nowSeconds, toBank, choice);
  __collect();
  return found;
}

/** Chooses in an `Order`, for `most` at most; returns what it comes to. */
export function chooseSorted(order: bool, unit: u32, most: u64, nowSeconds: u64): u64 {
  const any = new StaticArray<u8>(0);
  const sum = chooseInOrder(order, directory, unit, most, nowSeconds, any, choice);
  __collect();
  return sum;
}

/** Takes the chosen notes for a payment, or gives them free. */
export function reserve(isReserved: bool): void {
  directory.reserve(choice, isReserved);
}

/** Takes what was chosen off the notes, as a commit does. */
export function leave(): void {
  directory.promise(choice);
  directory.leave(choice);
}

/** Takes what was chosen off the notes, as a promise does; and gives it back. */
export function promise(isKept: bool): void {
  if (isKept) directory.promise(choice);
  else directory.giveBack(choice);
}

export function chosen(): i32 {
  return choice.count;
}
export function keyAt(index: i32): u32 {
  return choice.keys[index];
}
export function valueAt(index: i32): u64 {
  return choice.values[index];
}
