// SPDX-License-Identifier: Apache-2.0
// SHA-512 (FIPS 180-4), in one piece or in parts. The state is the caller's, so that several hashes
// can be under way at once; the message schedule is one static buffer, wiped at each end.
import { wipe } from "./bytes";

/** Bytes of one hash state: 64 of chaining value, 8 of length in bytes, 128 of pending block. */
export const SHA512_STATE_SIZE: i32 = 200;

const DIGEST_SIZE: i32 = 64;
const BLOCK_SIZE: i32 = 128;
const LENGTH_OFFSET: i32 = 64;
const BLOCK_OFFSET: i32 = 72;
/** Where the length in bits goes in the last block; it takes 16 bytes, of which 8 stay zero. */
const PADDING_LIMIT: i32 = 112;

/** Section 5.3.5: fractional parts of the square roots of the first 8 primes. */
const INITIAL = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
]);

/** Section 4.2.3: fractional parts of the cube roots of the first 80 primes. */
const ROUND_CONSTANTS = memory.data<u64>([
  0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
  0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
  0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
  0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
  0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
  0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
  0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
  0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
  0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
  0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
  0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
  0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
  0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
  0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
  0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
  0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
  0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
  0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
  0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
  0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
]);

/** The message schedule of section 6.4.2, 80 words. */
const schedule = memory.data(640, 8);
const onceState = memory.data(200, 8);

/** The six functions of section 4.1.3. */
class Mix {
  @inline static choose(x: u64, y: u64, z: u64): u64 {
    return z ^ (x & (y ^ z));
  }
  @inline static majority(x: u64, y: u64, z: u64): u64 {
    return (x & y) | (z & (x | y));
  }
  @inline static bigSigma0(x: u64): u64 {
    return rotr(x, 28) ^ rotr(x, 34) ^ rotr(x, 39);
  }
  @inline static bigSigma1(x: u64): u64 {
    return rotr(x, 14) ^ rotr(x, 18) ^ rotr(x, 41);
  }
  @inline static smallSigma0(x: u64): u64 {
    return rotr(x, 1) ^ rotr(x, 8) ^ (x >> 7);
  }
  @inline static smallSigma1(x: u64): u64 {
    return rotr(x, 19) ^ rotr(x, 61) ^ (x >> 6);
  }
  /** Big-endian order; inline here, where the library's \`bswap\` is a call for each word. */
  @inline static swapBytes(x: u64): u64 {
    const pairs = ((x >> 8) & 0x00ff00ff00ff00ff) | ((x & 0x00ff00ff00ff00ff) << 8);
    const words = ((pairs >> 16) & 0x0000ffff0000ffff) | ((pairs & 0x0000ffff0000ffff) << 16);
    return rotr(words, 32);
  }
}

/** Starts a hash in the SHA512_STATE_SIZE bytes at `state`. */
export function sha512Begin(state: usize): void {
  memory.copy(state, INITIAL, DIGEST_SIZE);
  store<u64>(state + LENGTH_OFFSET, 0);
}

/** Adds `length` bytes at `input` to the hash. */
export function sha512Update(state: usize, input: usize, length: i32): void {
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

/** Writes the 64-byte digest to `output` and wipes the state. */
export function sha512End(state: usize, output: usize): void {
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
  store<u64>(block, bswap<u64>(total << 3), 120);
  compress(state, block);
  for (let i = 0; i < DIGEST_SIZE; i += 8) {
    store<u64>(output + i, bswap<u64>(load<u64>(state + i)));
  }
  wipe(state, SHA512_STATE_SIZE);
  wipe(schedule, 640);
}

/** Hashes `length` bytes at `input` into the 64 bytes at `output`. */
export function sha512(input: usize, length: i32, output: usize): void {
  sha512Begin(onceState);
  sha512Update(onceState, input, length);
  sha512End(onceState, output);
}

/** Section 6.4.2: takes one block into the chaining value. */
function compress(state: usize, block: usize): void {
  for (let i = 0; i < BLOCK_SIZE; i += 8) {
    store<u64>(schedule + i, Mix.swapBytes(load<u64>(block + i)));
  }
  for (let w = schedule; w < schedule + 512; w += 8) {
    const recent = Mix.smallSigma1(load<u64>(w, 112)) + load<u64>(w, 72);
    store<u64>(w, recent + Mix.smallSigma0(load<u64>(w, 8)) + load<u64>(w), 128);
  }
  let a = load<u64>(state);
  let b = load<u64>(state, 8);
  let c = load<u64>(state, 16);
  let d = load<u64>(state, 24);
  let e = load<u64>(state, 32);
  let f = load<u64>(state, 40);
  let g = load<u64>(state, 48);
  let h = load<u64>(state, 56);
  let k = ROUND_CONSTANTS;
  for (let w = schedule; w < schedule + 640; w += 8) {
    const first = h + Mix.bigSigma1(e) + Mix.choose(e, f, g) + load<u64>(k) + load<u64>(w);
    const second = Mix.bigSigma0(a) + Mix.majority(a, b, c);
    h = g;
    g = f;
    f = e;
    e = d + first;
    d = c;
    c = b;
    b = a;
    a = first + second;
    k += 8;
  }
  store<u64>(state, load<u64>(state) + a);
  store<u64>(state, load<u64>(state, 8) + b, 8);
  store<u64>(state, load<u64>(state, 16) + c, 16);
  store<u64>(state, load<u64>(state, 24) + d, 24);
  store<u64>(state, load<u64>(state, 32) + e, 32);
  store<u64>(state, load<u64>(state, 40) + f, 40);
  store<u64>(state, load<u64>(state, 48) + g, 48);
  store<u64>(state, load<u64>(state, 56) + h, 56);
}
