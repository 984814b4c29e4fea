// SPDX-License-Identifier: Apache-2.0
// ChaCha20, the stream cipher of RFC 8439, sections 2.1 to 2.4, with a 96-bit nonce.
import { wipe } from "./bytes";

const BLOCK_SIZE: i32 = 64;

/** Section 2.3: constants, key, block counter and nonce, 16 words. */
const state = memory.data(64, 8);
const keyStream = memory.data(64, 8);

/**
 * Writes the exclusive or of `length` bytes at `input` with the key stream from block `counter` on
 * to `output`, which may be `input`. Key 32 bytes, nonce 12.
 */
export function chacha20(
  key: usize,
  nonce: usize,
  counter: u32,
  input: usize,
  length: i32,
  output: usize,
): void {
  store<u64>(state, 0x3320646e61707865); // "expand 32-byte k"
  store<u64>(state, 0x6b20657479622d32, 8);
  memory.copy(state + 16, key, 32);
  memory.copy(state + 52, nonce, 12);
  while (length > 0) {
    store<u32>(state, counter, 48);
    counter += 1;
    block();
    const part = min(length, BLOCK_SIZE);
    let i = 0;
    for (; i + 8 <= part; i += 8) {
      store<u64>(output + i, load<u64>(input + i) ^ load<u64>(keyStream + i));
    }
    for (; i < part; i++) store<u8>(output + i, load<u8>(input + i) ^ load<u8>(keyStream + i));
    input += part;
    output += part;
    length -= part;
  }
  wipe(state, 64);
  wipe(keyStream, 64);
}

/** Section 2.3.1: one key stream block from the state; ten double rounds, kept in locals. */
function block(): void {
  let x0 = load<u32>(state);
  let x1 = load<u32>(state, 4);
  let x2 = load<u32>(state, 8);
  let x3 = load<u32>(state, 12);
  let x4 = load<u32>(state, 16);
  let x5 = load<u32>(state, 20);
  let x6 = load<u32>(state, 24);
  let x7 = load<u32>(state, 28);
  let x8 = load<u32>(state, 32);
  let x9 = load<u32>(state, 36);
  let x10 = load<u32>(state, 40);
  let x11 = load<u32>(state, 44);
  let x12 = load<u32>(state, 48);
  let x13 = load<u32>(state, 52);
  let x14 = load<u32>(state, 56);
  let x15 = load<u32>(state, 60);
  for (let round = 0; round < 10; round++) {
    // Four column quarter rounds, then four diagonal ones.
    x0 += x4;
    x12 = rotl(x12 ^ x0, 16);
    x8 += x12;
    x4 = rotl(x4 ^ x8, 12);
    x0 += x4;
    x12 = rotl(x12 ^ x0, 8);
    x8 += x12;
    x4 = rotl(x4 ^ x8, 7);
    x1 += x5;
    x13 = rotl(x13 ^ x1, 16);
    x9 += x13;
    x5 = rotl(x5 ^ x9, 12);
    x1 += x5;
    x13 = rotl(x13 ^ x1, 8);
    x9 += x13;
    x5 = rotl(x5 ^ x9, 7);
    x2 += x6;
    x14 = rotl(x14 ^ x2, 16);
    x10 += x14;
    x6 = rotl(x6 ^ x10, 12);
    x2 += x6;
    x14 = rotl(x14 ^ x2, 8);
    x10 += x14;
    x6 = rotl(x6 ^ x10, 7);
    x3 += x7;
    x15 = rotl(x15 ^ x3, 16);
    x11 += x15;
    x7 = rotl(x7 ^ x11, 12);
    x3 += x7;
    x15 = rotl(x15 ^ x3, 8);
    x11 += x15;
    x7 = rotl(x7 ^ x11, 7);
    x0 += x5;
    x15 = rotl(x15 ^ x0, 16);
    x10 += x15;
    x5 = rotl(x5 ^ x10, 12);
    x0 += x5;
    x15 = rotl(x15 ^ x0, 8);
    x10 += x15;
    x5 = rotl(x5 ^ x10, 7);
    x1 += x6;
    x12 = rotl(x12 ^ x1, 16);
    x11 += x12;
    x6 = rotl(x6 ^ x11, 12);
    x1 += x6;
    x12 = rotl(x12 ^ x1, 8);
    x11 += x12;
    x6 = rotl(x6 ^ x11, 7);
    x2 += x7;
    x13 = rotl(x13 ^ x2, 16);
    x8 += x13;
    x7 = rotl(x7 ^ x8, 12);
    x2 += x7;
    x13 = rotl(x13 ^ x2, 8);
    x8 += x13;
    x7 = rotl(x7 ^ x8, 7);
    x3 += x4;
    x14 = rotl(x14 ^ x3, 16);
    x9 += x14;
    x4 = rotl(x4 ^ x9, 12);
    x3 += x4;
    x14 = rotl(x14 ^ x3, 8);
    x9 += x14;
    x4 = rotl(x4 ^ x9, 7);
  }
  store<u32>(keyStream, x0 + load<u32>(state));
  store<u32>(keyStream, x1 + load<u32>(state, 4), 4);
  store<u32>(keyStream, x2 + load<u32>(state, 8), 8);
  store<u32>(keyStream, x3 + load<u32>(state, 12), 12);
  store<u32>(keyStream, x4 + load<u32>(state, 16), 16);
  store<u32>(keyStream, x5 + load<u32>(state, 20), 20);
  store<u32>(keyStream, x6 + load<u32>(state, 24), 24);
  store<u32>(keyStream, x7 + load<u32>(state, 28), 28);
  store<u32>(keyStream, x8 + load<u32>(state, 32), 32);
  store<u32>(keyStream, x9 + load<u32>(state, 36), 36);
  store<u32>(keyStream, x10 + load<u32>(state, 40), 40);
  store<u32>(keyStream, x11 + load<u32>(state, 44), 44);
  store<u32>(keyStream, x12 + load<u32>(state, 48), 48);
  store<u32>(keyStream, x13 + load<u32>(state, 52), 52);
  store<u32>(keyStream, x14 + load<u32>(state, 56), 56);
  store<u32>(keyStream, x15 + load<u32>(state, 60), 60);
}
