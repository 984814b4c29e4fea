// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo the group order L = 2^252 + 27742317777372353535851937790883648493 (RFC 8032,
// section 5.1), constant time: schoolbook products of 32-bit words and Barrett's reduction
// (Handbook of Applied Cryptography, algorithm 14.42).
import { wipe } from "./bytes";
import { BARRETT_MULTIPLIER, GROUP_ORDER } from "./table25519";

const wide = memory.data(64, 8);
const quotient = memory.data(72, 8);
const multiple = memory.data(72, 8);
const difference = memory.data(36, 4);

/** Tells whether the 32 bytes at `scalar` are below L; for public values, since it branches. */
export function scalarIsCanonical(scalar: usize): bool {
  for (let i = 28; i >= 0; i -= 4) {
    const word = load<u32>(scalar + i);
    const limit = load<u32>(GROUP_ORDER + i);
    if (word != limit) return word < limit;
  }
  return false;
}

/** out = the 64-byte little-endian number at `input`, modulo L, in 32 bytes. */
export function scalarReduce(out: usize, input: usize): void {
  // q = floor(floor(x / 2^224) * floor(2^512 / L) / 2^288) is the quotient or at most 2 less.
  multiplyWords(quotient, input + 28, 9, BARRETT_MULTIPLIER, 9);
  multiplyWords(multiple, quotient + 36, 9, GROUP_ORDER, 9);
  // The remainder is below 3L: nine words are enough to hold it and the rest cancels.
  subtractWords(difference, input, multiple);
  subtractOrder();
  subtractOrder();
  memory.copy(out, difference, 32);
  wipe(quotient, 72);
  wipe(multiple, 72);
  wipe(difference, 36);
}

/** out = a * b + c modulo L; each 32 bytes, below 2^256 and together below 2^512. */
export function scalarMultiplyAdd(out: usize, a: usize, b: usize, c: usize): void {
  multiplyWords(wide, a, 8, b, 8);
  let carry: u64 = 0;
  for (let i = 0; i < 64; i += 4) {
    carry += <u64>load<u32>(wide + i);
    if (i < 32) carry += <u64>load<u32>(c + i);
    store<u32>(wide + i, <u32>carry);
    carry >>= 32;
  }
  scalarReduce(out, wide);
  wipe(wide, 64);
}

/** out = a * b for numbers of `aWords` and `bWords` 32-bit words. */
function multiplyWords(out: usize, a: usize, aWords: i32, b: usize, bWords: i32): void {
  memory.fill(out, 0, (aWords + bWords) << 2);
  for (let i = 0; i < aWords; i++) {
    const factor = <u64>load<u32>(a + (i << 2));
    let carry: u64 = 0;
    for (let j = 0; j < bWords; j++) {
      const target = out + ((i + j) << 2);
      carry += factor * <u64>load<u32>(b + (j << 2)) + <u64>load<u32>(target);
      store<u32>(target, <u32>carry);
      carry >>= 32;
    }
    store<u32>(out + ((i + bWords) << 2), <u32>carry);
  }
}

/** out = a - b modulo 2^288; returns 1 where that went below zero, else 0. */
function subtractWords(out: usize, a: usize, b: usize): u32 {
  let borrow: i64 = 0;
  for (let i = 0; i < 36; i += 4) {
    borrow += <i64>load<u32>(a + i) - <i64>load<u32>(b + i);
    store<u32>(out + i, <u32>borrow);
    borrow >>= 32;
  }
  return <u32>borrow & 1;
}

/** Takes L off the difference where it is at least L, by mask and not by branch. */
function subtractOrder(): void {
  const mask: u32 = subtractWords(multiple, difference, GROUP_ORDER) - 1;
  for (let i = 0; i < 36; i += 4) {
    const kept = load<u32>(difference + i);
    store<u32>(difference + i, kept ^ (mask & (kept ^ load<u32>(multiple + i))));
  }
}
