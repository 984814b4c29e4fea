// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4), in one piece or in parts. The state is the caller's, so that several hashes
// can be under way at once; the message schedule is one static buffer, wiped at each end.
import { wipe } from "./bytes";

/** Bytes of one hash state: 32 of chaining value, 8 of length in bytes, 64 of pending block. */
export const SHA256_STATE_SIZE: i32 = 104;

const DIGEST_SIZE: i32 = 32;
const BLOCK_SIZE: i32 = 64;
const LENGTH_OFFSET: i32 = 32;
const BLOCK_OFFSET: i32 = 40;
/** Where the length in bits goes in the last block; it takes 8 bytes. */
const PADDING_LIMIT: i32 = 56;

/** Section 5.3.3: fractional parts of the square roots of the first 8 primes. */
const INITIAL = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** Section 4.2.2: fractional parts of the cube roots of the first 64 primes. */
const ROUND_CONSTANTS = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** The message schedule of section 6.2.2, 64 words. */
const schedule = memory.data(256, 8);
const onceState = memory.data(104, 8);

/** The six functions of section 4.1.2. */
class Mix {
  @inline static choose(x: u32, y: u32, z: u32): u32 {
    return z ^ (x & (y ^ z));
  }
  @inline static majority(x: u32, y: u32, z: u32): u32 {
    return (x & y) | (z & (x | y));
  }
  @inline static bigSigma0(x: u32): u32 {
    return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22);
  }
  @inline static bigSigma1(x: u32): u32 {
    return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25);
  }
  @inline static smallSigma0(x: u32): u32 {
    return rotr(x, 7) ^ rotr(x, 18) ^ (x >> 3);
  }
  @inline static smallSigma1(x: u32): u32 {
    return rotr(x, 17) ^ rotr(x, 19) ^ (x >> 10);
  }
  /** Big-endian order; inline here, where the library's \`bswap\` is a call for each word. */
  @inline static swapBytes(x: u32): u32 {
    return rotl(x & 0xff00ff00, 8) | rotr(x & 0x00ff00ff, 8);
  }
}

/** Starts a hash in the SHA256_STATE_SIZE bytes at `state`. */
export function sha256Begin(state: usize): void {
  memory.copy(state, INITIAL, DIGEST_SIZE);
  store<u64>(state + LENGTH_OFFSET, 0);
}

/** Adds `length` bytes at `input` to the hash. */
export function sha256Update(state: usize, input: usize, length: i32): void {
  const total = load<u64>(state + LENGTH_OFFSET);
  store<u64>(state + LENGTH_OFFSET, total + <u64>length);
  let pending = <i32>total & (BLOCK_SIZE - 1);
  if (pending > 0) {
    const part = min(length, BLOCK_SIZE - pending);
    memory.copy(state + BLOCK_OFFSET + pending, input, part);
    input += part;
    length -= part;
    pending += part;
    if (pending < BLOCK_SIZE) return;
    compress(state, state + BLOCK_OFFSET);
  }
  for (; length >= BLOCK_SIZE; length -= BLOCK_SIZE) {
    compress(state, input);
    input += BLOCK_SIZE;
  }
  memory.copy(state + BLOCK_OFFSET, input, length);
}

/** Writes the 32-byte digest to `output` and wipes the state. */
export function sha256End(state: usize, output: usize): void {
  const total = load<u64>(state + LENGTH_OFFSET);
  const block = state + BLOCK_OFFSET;
  let pending = <i32>total & (BLOCK_SIZE - 1);
  store<u8>(block + pending, 0x80);
  pending += 1;
  memory.fill(block + pending, 0, BLOCK_SIZE - pending);
  if (pending > PADDING_LIMIT) {
    compress(state, block);
    memory.fill(block, 0, BLOCK_SIZE);
  }
  store<u64>(block, bswap<u64>(total << 3), 56);
  compress(state, block);
  for (let i = 0; i < DIGEST_SIZE; i += 4) {
    store<u32>(output + i, bswap<u32>(load<u32>(state + i)));
  }
  wipe(state, SHA256_STATE_SIZE);
  wipe(schedule, 256);
}

/** Hashes `length` bytes at `input` into the 32 bytes at `output`. */
export function sha256(input: usize, length: i32, output: usize): void {
  sha256Begin(onceState);
  sha256Update(onceState, input, length);
  sha256End(onceState, output);
}

/** Section 6.2.2: takes one block into the chaining value. */
function compress(state: usize, block: usize): void {
  for (let i = 0; i < BLOCK_SIZE; i += 4) {
    store<u32>(schedule + i, Mix.swapBytes(load<u32>(block + i)));
  }
  for (let w = schedule; w < schedule + 192; w += 4) {
    const recent = Mix.smallSigma1(load<u32>(w, 56)) + load<u32>(w, 36);
    store<u32>(w, recent + Mix.smallSigma0(load<u32>(w, 4)) + load<u32>(w), 64);
  }
  let a = load<u32>(state);
  let b = load<u32>(state, 4);
  let c = load<u32>(state, 8);
  let d = load<u32>(state, 12);
  let e = load<u32>(state, 16);
  let f = load<u32>(state, 20);
  let g = load<u32>(state, 24);
  let h = load<u32>(state, 28);
  let k = ROUND_CONSTANTS;
  for (let w = schedule; w < schedule + 256; w += 4) {
    const first = h + Mix.bigSigma1(e) + Mix.choose(e, f, g) + load<u32>(k) + load<u32>(w);
    const second = Mix.bigSigma0(a) + Mix.majority(a, b, c);
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
    k += 4;
  }
  store<u32>(state, load<u32>(state) + a);
  store<u32>(state, load<u32>(state, 4) + b, 4);
  store<u32>(state, load<u32>(state, 8) + c, 8);
  store<u32>(state, load<u32>(state, 12) + d, 12);
  store<u32>(state, load<u32>(state, 16) + e, 16);
  store<u32>(state, load<u32>(state, 20) + f, 20);
  store<u32>(state, load<u32>(state, 24) + g, 24);
  store<u32>(state, load<u32>(state, 28) + h, 28);
}
