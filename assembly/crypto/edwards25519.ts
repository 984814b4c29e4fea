// SPDX-License-Identifier: Apache-2.0
// Points of the curve -x^2 + y^2 = 1 + d x^2 y^2 (RFC 8032, section 5.1.4) in extended coordinates
// (X : Y : Z : T) with x = X/Z, y = Y/Z, xy = T/Z. The formulas are complete: no special cases.
import { wipe } from "./bytes";
import { fieldFromBytes, fieldToBytes } from "./encoding25519";
import {
  FIELD_SIZE,
  fieldAdd,
  fieldDoublingTerms,
  fieldMultiply,
  fieldNegate,
  fieldSet,
  fieldSquare,
  fieldSubtract,
  fieldSumDifference,
} from "./field25519";
import { fieldInvert, fieldPower22523 } from "./inverse25519";
import { CURVE_2D, CURVE_D, ROOT_OF_MINUS_ONE } from "./table25519";

/** Bytes of a point: X, Y, Z and T. */
export const POINT_SIZE: i32 = 160;
/** Offsets of the coordinates in a point. */
export const Y: usize = 40;
export const Z: usize = 80;
export const T: usize = 120;

/** The four terms of a sum: X = E F, Y = G H, Z = F G, T = E H. Widths: 5 at most. */
const e = memory.data(FIELD_SIZE, 8);
const f = memory.data(FIELD_SIZE, 8);
const g = memory.data(FIELD_SIZE, 8);
const h = memory.data(FIELD_SIZE, 8);
const scratch = memory.data(4 * FIELD_SIZE, 8);
const bytes = memory.data(32, 8);

/** point = the neutral element (0, 1). */
export function pointSetNeutral(point: usize): void {
  fieldSet(point, 0);
  fieldSet(point + Y, 1);
  fieldSet(point + Z, 1);
  fieldSet(point + T, 0);
}

/** point = 2 point. T is left stale unless `withT`; doubling does not read it, additions do. */
export function pointDouble(point: usize, withT: bool): void {
  fieldAdd(e, point, point + Y);
  fieldSquare(e, e);
  fieldSquare(f, point + Z);
  fieldSquare(g, point);
  fieldSquare(h, point + Y);
  // E = (X + Y)^2 - X^2 - Y^2, G = Y^2 - X^2, H = X^2 + Y^2, F = 2 Z^2 - G. Against RFC 8032 F and
  // H have changed their signs, so all four coordinates do, which leaves the point as it is.
  fieldDoublingTerms(e, f, g, h);
  finish(point, withT);
}

/**
 * point += the affine point whose (y + x) / 2, (y - x) / 2 and d x y are at `cached`, 3 elements.
 * All four terms of the sum are half of what they usually are, which cancels, and 2 Z is saved.
 */
export function pointAddAffine(point: usize, cached: usize, withT: bool): void {
  fieldSumDifference(h, e, point + Y, point);
  fieldMultiply(h, h, cached);
  fieldMultiply(e, e, cached + FIELD_SIZE);
  fieldMultiply(f, point + T, cached + 2 * FIELD_SIZE);
  fieldSumDifference(h, e, h, e);
  fieldSumDifference(g, f, point + Z, f);
  finish(point, withT);
}

/** cached = Y + X, Y - X, 2 Z and 2 d T of the point: 4 elements for `pointAddCached`. */
export function pointCache(cached: usize, point: usize): void {
  fieldSumDifference(cached, cached + FIELD_SIZE, point + Y, point);
  fieldAdd(cached + Z, point + Z, point + Z);
  fieldMultiply(cached + T, point + T, CURVE_2D);
}

/** point += the point behind `cached`. */
export function pointAddCached(point: usize, cached: usize, withT: bool): void {
  fieldSumDifference(h, e, point + Y, point);
  fieldMultiply(h, h, cached);
  fieldMultiply(e, e, cached + FIELD_SIZE);
  fieldMultiply(f, point + T, cached + T);
  fieldMultiply(g, point + Z, cached + Z);
  fieldSumDifference(h, e, h, e);
  fieldSumDifference(g, f, g, f);
  finish(point, withT);
}

