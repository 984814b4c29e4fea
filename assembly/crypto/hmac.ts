// SPDX-License-Identifier: Apache-2.0
// HMAC-SHA-256 (RFC 2104, FIPS 198-1), in one piece or in parts. One computation at a time: the two
// hash states are static.
import { wipe } from "./bytes";
import { SHA256_STATE_SIZE, sha256, sha256Begin, sha256End, sha256Update } from "./sha256";

const BLOCK_SIZE: i32 = 64;
const DIGEST_SIZE: i32 = 32;

const inner = memory.data(SHA256_STATE_SIZE, 8);
const outer = memory.data(SHA256_STATE_SIZE, 8);
const pad = memory.data(64, 8);

/** Writes the 32-byte code of `message` under `key` (any length) to `output`. */
export function hmacSha256(
  key: usize,
  keyLength: i32,
  message: usize,
  length: i32,
  output: usize,
): void {
  hmacSha256Begin(key, keyLength);
  hmacSha256Update(message, length);
  hmacSha256End(output);
}

/** Starts a code under `key`; forgets any computation under way. */
export function hmacSha256Begin(key: usize, keyLength: i32): void {
  memory.fill(pad, 0, BLOCK_SIZE);
  if (keyLength > BLOCK_SIZE) sha256(key, keyLength, pad);
  else memory.copy(pad, key, keyLength);
  absorbPad(inner, 0x3636363636363636);
  absorbPad(outer, 0x5c5c5c5c5c5c5c5c);
  wipe(pad, BLOCK_SIZE);
}

/** Adds `length` bytes at `message` to the code under way. */
export function hmacSha256Update(message: usize, length: i32): void {
  sha256Update(inner, message, length);
}

/** Writes the 32-byte code to `output` and wipes the states. */
export function hmacSha256End(output: usize): void {
  sha256End(inner, output);
  sha256Update(outer, output, DIGEST_SIZE);
  sha256End(outer, output);
}

/** Begins a hash with the padded key, each byte changed by the mask of the inner or outer hash. */
function absorbPad(state: usize, mask: u64): void {
  for (let i = 0; i < BLOCK_SIZE; i += 8) store<u64>(pad + i, load<u64>(pad + i) ^ mask);
  sha256Begin(state);
  sha256Update(state, pad, BLOCK_SIZE);
  for (let i = 0; i < BLOCK_SIZE; i += 8) store<u64>(pad + i, load<u64>(pad + i) ^ mask);
}
