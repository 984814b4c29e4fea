// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo p = 2^255 - 19 (RFC 7748, section 4.1; RFC 8032, section 5.1) on ten limbs of
// 26 and 25 bits in turn, so that limb i weighs 2^ceil(25.5 i). Constant time throughout.
//
// An element is 40 bytes: ten u32 limbs, least significant first. Limbs are never negative, so two
// of them can be added by one 64-bit addition. "Width" says how many times a limb may exceed 2^26
// (even limbs) or 2^25 (odd ones): products are of width 1 and a little, and the inputs of a
// product may have widths whose product is at most 32, before 64-bit sums overflow.

/** Bytes of one element. */
export const FIELD_SIZE: i32 = 40;

/** The widths of odd and even limbs. */
export const MASK25: u64 = 0x1ffffff;
export const MASK26: u64 = 0x3ffffff;

/** 2p in pairs of limbs: added before a subtraction it keeps each limb above zero. */
const TWO_P_FIRST: u64 = 0x3fffffe07ffffda;
const TWO_P_OTHER: u64 = 0x3fffffe07fffffe;

/** out = a + b; the widths add up. */
export function fieldAdd(out: usize, a: usize, b: usize): void {
  for (let i = 0; i < FIELD_SIZE; i += 8) store<u64>(out + i, load<u64>(a + i) + load<u64>(b + i));
}

/** out = a - b for b of width 1; the width of `a` grows by 2. */
export function fieldSubtract(out: usize, a: usize, b: usize): void {
  let bias: u64 = TWO_P_FIRST;
  for (let i = 0; i < FIELD_SIZE; i += 8) {
    store<u64>(out + i, load<u64>(a + i) + bias - load<u64>(b + i));
    bias = TWO_P_OTHER;
  }
}

/** sum = a + b and difference = a - b, for b of width 1; both may be in place of a and b. */
export function fieldSumDifference(sum: usize, difference: usize, a: usize, b: usize): void {
  let bias: u64 = TWO_P_FIRST;
  for (let i = 0; i < FIELD_SIZE; i += 8) {
    const left = load<u64>(a + i);
    const right = load<u64>(b + i);
    store<u64>(sum + i, left + right);
    store<u64>(difference + i, left + bias - right);
    bias = TWO_P_OTHER;
  }
}

/**
 * The terms of a doubling (see edwards25519.ts) from (X + Y)^2, Z^2, X^2 and Y^2, all of width 1,
 * in place: e = e - g - h of width 5, g = h - g of width 3, h = h + g of width 2 and f = 2f - h +
 * g of width 5.
 */
export function fieldDoublingTerms(e: usize, f: usize, g: usize, h: usize): void {
  let bias: u64 = TWO_P_FIRST;
  for (let i = 0; i < FIELD_SIZE; i += 8) {
    const xSquare = load<u64>(g + i);
    const ySquare = load<u64>(h + i);
    const negated = bias - ySquare;
    store<u64>(e + i, load<u64>(e + i) + (bias - xSquare) + negated);
    store<u64>(f + i, (load<u64>(f + i) << 1) + negated + xSquare);
    store<u64>(g + i, ySquare + (bias - xSquare));
    store<u64>(h + i, ySquare + xSquare);
    bias = TWO_P_OTHER;
  }
}

/** out = -a for a of width 1; width 2. */
export function fieldNegate(out: usize, a: usize): void {
  let bias: u64 = TWO_P_FIRST;
  for (let i = 0; i < FIELD_SIZE; i += 8) {
    store<u64>(out + i, bias - load<u64>(a + i));
    bias = TWO_P_OTHER;
  }
}

/** a = -a where `choice` is 1, unchanged where it is 0, without a branch; a of width 1. */
export function fieldNegateIf(a: usize, choice: u32): void {
  const mask: u64 = 0 - <u64>choice;
  let bias: u64 = TWO_P_FIRST;
  for (let i = 0; i < FIELD_SIZE; i += 8) {
    const kept = load<u64>(a + i);
    store<u64>(a + i, kept ^ (mask & (kept ^ (bias - kept))));
    bias = TWO_P_OTHER;
  }
}

