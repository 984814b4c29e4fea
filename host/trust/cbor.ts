// SPDX-License-Identifier: Apache-2.0
// Deterministic CBOR (RFC 8949 section 4.2) for the host: one spelling per value, in and out.
// Maps come back as Map, byte strings as Uint8Array, integers as number.
import { cdeDecodeOptions, cdeEncodeOptions, decode, encode } from "cbor2";

/**
 * Encodes a value built of integers, strings, Uint8Array, booleans, null, arrays and Maps.
 * @throws {Error} for a value that has no CBOR form
 */
export function encodeCbor(value: unknown): Uint8Array {
  return new Uint8Array(encode(value, cdeEncodeOptions));
}

/**
 * Decodes exactly one deterministic item; undefined when the bytes are anything else.
 * The result is encoded again and compared: the library alone would let some second spellings
 * pass (floats that are whole numbers, unsorted maps), and a signed object must have only one.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  try {
    const value = plain(decode(bytes, { ...cdeDecodeOptions, preferMap: true, maxDepth: 16 }));
    return equalBytes(encodeCbor(value), bytes) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True when both arrays hold the same bytes; for public data only, since it stops early. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/**
 * Lets pass only what Florin's formats are made of: tags, floats, undefined, and integers beyond
 * 2^53 - 1 throw. Byte strings are copied, so that no result shares memory with its input.
 */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) {
    return new Map([...value].map(([key, item]) => [plain(key), plain(item)]));
  }
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (Number.isSafeInteger(value)) return value;
  throw new Error("CBOR: a value that Florin's formats do not use");
}
