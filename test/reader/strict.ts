// SPDX-License-Identifier: Apache-2.0
// Strict decoding: deterministic CBOR (RFC 8949 4.2) and the shapes of docs/protocol.cddl section
// 1.
// Every function refuses with one sentence that says where and what was expected.
import { cdeDecodeOptions, cdeEncodeOptions, decode, encode } from "cbor2";

/**
 * Something in an export that is not as docs/protocol.cddl says: the item is not to be believed.
 */
export class Refusal extends Error {}

// Nothing in the CDDL nests deeper than a chain inside a ticket's history; the limit keeps a
// hostile item from exhausting the stack.
const MAXIMUM_DEPTH = 16;

/** Throws a Refusal with this sentence unless the condition holds. */
export function ensure(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Refusal(sentence);
}

/** The one deterministic encoding of a value. */
export function encoded(value: unknown): Uint8Array {
  return encode(value, cdeEncodeOptions);
}

/**
 * Decodes one whole CBOR item and refuses every encoding but the deterministic one.
 * @param where names the item in the refusal
 */
export function decodeStrict(bytes: Uint8Array, where: string): unknown {
  let value: unknown;
  try {
    value = decode(bytes, { ...cdeDecodeOptions, preferMap: true, maxDepth: MAXIMUM_DEPTH });
  } catch (error) {
    throw new Refusal(`${where} is not deterministic CBOR: ${(error as Error).message}`);
  }
  // The decoder turns some foreign forms (floats, big numbers, tags) into plain values; encoding
  // the value again shows them up, because it can only give the deterministic form.
  ensure(equal(encoded(value), bytes), `${where} is not in its deterministic encoding`);
  return value;
}

/** Whether two byte strings are the same. All bytes here are public: no constant time needed. */
export function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** An array; with `length`, of exactly that many elements. */
export function array(value: unknown, where: string, length?: number): unknown[] {
  ensure(Array.isArray(value), `${where} is not an array`);
  const right = length === undefined || value.length === length;
  ensure(right, `${where} has ${value.length} elements where ${length} belong`);
  return value;
}

/** A byte string; with `length`, of exactly that many bytes. */
export function bytes(value: unknown, where: string, length?: number): Uint8Array {
  ensure(value instanceof Uint8Array, `${where} is not a byte string`);
  const right = length === undefined || value.length === length;
  ensure(right, `${where} has ${value.length} bytes where ${length} belong`);
  return value;
}

/** An unsigned integer within [minimum, maximum]; nothing in an export needs more than 2^53 - 1. */
export function uint(
  value: unknown,
  where: string,
  minimum = 0,
  maximum = Number.MAX_SAFE_INTEGER,
): number {
  const right = Number.isSafeInteger(value);
  ensure(right, `${where} is not an integer of at most ${maximum}`);
  const number = value as number;
  const within = number >= minimum && number <= maximum;
  ensure(within, `${where} is ${number}, outside ${minimum} to ${maximum}`);
  return number;
}

/** A text whose UTF-8 form has `minimum` to `maximum` bytes (RFC 8610 3.8.1 counts bytes). */
export function text(value: unknown, where: string, minimum: number, maximum: number): string {
  ensure(typeof value === "string", `${where} is not a text`);
  const size = Buffer.byteLength(value, "utf8");
  const right = size >= minimum && size <= maximum;
  ensure(right, `${where} has ${size} bytes where ${minimum} to ${maximum} belong`);
  return value;
}

/** `id`: an agent, a module, a server or a root. */
export function id(value: unknown, where: string): Uint8Array {
  return bytes(value, where, 8);
}

/** `name`: an organisation, a merchant, a customer. */
export function name(value: unknown, where: string): string {
  return text(value, where, 1, 48);
}

/** `unit`: an ISO 4217 code, which is three capital letters. */
export function unit(value: unknown, where: string): string {
  const code = text(value, where, 3, 3);
  ensure(/^[A-Z]{3}$/.test(code), `${where} is "${code}", not an ISO 4217 code`);
  return code;
}
