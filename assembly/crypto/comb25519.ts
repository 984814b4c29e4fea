// SPDX-License-Identifier: Apache-2.0
// Multiples of the base point B in constant time, by a signed comb (Hamburg, "Fast and compact
// elliptic-curve cryptography", section 3.3): 52 additions and 25 doublings for any scalar.
import { BLOCK_ENTRIES, BLOCKS, combTable, ENTRY_SIZE, SPACING, TEETH } from "./baseTables";
import { wipe } from "./bytes";
import { pointAddAffine, pointDouble, pointSetNeutral, wipePointScratch } from "./edwards25519";
import { fieldFromBytes } from "./encoding25519";
import { FIELD_SIZE, fieldNegateIf } from "./field25519";
import { scalarMultiplyAdd } from "./scalar25519";
import { COMB_OFFSET, SCALAR_HALF } from "./table25519";

/** 260 bits; those from 253 on stay clear. */
const digits = memory.data(33, 8);
const packed = memory.data(ENTRY_SIZE, 8);
const entry = memory.data(3 * FIELD_SIZE, 8);

/** point = scalar B for a secret 32-byte scalar. The caller wipes the point (POINT_SIZE bytes). */
export function baseMultiply(point: usize, scalar: usize): void {
  const table = combTable();
  // Write the scalar with digits +1 and -1 only: sum of (2 c_i - 1) 2^i over 260 bits equals it if
  // c = (scalar + 2^260 - 1) / 2 modulo L. Then no digit is zero and none needs a special case.
  scalarMultiplyAdd(digits, scalar, SCALAR_HALF, COMB_OFFSET);
  pointSetNeutral(point);
  for (let position = SPACING - 1; position >= 0; position--) {
    if (position < SPACING - 1) pointDouble(point, true);
    for (let block = 0; block < BLOCKS; block++) {
      let index: u32 = 0;
      for (let tooth = TEETH - 1; tooth >= 0; tooth--) {
        const bit = position + SPACING * (tooth + TEETH * block);
        index = (index << 1) | ((load<u8>(digits + (bit >> 3)) >> (bit & 7)) & 1);
      }
      selectEntry(table + block * (BLOCK_ENTRIES * ENTRY_SIZE), index);
      pointAddAffine(point, entry, block < BLOCKS - 1 || position > 0);
    }
  }
  wipe(digits, 33);
  wipe(packed, ENTRY_SIZE);
  wipe(entry, 3 * FIELD_SIZE);
  wipePointScratch();
}

/**
 * entry = the signed table entry of a block for `index`, 5 bits: the top one is the sign. Every
 * entry is read, so that neither branches nor addresses depend on the index.
 */
function selectEntry(table: usize, index: u32): void {
  const negative: u32 = (index >> 4) ^ 1;
  // A negative top tooth: minus the entry with all the other signs changed.
  const wanted = (index ^ (0 - negative)) & (BLOCK_ENTRIES - 1);
  for (let part = 0; part < ENTRY_SIZE; part += 32) {
    let word0: u64 = 0;
    let word1: u64 = 0;
    let word2: u64 = 0;
    let word3: u64 = 0;
    let from = table + part;
    for (let i = 0; i < BLOCK_ENTRIES; i++) {
      // All ones where this is the wanted entry, else zero: only then does the difference borrow.
      const mask = <u64>(<i64>((<i32>(i ^ wanted) - 1) >> 31));
      word0 |= mask & load<u64>(from);
      word1 |= mask & load<u64>(from, 8);
      word2 |= mask & load<u64>(from, 16);
      word3 |= mask & load<u64>(from, 24);
      from += ENTRY_SIZE;
    }
    store<u64>(packed + part, word0);
    store<u64>(packed + part, word1, 8);
    store<u64>(packed + part, word2, 16);
    store<u64>(packed + part, word3, 24);
  }
  // Minus (x, y) is (-x, y): y + x and y - x change places and d x y its sign.
  const swap: u64 = 0 - <u64>negative;
  for (let j: usize = packed; j < packed + 32; j += 8) {
    const change = swap & (load<u64>(j) ^ load<u64>(j, 32));
    store<u64>(j, load<u64>(j) ^ change);
    store<u64>(j, load<u64>(j, 32) ^ change, 32);
  }
  fieldFromBytes(entry, packed);
  fieldFromBytes(entry + FIELD_SIZE, packed + 32);
  fieldFromBytes(entry + 2 * FIELD_SIZE, packed + 64);
  fieldNegateIf(entry + 2 * FIELD_SIZE, negative);
}