/**
 * out = a * b. With x = 2^51 an element is E + 2^26 O, where E holds the even limbs and O the odd
 * ones, five each; 2^52 = 2x and x^5 = 19. Karatsuba's identity then needs three products of five
 * by five limbs, p = E E', q = O O' and r = (E + O)(E' + O'), instead of four.
 */
export function fieldMultiply(out: usize, a: usize, b: usize): void {
  const ae0 = load<u32>(a);
  const ao0 = load<u32>(a, 4);
  const ae1 = load<u32>(a, 8);
  const ao1 = load<u32>(a, 12);
  const ae2 = load<u32>(a, 16);
  const ao2 = load<u32>(a, 20);
  const ae3 = load<u32>(a, 24);
  const ao3 = load<u32>(a, 28);
  const ae4 = load<u32>(a, 32);
  const ao4 = load<u32>(a, 36);
  const be0 = load<u32>(b);
  const bo0 = load<u32>(b, 4);
  const be1 = load<u32>(b, 8);
  const bo1 = load<u32>(b, 12);
  const be2 = load<u32>(b, 16);
  const bo2 = load<u32>(b, 20);
  const be3 = load<u32>(b, 24);
  const bo3 = load<u32>(b, 28);
  const be4 = load<u32>(b, 32);
  const bo4 = load<u32>(b, 36);
  const p0 = <u64>ae0 * <u64>be0;
  const p1 = <u64>ae0 * <u64>be1 + <u64>ae1 * <u64>be0;
  const p2 = <u64>ae0 * <u64>be2 + <u64>ae1 * <u64>be1 + <u64>ae2 * <u64>be0;
  const p3 = <u64>ae0 * <u64>be3 + <u64>ae1 * <u64>be2 + <u64>ae2 * <u64>be1 + <u64>ae3 * <u64>be0;
  const p4 =
    <u64>ae0 * <u64>be4 +
    <u64>ae1 * <u64>be3 +
    <u64>ae2 * <u64>be2 +
    <u64>ae3 * <u64>be1 +
    <u64>ae4 * <u64>be0;
  const p5 = <u64>ae1 * <u64>be4 + <u64>ae2 * <u64>be3 + <u64>ae3 * <u64>be2 + <u64>ae4 * <u64>be1;
  const p6 = <u64>ae2 * <u64>be4 + <u64>ae3 * <u64>be3 + <u64>ae4 * <u64>be2;
  const p7 = <u64>ae3 * <u64>be4 + <u64>ae4 * <u64>be3;
  const p8 = <u64>ae4 * <u64>be4;
  const q0 = <u64>ao0 * <u64>bo0;
  const q1 = <u64>ao0 * <u64>bo1 + <u64>ao1 * <u64>bo0;
  const q2 = <u64>ao0 * <u64>bo2 + <u64>ao1 * <u64>bo1 + <u64>ao2 * <u64>bo0;
  const q3 = <u64>ao0 * <u64>bo3 + <u64>ao1 * <u64>bo2 + <u64>ao2 * <u64>bo1 + <u64>ao3 * <u64>bo0;
  const q4 =
    <u64>ao0 * <u64>bo4 +
    <u64>ao1 * <u64>bo3 +
    <u64>ao2 * <u64>bo2 +
    <u64>ao3 * <u64>bo1 +
    <u64>ao4 * <u64>bo0;
  const q5 = <u64>ao1 * <u64>bo4 + <u64>ao2 * <u64>bo3 + <u64>ao3 * <u64>bo2 + <u64>ao4 * <u64>bo1;
  const q6 = <u64>ao2 * <u64>bo4 + <u64>ao3 * <u64>bo3 + <u64>ao4 * <u64>bo2;
  const q7 = <u64>ao3 * <u64>bo4 + <u64>ao4 * <u64>bo3;
  const q8 = <u64>ao4 * <u64>bo4;
  const as0 = ae0 + ao0;
  const as1 = ae1 + ao1;
  const as2 = ae2 + ao2;
  const as3 = ae3 + ao3;
  const as4 = ae4 + ao4;
  const bs0 = be0 + bo0;
  const bs1 = be1 + bo1;
  const bs2 = be2 + bo2;
  const bs3 = be3 + bo3;
  const bs4 = be4 + bo4;
  const r0 = <u64>as0 * <u64>bs0;
  const r1 = <u64>as0 * <u64>bs1 + <u64>as1 * <u64>bs0;
  const r2 = <u64>as0 * <u64>bs2 + <u64>as1 * <u64>bs1 + <u64>as2 * <u64>bs0;
  const r3 = <u64>as0 * <u64>bs3 + <u64>as1 * <u64>bs2 + <u64>as2 * <u64>bs1 + <u64>as3 * <u64>bs0;
  const r4 =
    <u64>as0 * <u64>bs4 +
    <u64>as1 * <u64>bs3 +
    <u64>as2 * <u64>bs2 +
    <u64>as3 * <u64>bs1 +
    <u64>as4 * <u64>bs0;
  const r5 = <u64>as1 * <u64>bs4 + <u64>as2 * <u64>bs3 + <u64>as3 * <u64>bs2 + <u64>as4 * <u64>bs1;
  const r6 = <u64>as2 * <u64>bs4 + <u64>as3 * <u64>bs3 + <u64>as4 * <u64>bs2;
  const r7 = <u64>as3 * <u64>bs4 + <u64>as4 * <u64>bs3;
  const r8 = <u64>as4 * <u64>bs4;
  let h0 = p0 + 19 * (p5 + (q4 << 1));
  let h1 = r0 - p0 - q0 + 19 * (r5 - p5 - q5);
  let h2 = p1 + (q0 << 1) + 19 * (p6 + (q5 << 1));
  let h3 = r1 - p1 - q1 + 19 * (r6 - p6 - q6);
  let h4 = p2 + (q1 << 1) + 19 * (p7 + (q6 << 1));
  let h5 = r2 - p2 - q2 + 19 * (r7 - p7 - q7);
  let h6 = p3 + (q2 << 1) + 19 * (p8 + (q7 << 1));
  let h7 = r3 - p3 - q3 + 19 * (r8 - p8 - q8);
  let h8 = p4 + (q3 << 1) + 38 * q8;
  let h9 = r4 - p4 - q4;
  h1 += h0 >> 26;
  h0 &= MASK26;
  h5 += h4 >> 26;
  h4 &= MASK26;
  h2 += h1 >> 25;
  h1 &= MASK25;
  h6 += h5 >> 25;
  h5 &= MASK25;
  h3 += h2 >> 26;
  h2 &= MASK26;
  h7 += h6 >> 26;
  h6 &= MASK26;
  h4 += h3 >> 25;
  h3 &= MASK25;
  h8 += h7 >> 25;
  h7 &= MASK25;
  h5 += h4 >> 26;
  h4 &= MASK26;
  h9 += h8 >> 26;
  h8 &= MASK26;
  h0 += 19 * (h9 >> 25);
  h9 &= MASK25;
  h1 += h0 >> 26;
  h0 &= MASK26;
  store<u32>(out, <u32>h0);
  store<u32>(out, <u32>h1, 4);
  store<u32>(out, <u32>h2, 8);
  store<u32>(out, <u32>h3, 12);
  store<u32>(out, <u32>h4, 16);
  store<u32>(out, <u32>h5, 20);
  store<u32>(out, <u32>h6, 24);
  store<u32>(out, <u32>h7, 28);
  store<u32>(out, <u32>h8, 32);
  store<u32>(out, <u32>h9, 36);
}

