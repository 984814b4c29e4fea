// SPDX-License-Identifier: Apache-2.0
// Poly1305, the one-time authenticator of RFC 8439, section 2.5, as the AEAD of section 2.8 uses
// it: every input is padded with zeros to whole 16-byte blocks. Arithmetic modulo 2^130 - 5 on five
// 26-bit limbs with 64-bit products.
import { wipe } from "./bytes";

const BLOCK_SIZE: i32 = 16;
const MASK: u32 = 0x3ffffff;

/** r in five limbs, then the accumulator in five limbs, then s as it came (4 words). */
const state = memory.data(56, 8);
const ACCUMULATOR: usize = 20;
const ADDEND: usize = 40;
const lastBlock = memory.data(16, 8);

/** Starts an authenticator with the 32-byte one-time key. */
export function poly1305Begin(key: usize): void {
  memory.fill(state, 0, 40);
  // Section 2.5: clamp r, here as it is cut into limbs.
  store<u32>(state, load<u32>(key) & 0x3ffffff);
  store<u32>(state, (load<u32>(key, 3) >> 2) & 0x3ffff03, 4);
  store<u32>(state, (load<u32>(key, 6) >> 4) & 0x3ffc0ff, 8);
  store<u32>(state, (load<u32>(key, 9) >> 6) & 0x3f03fff, 12);
  store<u32>(state, (load<u32>(key, 12) >> 8) & 0x00fffff, 16);
  memory.copy(state + ADDEND, key + 16, 16);
}

/** Authenticates `length` bytes and the zeros that fill the last block. */
export function poly1305Padded(input: usize, length: i32): void {
  const whole = length & ~(BLOCK_SIZE - 1);
  absorb(input, whole);
  const rest = length - whole;
  if (rest > 0) {
    memory.fill(lastBlock, 0, BLOCK_SIZE);
    memory.copy(lastBlock, input + whole, rest);
    absorb(lastBlock, BLOCK_SIZE);
    wipe(lastBlock, BLOCK_SIZE);
  }
}

/** Authenticates a pair of lengths in bytes, each as 8 bytes, little-endian. */
export function poly1305Lengths(first: i32, second: i32): void {
  store<u64>(lastBlock, <u64>first);
  store<u64>(lastBlock, <u64>second, 8);
  absorb(lastBlock, BLOCK_SIZE);
  wipe(lastBlock, BLOCK_SIZE);
}

/** Writes the 16-byte tag and wipes the state. */
export function poly1305End(tag: usize): void {
  const accumulator = state + ACCUMULATOR;
  // Carry twice: afterwards every limb is within its width and the value below 2^130.
  let h0 = load<u32>(accumulator);
  let h1 = load<u32>(accumulator, 4);
  let h2 = load<u32>(accumulator, 8);
  let h3 = load<u32>(accumulator, 12);
  let h4 = load<u32>(accumulator, 16);
  for (let pass = 0; pass < 2; pass++) {
    h1 += h0 >> 26;
    h2 += h1 >> 26;
    h3 += h2 >> 26;
    h4 += h3 >> 26;
    h0 = (h0 & MASK) + 5 * (h4 >> 26);
    h1 &= MASK;
    h2 &= MASK;
    h3 &= MASK;
    h4 &= MASK;
  }
  // Subtract the modulus where that does not go below zero: choose by mask, not by branch.
  let g0 = h0 + 5;
  let g1 = h1 + (g0 >> 26);
  let g2 = h2 + (g1 >> 26);
  let g3 = h3 + (g2 >> 26);
  let g4 = h4 + (g3 >> 26);
  const mask: u32 = 0 - (g4 >> 26);
  h0 ^= mask & (h0 ^ (g0 & MASK));
  h1 ^= mask & (h1 ^ (g1 & MASK));
  h2 ^= mask & (h2 ^ (g2 & MASK));
  h3 ^= mask & (h3 ^ (g3 & MASK));
  h4 ^= mask & (h4 ^ (g4 & MASK));
  let sum = <u64>(h0 | (h1 << 26)) + <u64>load<u32>(state + ADDEND);
  store<u32>(tag, <u32>sum);
  sum = <u64>((h1 >> 6) | (h2 << 20)) + <u64>load<u32>(state + ADDEND, 4) + (sum >> 32);
  store<u32>(tag, <u32>sum, 4);
  sum = <u64>((h2 >> 12) | (h3 << 14)) + <u64>load<u32>(state + ADDEND, 8) + (sum >> 32);
  store<u32>(tag, <u32>sum, 8);
  sum = <u64>((h3 >> 18) | (h4 << 8)) + <u64>load<u32>(state + ADDEND, 12) + (sum >> 32);
  store<u32>(tag, <u32>sum, 12);
  wipe(state, 56);
}

/** Takes `length` bytes, whole blocks, into the accumulator: h = (h + block + 2^128) * r. */
function absorb(input: usize, length: i32): void {
  const r0 = <u64>load<u32>(state);
  const r1 = <u64>load<u32>(state, 4);
  const r2 = <u64>load<u32>(state, 8);
  const r3 = <u64>load<u32>(state, 12);
  const r4 = <u64>load<u32>(state, 16);
  // 2^130 = 5 modulo the prime: limbs that overflow the top come back five times.
  const s1 = r1 * 5;
  const s2 = r2 * 5;
  const s3 = r3 * 5;
  const s4 = r4 * 5;
  const accumulator = state + ACCUMULATOR;
  let h0 = <u64>load<u32>(accumulator);
  let h1 = <u64>load<u32>(accumulator, 4);
  let h2 = <u64>load<u32>(accumulator, 8);
  let h3 = <u64>load<u32>(accumulator, 12);
  let h4 = <u64>load<u32>(accumulator, 16);
  const end = input + length;
  for (; input < end; input += BLOCK_SIZE) {
    h0 += <u64>(load<u32>(input) & MASK);
    h1 += <u64>((load<u32>(input, 3) >> 2) & MASK);
    h2 += <u64>((load<u32>(input, 6) >> 4) & MASK);
    h3 += <u64>(load<u32>(input, 9) >> 6);
    h4 += <u64>((load<u32>(input, 12) >> 8) | (1 << 24));
    const d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1;
    let d1 = h0 * r1 + h1 * r0 + h2 * s4 + h3 * s3 + h4 * s2;
    let d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s4 + h4 * s3;
    let d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s4;
    let d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0;
    d1 += d0 >> 26;
    d2 += d1 >> 26;
    d3 += d2 >> 26;
    d4 += d3 >> 26;
    h0 = (d0 & <u64>MASK) + 5 * (d4 >> 26);
    h1 = (d1 & <u64>MASK) + (h0 >> 26);
    h0 &= <u64>MASK;
    h2 = d2 & <u64>MASK;
    h3 = d3 & <u64>MASK;
    h4 = d4 & <u64>MASK;
  }
  store<u32>(accumulator, <u32>h0);
  store<u32>(accumulator, <u32>h1, 4);
  store<u32>(accumulator, <u32>h2, 8);
  store<u32>(accumulator, <u32>h3, 12);
  store<u32>(accumulator, <u32>h4, 16);
}
