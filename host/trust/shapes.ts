// SPDX-License-Identifier: Apache-2.0
// Checks for single values out of untrusted CBOR, named as in docs/protocol.cddl section 1.
// Every parser of the host uses these, so that a limit is written down once.

/** Largest amount in minor units: 2^53 - 1, what a number carries exactly. */
export const LARGEST_AMOUNT_MINOR = Number.MAX_SAFE_INTEGER;
/** Longest `name` in UTF-8 bytes. */
const NAME_BYTES = 48;

export const ID_BYTES = 8;
export const HASH_BYTES = 32;

export function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}

export function isId(value: unknown): value is Uint8Array {
  return isBytes(value, ID_BYTES);
}

/** An integer of 0 or more that a number holds exactly: amounts, seconds, versions. */
export function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** A currency code of ISO 4217: three capital letters. */
export function isUnit(value: unknown): value is string {
  return typeof value === "string" && /^[A-Z]{3}$/.test(value);
}

/** UTF-8 length of a text, which is what the limits of the protocol count. */
export function textBytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

export function isName(value: unknown): value is string {
  return typeof value === "string" && value.length > 0 && textBytes(value) <= NAME_BYTES;
}
