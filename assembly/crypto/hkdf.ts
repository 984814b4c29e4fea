// SPDX-License-Identifier: Apache-2.0
// HKDF with SHA-256 (RFC 5869): from a shared secret to keys.
import { wipe } from "./bytes";
import { hmacSha256, hmacSha256Begin, hmacSha256End, hmacSha256Update } from "./hmac";

const DIGEST_SIZE: i32 = 32;
/** Section 2.3: a one-byte block counter limits the output. */
const MAXIMUM_OUTPUT: i32 = 255 * DIGEST_SIZE;

const block = memory.data(32, 8);
const counter = memory.data(1);

/** Section 2.2: writes the 32-byte pseudorandom key to `prk`. An absent salt has length 0. */
export function hkdfExtract(
  salt: usize,
  saltLength: i32,
  ikm: usize,
  ikmLength: i32,
  prk: usize,
): void {
  hmacSha256(salt, saltLength, ikm, ikmLength, prk);
}

/**
 * Section 2.3: writes `outputLength` bytes (0 to 8,160, asserted) to `output`, which must not
 * overlap `prk` (32 bytes) or `info`.
 */
export function hkdfExpand(
  prk: usize,
  info: usize,
  infoLength: i32,
  output: usize,
  outputLength: i32,
): void {
  assert(outputLength >= 0 && outputLength <= MAXIMUM_OUTPUT);
  let done = 0;
  for (let i = 1; done < outputLength; i++) {
    store<u8>(counter, i);
    hmacSha256Begin(prk, DIGEST_SIZE);
    if (i > 1) hmacSha256Update(block, DIGEST_SIZE);
    hmacSha256Update(info, infoLength);
    hmacSha256Update(counter, 1);
    hmacSha256End(block);
    const part = min(DIGEST_SIZE, outputLength - done);
    memory.copy(output + done, block, part);
    done += part;
  }
  wipe(block, DIGEST_SIZE);
  wipe(counter, 1);
}