function finish(point: usize, withT: bool): void {
  fieldMultiply(point, e, f);
  fieldMultiply(point + Y, g, h);
  fieldMultiply(point + Z, f, g);
  if (withT) fieldMultiply(point + T, e, h);
}

/** Writes the 32-byte encoding of RFC 8032, section 5.1.2: y and the lowest bit of x. */
export function pointEncode(output: usize, point: usize): void {
  fieldInvert(e, point + Z);
  fieldMultiply(f, point, e);
  fieldMultiply(g, point + Y, e);
  fieldToBytes(bytes, f);
  fieldToBytes(output, g);
  const sign = load<u8>(bytes) << 7;
  store<u8>(output, load<u8>(output, 31) | sign, 31);
  wipe(bytes, 32);
  wipePointScratch();
}

/**
 * Section 5.1.3: reads a point. False where the encoding is not the canonical one of a point on
 * the curve. For public points, since it branches.
 */
export function pointDecode(point: usize, encoding: usize): bool {
  fieldFromBytes(point + Y, encoding);
  fieldToBytes(bytes, point + Y);
  const sign = load<u8>(encoding, 31) >> 7;
  store<u8>(bytes, load<u8>(bytes, 31) | (sign << 7), 31);
  if (memory.compare(bytes, encoding, 32) != 0) return false;
  // x^2 = u / v with u = y^2 - 1, v = d y^2 + 1; the candidate root is u v^3 (u v^7)^((p - 5) / 8).
  const u = scratch;
  const v = scratch + FIELD_SIZE;
  const root = scratch + 2 * FIELD_SIZE;
  const check = scratch + 3 * FIELD_SIZE;
  fieldSet(point + Z, 1);
  fieldSquare(u, point + Y);
  fieldMultiply(v, u, CURVE_D);
  fieldSubtract(u, u, point + Z);
  fieldAdd(v, v, point + Z);
  fieldSquare(check, v);
  fieldMultiply(root, check, v); // v^3
  fieldSquare(check, root);
  fieldMultiply(check, check, v); // v^7
  fieldMultiply(check, check, u);
  fieldMultiply(root, root, u); // u v^3
  fieldPower22523(point, check);
  fieldMultiply(point, point, root);
  fieldSquare(check, point);
  fieldMultiply(check, check, v);
  fieldNegate(root, check);
  fieldAdd(root, root, u);
  if (!fieldIsZero(root)) {
    fieldAdd(root, check, u);
    if (!fieldIsZero(root)) return false;
    fieldMultiply(point, point, ROOT_OF_MINUS_ONE);
  }
  fieldToBytes(bytes, point);
  if ((load<u8>(bytes) & 1) != sign) {
    // Minus zero is no canonical encoding of zero.
    if (fieldIsZero(point)) return false;
    fieldNegate(point, point);
  }
  fieldMultiply(point + T, point, point + Y);
  return true;
}

/**
 * Tells whether 8 times the point is neutral. The eight such points are those with x = 0 (order 1
 * and 2), y = 0 (order 4) or x^2 + y^2 = 0 (order 8, twice the point having y = 0).
 */
export function pointIsSmallOrder(point: usize): bool {
  fieldSquare(e, point);
  fieldSquare(f, point + Y);
  fieldAdd(e, e, f);
  fieldMultiply(e, e, point);
  fieldMultiply(e, e, point + Y);
  return fieldIsZero(e);
}

/** Wipes what additions and doublings of secret points leave behind. */
export function wipePointScratch(): void {
  wipe(e, FIELD_SIZE);
  wipe(f, FIELD_SIZE);
  wipe(g, FIELD_SIZE);
  wipe(h, FIELD_SIZE);
}

function fieldIsZero(a: usize): bool {
  fieldToBytes(bytes, a);
  return (
    (load<u64>(bytes) | load<u64>(bytes, 8) | load<u64>(bytes, 16) | load<u64>(bytes, 24)) == 0
  );
}
