// SPDX-License-Identifier: Apache-2.0
// The one thing the host reads of a sealed message between devices: the session tag, element 1 of
// each peer-body (docs/protocol.cddl section 3), which tells several counterparts apart.
import { bytesToHex } from "@noble/hashes/utils.js";

const TAG_SIZE = 8;
const ARRAY = 0x80;
const SHORTEST_ARRAY = 2;
const LARGEST_SMALL = 23;
const BYTE_STRING_OF_8 = 0x48;

/** The session tag as 16 hex digits, or null if the body does not begin as a peer-body does. */
export function sessionTagOf(body: Uint8Array): string | null {
  const [head, kind, tagHead] = body;
  if (head === undefined || head < ARRAY + SHORTEST_ARRAY || head > ARRAY + LARGEST_SMALL) {
    return null;
  }
  if (kind === undefined || kind > LARGEST_SMALL || tagHead !== BYTE_STRING_OF_8) return null;
  if (body.length < 3 + TAG_SIZE) return null;
  return bytesToHex(body.subarray(3, 3 + TAG_SIZE));
}
