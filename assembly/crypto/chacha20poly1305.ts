// SPDX-License-Identifier: Apache-2.0
// ChaCha20-Poly1305, the authenticated encryption of RFC 8439, section 2.8. A box is the ciphertext
// followed by its 16-byte tag.
import { equalConstantTime, wipe } from "./bytes";
import { chacha20 } from "./chacha20";
import { poly1305Begin, poly1305End, poly1305Lengths, poly1305Padded } from "./poly1305";

/** Bytes that a box is longer than its plain text. */
export const TAG_SIZE: i32 = 16;

const oneTimeKey = memory.data(32, 8);
const expectedTag = memory.data(16, 8);

/**
 * Seals `plainLength` bytes: writes cipher text and tag (plainLength + TAG_SIZE bytes) to `output`,
 * which may be `plain`. Key 32 bytes, nonce 12, never used twice under one key.
 */
export function sealBox(
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: i32,
  plain: usize,
  plainLength: i32,
  output: usize,
): void {
  chacha20(key, nonce, 1, plain, plainLength, output);
  authenticate(key, nonce, aad, aadLength, output, plainLength, output + plainLength);
}

/**
 * Opens a box of `boxLength` bytes, tag included: writes boxLength - TAG_SIZE bytes to `output`,
 * which may be `box`. False, and nothing written, where the box is too short or not genuine.
 */
export function openBox(
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: i32,
  box: usize,
  boxLength: i32,
  output: usize,
): bool {
  const length = boxLength - TAG_SIZE;
  if (length < 0) return false;
  authenticate(key, nonce, aad, aadLength, box, length, expectedTag);
  const genuine = equalConstantTime(expectedTag, box + length, TAG_SIZE);
  // The right tag of a forged box would be the forgery: it does not stay behind.
  wipe(expectedTag, TAG_SIZE);
  if (!genuine) return false;
  chacha20(key, nonce, 1, box, length, output);
  return true;
}

/** Section 2.8: the tag over additional data, cipher text and both lengths. */
function authenticate(
  key: usize,
  nonce: usize,
  aad: usize,
  aadLength: i32,
  cipher: usize,
  cipherLength: i32,
  tag: usize,
): void {
  // Section 2.6: the one-time key is the start of key stream block 0.
  memory.fill(oneTimeKey, 0, 32);
  chacha20(key, nonce, 0, oneTimeKey, 32, oneTimeKey);
  poly1305Begin(oneTimeKey);
  wipe(oneTimeKey, 32);
  poly1305Padded(aad, aadLength);
  poly1305Padded(cipher, cipherLength);
  poly1305Lengths(aadLength, cipherLength);
  poly1305End(tag);
}