/** out = a * a; with the names of `fieldMultiply`, r = 2 E O, and mixed products computed once. */
export function fieldSquare(out: usize, a: usize): void {
  const ae0 = load<u32>(a);
  const ao0 = load<u32>(a, 4);
  const ae1 = load<u32>(a, 8);
  const ao1 = load<u32>(a, 12);
  const ae2 = load<u32>(a, 16);
  const ao2 = load<u32>(a, 20);
  const ae3 = load<u32>(a, 24);
  const ao3 = load<u32>(a, 28);
  const ae4 = load<u32>(a, 32);
  const ao4 = load<u32>(a, 36);
  const ae0x2 = ae0 << 1;
  const ae1x2 = ae1 << 1;
  const ae2x2 = ae2 << 1;
  const ae3x2 = ae3 << 1;
  const p0 = <u64>ae0 * <u64>ae0;
  const p1 = <u64>ae0x2 * <u64>ae1;
  const p2 = <u64>ae0x2 * <u64>ae2 + <u64>ae1 * <u64>ae1;
  const p3 = <u64>ae0x2 * <u64>ae3 + <u64>ae1x2 * <u64>ae2;
  const p4 = <u64>ae0x2 * <u64>ae4 + <u64>ae1x2 * <u64>ae3 + <u64>ae2 * <u64>ae2;
  const p5 = <u64>ae1x2 * <u64>ae4 + <u64>ae2x2 * <u64>ae3;
  const p6 = <u64>ae2x2 * <u64>ae4 + <u64>ae3 * <u64>ae3;
  const p7 = <u64>ae3x2 * <u64>ae4;
  const p8 = <u64>ae4 * <u64>ae4;
  const ao0x2 = ao0 << 1;
  const ao1x2 = ao1 << 1;
  const ao2x2 = ao2 << 1;
  const ao3x2 = ao3 << 1;
  const q0 = <u64>ao0 * <u64>ao0;
  const q1 = <u64>ao0x2 * <u64>ao1;
  const q2 = <u64>ao0x2 * <u64>ao2 + <u64>ao1 * <u64>ao1;
  const q3 = <u64>ao0x2 * <u64>ao3 + <u64>ao1x2 * <u64>ao2;
  const q4 = <u64>ao0x2 * <u64>ao4 + <u64>ao1x2 * <u64>ao3 + <u64>ao2 * <u64>ao2;
  const q5 = <u64>ao1x2 * <u64>ao4 + <u64>ao2x2 * <u64>ao3;
  const q6 = <u64>ao2x2 * <u64>ao4 + <u64>ao3 * <u64>ao3;
  const q7 = <u64>ao3x2 * <u64>ao4;
  const q8 = <u64>ao4 * <u64>ao4;
  const ae4x2 = ae4 << 1;
  const r0 = <u64>ae0x2 * <u64>ao0;
  const r1 = <u64>ae0x2 * <u64>ao1 + <u64>ae1x2 * <u64>ao0;
  const r2 = <u64>ae0x2 * <u64>ao2 + <u64>ae1x2 * <u64>ao1 + <u64>ae2x2 * <u64>ao0;
  const r3 =
    <u64>ae0x2 * <u64>ao3 + <u64>ae1x2 * <u64>ao2 + <u64>ae2x2 * <u64>ao1 + <u64>ae3x2 * <u64>ao0;
  const r4 =
    <u64>ae0x2 * <u64>ao4 +
    <u64>ae1x2 * <u64>ao3 +
    <u64>ae2x2 * <u64>ao2 +
    <u64>ae3x2 * <u64>ao1 +
    <u64>ae4x2 * <u64>ao0;
  const r5 =
    <u64>ae1x2 * <u64>ao4 + <u64>ae2x2 * <u64>ao3 + <u64>ae3x2 * <u64>ao2 + <u64>ae4x2 * <u64>ao1;
  const r6 = <u64>ae2x2 * <u64>ao4 + <u64>ae3x2 * <u64>ao3 + <u64>ae4x2 * <u64>ao2;
  const r7 = <u64>ae3x2 * <u64>ao4 + <u64>ae4x2 * <u64>ao3;
  const r8 = <u64>ae4x2 * <u64>ao4;
  let h0 = p0 + 19 * (p5 + (q4 << 1));
  let h1 = r0 + 19 * r5;
  let h2 = p1 + (q0 << 1) + 19 * (p6 + (q5 << 1));
  let h3 = r1 + 19 * r6;
  let h4 = p2 + (q1 << 1) + 19 * (p7 + (q6 << 1));
  let h5 = r2 + 19 * r7;
  let h6 = p3 + (q2 << 1) + 19 * (p8 + (q7 << 1));
  let h7 = r3 + 19 * r8;
  let h8 = p4 + (q3 << 1) + 38 * q8;
  let h9 = r4;
  h1 += h0 >> 26;
  h0 &= MASK26;
  h5 += h4 >> 26;
  h4 &= MASK26;
  h2 += h1 >> 25;
  h1 &= MASK25;
  h6 += h5 >> 25;
  h5 &= MASK25;
  h3 += h2 >> 26;
  h2 &= MASK26;
  h7 += h6 >> 26;
  h6 &= MASK26;
  h4 += h3 >> 25;
  h3 &= MASK25;
  h8 += h7 >> 25;
  h7 &= MASK25;
  h5 += h4 >> 26;
  h4 &= MASK26;
  h9 += h8 >> 26;
  h8 &= MASK26;
  h0 += 19 * (h9 >> 25);
  h9 &= MASK25;
  h1 += h0 >> 26;
  h0 &= MASK26;
  store<u32>(out, <u32>h0);
  store<u32>(out, <u32>h1, 4);
  store<u32>(out, <u32>h2, 8);
  store<u32>(out, <u32>h3, 12);
  store<u32>(out, <u32>h4, 16);
  store<u32>(out, <u32>h5, 20);
  store<u32>(out, <u32>h6, 24);
  store<u32>(out, <u32>h7, 28);
  store<u32>(out, <u32>h8, 32);
  store<u32>(out, <u32>h9, 36);
}

