// SPDX-License-Identifier: Apache-2.0
// Multiples of the base point B that signing and verifying look up (comb25519.ts, verify25519.ts).
// They are computed when they are first needed after a start, since the code for that is shorter
// than they are, in about the time of one X25519. All values here are public.
//
// An entry is an affine point as (y + x) / 2, (y - x) / 2 and d x y, 32 bytes each.
import {
  POINT_SIZE,
  pointAddCached,
  pointCache,
  pointDecode,
  pointDouble,
  T,
  Y,
  Z,
} from "./edwards25519";
import { fieldFromBytes, fieldToBytes } from "./encoding25519";
import {
  FIELD_SIZE,
  fieldAdd,
  fieldMultiply,
  fieldNegate,
  fieldSet,
  fieldSquare,
  fieldSumDifference,
} from "./field25519";
import { fieldInvert } from "./inverse25519";
import { BASE_POINT, CURVE_2D } from "./table25519";

export const ENTRY_SIZE: i32 = 96;
/** The comb: blocks of teeth, the bits from one tooth to the next, and the entries of a block. */
export const BLOCKS: i32 = 2;
export const TEETH: i32 = 5;
export const SPACING: i32 = 26;
export const BLOCK_ENTRIES: i32 = 16;
const COMB_ENTRIES: i32 = 32;
const ODD_ENTRIES: i32 = 8;

const comb = memory.data(3072, 8);
const oddMultiples = memory.data(768, 8);

/** Memory for what is public and of passing use, here and in verify25519.ts: 8 points and 2. */
export const workspace = memory.data(1280, 8);
export const firstPoint = memory.data(160, 8);
export const secondPoint = memory.data(160, 8);

/**
 * The comb's entries: entry i of block j is the sum over teeth t of +-2^(26 t + 130 j) B, the top
 * tooth positive, the others by the bits of i.
 */
export function combTable(): usize {
  // No entry begins with eight zeros.
  if (load<u64>(comb) == 0) {
    pointDecode(secondPoint, BASE_POINT);
    for (let block = 0; block < BLOCKS; block++) {
      fillBlock(comb + block * (BLOCK_ENTRIES * ENTRY_SIZE), firstPoint, secondPoint);
    }
    makeAffine(comb, COMB_ENTRIES);
  }
  return comb;
}

/** B, 3B, 5B up to 15B. */
export function oddMultiplesTable(): usize {
  if (load<u64>(oddMultiples) == 0) {
    const sum = firstPoint;
    const twice = secondPoint;
    pointDecode(sum, BASE_POINT);
    memory.copy(twice, sum, POINT_SIZE);
    pointDouble(twice, true);
    pointCache(workspace, twice);
    keep(oddMultiples, sum);
    for (let i = 1; i < ODD_ENTRIES; i++) {
      pointAddCached(sum, workspace, true);
      keep(oddMultiples + i * ENTRY_SIZE, sum);
    }
    makeAffine(oddMultiples, ODD_ENTRIES);
  }
  return oddMultiples;
}

/** Fills a block whose lowest tooth is `tooth`, which becomes that of the next block. */
function fillBlock(entries: usize, sum: usize, tooth: usize): void {
  const doubles = workspace;
  const addend = workspace + TEETH * POINT_SIZE;
  for (let t = 0; t < TEETH; t++) {
    pointCache(addend, tooth);
    if (t == 0) {
      memory.copy(sum, tooth, POINT_SIZE);
    } else {
      // Entry 0: the top tooth less the sum of all others.
      if (t == TEETH - 1) {
        fieldNegate(sum, sum);
        fieldNegate(sum + T, sum + T);
      }
      pointAddCached(sum, addend, true);
    }
    pointDouble(tooth, true);
    pointCache(doubles + t * POINT_SIZE, tooth);
    for (let i = 1; i < SPACING; i++) pointDouble(tooth, true);
  }
  keep(entries, sum);
  for (let i = 1; i < BLOCK_ENTRIES; i++) {
    // Where the lowest bit that is set was clear, its tooth counts twice more.
    takeUp(entries + (i & (i - 1)) * ENTRY_SIZE, sum);
    pointAddCached(sum, doubles + ctz(i) * POINT_SIZE, true);
    keep(entries + i * ENTRY_SIZE, sum);
  }
}

/** Stores X, Y and Z of a point in the place of an entry. */
function keep(entry: usize, point: usize): void {
  fieldToBytes(entry, point);
  fieldToBytes(entry + 32, point + Y);
  fieldToBytes(entry + 64, point + Z);
}

/** The point kept in the place of an entry, with all of its coordinates multiplied by Z. */
function takeUp(entry: usize, point: usize): void {
  fieldFromBytes(point, entry);
  fieldFromBytes(point + Y, entry + 32);
  fieldFromBytes(point + Z, entry + 64);
  fieldMultiply(point + T, point, point + Y);
  fieldMultiply(point, point, point + Z);
  fieldMultiply(point + Y, point + Y, point + Z);
  fieldSquare(point + Z, point + Z);
}

/** Turns kept points into entries, with one inversion for all of them (Montgomery's trick). */
function makeAffine(table: usize, count: i32): void {
  const x = firstPoint;
  const y = firstPoint + FIELD_SIZE;
  const z = firstPoint + 2 * FIELD_SIZE;
  const factor = firstPoint + 3 * FIELD_SIZE;
  const product = secondPoint;
  fieldSet(product, 1);
  for (let i = 0; i < count; i++) {
    memory.copy(workspace + i * FIELD_SIZE, product, FIELD_SIZE);
    fieldFromBytes(z, table + i * ENTRY_SIZE + 64);
    fieldMultiply(product, product, z);
  }
  // The inverse of twice the product of all Z, then of all before entry i: factor = 1 / (2 Z).
  fieldAdd(factor, product, product);
  fieldInvert(product, factor);
  for (let i = count - 1; i >= 0; i--) {
    const entry = table + i * ENTRY_SIZE;
    fieldMultiply(factor, product, workspace + i * FIELD_SIZE);
    fieldFromBytes(x, entry);
    fieldFromBytes(y, entry + 32);
    fieldFromBytes(z, entry + 64);
    fieldMultiply(product, product, z);
    fieldMultiply(x, x, factor);
    fieldMultiply(y, y, factor);
    // d x y = 2 (2 d) (x / 2) (y / 2)
    fieldMultiply(z, x, y);
    fieldMultiply(z, z, CURVE_2D);
    fieldAdd(z, z, z);
    fieldToBytes(entry + 64, z);
    fieldSumDifference(x, y, y, x);
    fieldToBytes(entry, x);
    fieldToBytes(entry + 32, y);
  }
}
