// SPDX-License-Identifier: Apache-2.0
// Field 128, the message authentication code: HMAC-SHA-256 (RFC 2104) cut to 8 bytes, under a key
// per link, over everything before it. ISO 8583 itself has no integrity (protocol rules 6).
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";

export const AUTHENTICATION_BYTES = 8;
export const LINK_KEY_BYTES = 32;

/** Writes the code of all bytes but the last eight into the last eight, in place. */
export function authenticate(message: Uint8Array, linkKey: Uint8Array): void {
  message.set(codeOf(message, linkKey), message.length - AUTHENTICATION_BYTES);
}

/** True when the last eight bytes are the code of all before them; takes equal time if not. */
export function isAuthentic(message: Uint8Array, linkKey: Uint8Array): boolean {
  if (message.length <= AUTHENTICATION_BYTES) return false;
  const found = message.subarray(message.length - AUTHENTICATION_BYTES);
  let difference = 0;
  for (const [index, byte] of codeOf(message, linkKey).entries())
    difference |= byte ^ found[index]!;
  return difference === 0;
}

function codeOf(message: Uint8Array, linkKey: Uint8Array): Uint8Array {
  if (linkKey.length !== LINK_KEY_BYTES) {
    throw new Error(`a link key has ${LINK_KEY_BYTES} bytes, this one has ${linkKey.length}`);
  }
  const covered = message.subarray(0, message.length - AUTHENTICATION_BYTES);
  return hmac(sha256, linkKey, covered).subarray(0, AUTHENTICATION_BYTES);
}