/** out = a + 121665 * b: the curve constant (A - 2) / 4 of RFC 7748, section 5; width 1. */
export function fieldAddScaled(out: usize, a: usize, b: usize): void {
  let carry: u64 = 0;
  for (let i = 0; i < FIELD_SIZE; i += 8) {
    carry += <u64>load<u32>(a + i) + 121665 * <u64>load<u32>(b + i);
    const even = carry & MASK26;
    carry = (carry >> 26) + <u64>load<u32>(a + i, 4) + 121665 * <u64>load<u32>(b + i, 4);
    store<u64>(out + i, even | ((carry & MASK25) << 32));
    carry >>= 25;
  }
  carry = <u64>load<u32>(out) + 19 * carry;
  store<u32>(out, <u32>(carry & MASK26));
  store<u32>(out, load<u32>(out, 4) + <u32>(carry >> 26), 4);
}

/** out = a where `choice` is 1, out unchanged where it is 0; no branch and no choice of address. */
export function fieldSelect(out: usize, a: usize, choice: u32): void {
  const mask: u64 = 0 - <u64>choice;
  for (let i = 0; i < FIELD_SIZE; i += 8) {
    const kept = load<u64>(out + i);
    store<u64>(out + i, kept ^ (mask & (kept ^ load<u64>(a + i))));
  }
}

/** out = the small number `value` (below 2^26). */
export function fieldSet(out: usize, value: u32): void {
  memory.fill(out, 0, FIELD_SIZE);
  store<u32>(out, value);
}
