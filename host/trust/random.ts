// SPDX-License-Identifier: Apache-2.0
// Where the host's secrets and ids come from: the system, or a seed for worlds that must replay.
// A seeded source is for simulations only; whoever knows the seed knows every key.
import { randomFillSync } from "node:crypto";
import { expand } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";

/** Gives `length` fresh bytes, at most 8,160. */
export type RandomSource = (length: number) => Uint8Array;

export const systemRandom: RandomSource = (length) => randomFillSync(new Uint8Array(length));

/** The same bytes in the same order for the same seed; HKDF-Expand (RFC 5869) over a count. */
export function seededRandom(seed: Uint8Array): RandomSource {
  const key = sha256(concatBytes(new TextEncoder().encode("florin/seed"), seed));
  let draws = 0;
  return (length) => {
    draws += 1;
    const count = new Uint8Array(8);
    new DataView(count.buffer).setBigUint64(0, BigInt(draws));
    return expand(sha256, key, count, length);
  };
}
