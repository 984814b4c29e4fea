// SPDX-License-Identifier: Apache-2.0
// The double multiplication behind Ed25519 verification (RFC 8032, section 5.1.7): both scalars are
// written in signed odd digits with runs of zeros between them (Handbook of Elliptic and
// Hyperelliptic Curve Cryptography, algorithm 9.14) and share their doublings. Variable time: for
// public values only.
import { ENTRY_SIZE, firstPoint, oddMultiplesTable, secondPoint, workspace } from "./baseTables";
import {
  POINT_SIZE,
  pointAddAffine,
  pointAddCached,
  pointCache,
  pointDouble,
  pointSetNeutral,
  T,
} from "./edwards25519";
import { fieldFromBytes } from "./encoding25519";
import { FIELD_SIZE, fieldNegate } from "./field25519";

/** Digits are odd and below 2^(WIDTH - 1) in size: the odd multiples up to 15 of either point. */
const WIDTH: i32 = 5;
const MULTIPLES: i32 = 8;
/** One digit per bit; scalars below L have 253 bits and a last digit may carry one further. */
const DIGITS: i32 = 256;

const baseDigits = memory.data(256, 8);
const keyDigits = memory.data(256, 8);
const keyMultiples = workspace;
const entry = firstPoint;
const twice = secondPoint;
const remainder = memory.data(40, 8);

/** point = baseScalar B - keyScalar point; both scalars below L. */
export function verifyMultiply(point: usize, baseScalar: usize, keyScalar: usize): void {
  const baseMultiples = oddMultiplesTable();
  recode(baseDigits, baseScalar);
  recode(keyDigits, keyScalar);
  tabulate(point);
  pointSetNeutral(point);
  let i = DIGITS - 1;
  while (i > 0 && load<i8>(baseDigits + i) == 0 && load<i8>(keyDigits + i) == 0) i--;
  for (; i >= 0; i--) {
    const baseDigit = <i32>load<i8>(baseDigits + i);
    const keyDigit = <i32>load<i8>(keyDigits + i);
    pointDouble(point, baseDigit != 0 || keyDigit != 0);
    if (keyDigit != 0) addKeyMultiple(point, keyDigit, baseDigit != 0);
    if (baseDigit != 0) addBaseMultiple(point, baseMultiples, baseDigit);
  }
}

/** keyMultiples = -A, -3A up to -15A, ready for additions; A is at `point`. */
function tabulate(point: usize): void {
  fieldNegate(point, point);
  fieldNegate(point + T, point + T);
  pointCache(keyMultiples, point);
  memory.copy(twice, point, POINT_SIZE);
  pointDouble(twice, true);
  pointCache(entry, twice);
  for (let i = 1; i < MULTIPLES; i++) {
    pointAddCached(point, entry, true);
    pointCache(keyMultiples + i * POINT_SIZE, point);
  }
}

function addKeyMultiple(point: usize, digit: i32, withT: bool): void {
  const cached = keyMultiples + (abs(digit) >> 1) * POINT_SIZE;
  if (digit > 0) {
    pointAddCached(point, cached, withT);
    return;
  }
  // Minus a point: Y + X and Y - X change places and T its sign.
  memory.copy(entry, cached + FIELD_SIZE, FIELD_SIZE);
  memory.copy(entry + FIELD_SIZE, cached, FIELD_SIZE);
  memory.copy(entry + 2 * FIELD_SIZE, cached + 2 * FIELD_SIZE, FIELD_SIZE);
  fieldNegate(entry + T, cached + T);
  pointAddCached(point, entry, withT);
}

function addBaseMultiple(point: usize, multiples: usize, digit: i32): void {
  const packed = multiples + (abs(digit) >> 1) * ENTRY_SIZE;
  fieldFromBytes(entry, digit > 0 ? packed : packed + 32);
  fieldFromBytes(entry + FIELD_SIZE, digit > 0 ? packed + 32 : packed);
  fieldFromBytes(entry + 2 * FIELD_SIZE, packed + 64);
  if (digit < 0) fieldNegate(entry + 2 * FIELD_SIZE, entry + 2 * FIELD_SIZE);
  pointAddAffine(point, entry, false);
}

/** digits = the width-5 non-adjacent form of the scalar, one signed byte per bit. */
function recode(digits: usize, scalar: usize): void {
  memory.fill(digits, 0, DIGITS);
  memory.fill(remainder, 0, 40);
  memory.copy(remainder, scalar, 32);
  let carry: u32 = 0;
  for (let i = 0; i < DIGITS; ) {
    const bits = (load<u32>(remainder + (i >> 3)) >> (i & 7)) & ((1 << WIDTH) - 1);
    const window = bits + carry;
    if ((window & 1) == 0) {
      i++;
      continue;
    }
    // A window in its upper half becomes negative and hands 1 to the bits above it.
    carry = window >> (WIDTH - 1);
    store<i8>(digits + i, <i32>window - <i32>(carry << WIDTH));
    i += WIDTH;
  }
}
