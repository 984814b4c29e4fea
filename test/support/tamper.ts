// SPDX-License-Identifier: Apache-2.0
// Tampering from outside: every way to change an encoded object a little, without the secrets that
// made it. Each field and each byte of structure is changed, also within signed payloads, parts are
// dropped, doubled and swapped, and the same content is encoded in ways that are not canonical.
import { concatBytes } from "@noble/hashes/utils.js";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";

/** One changed object: where, how, and its bytes. */
export interface Tampered {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** A changed value, and where in the object it was changed, outermost index first. */
interface Change {
  readonly at: string;
  readonly value: unknown;
}

/**
 * All small changes of an encoded object that leave it an encoded object, then those that do not.
 */
export function tamperedWith(bytes: Uint8Array): Tampered[] {
  const changes = [...changesOf(decodeCbor(bytes), "")];
  const encoded = changes.map(({ at, value }) => ({ what: at, bytes: encodeCbor(value) }));
  return [...encoded, ...miscoded(bytes)].filter(({ bytes: one }) => !isSame(one, bytes));
}

/** The same content in forms that deterministic CBOR does not have, and pieces of it. */
export function miscoded(bytes: Uint8Array): Tampered[] {
  const [head = 0, ...rest] = bytes;
  const major = head & 0xe0;
  const tail = Uint8Array.from(rest);
  return [
    { what: "longer head", bytes: concatBytes(Uint8Array.of(major | 24, head & 31), tail) },
    { what: "indefinite length", bytes: concatBytes(Uint8Array.of(major | 31), tail, ff) },
    { what: "tag", bytes: concatBytes(Uint8Array.of(0xd2), bytes) },
    { what: "byte too many", bytes: concatBytes(bytes, Uint8Array.of(0)) },
    { what: "byte too few", bytes: bytes.slice(0, -1) },
    { what: "nothing", bytes: new Uint8Array(0) },
  ];
}

const ff = Uint8Array.of(0xff);

function* changesOf(value: unknown, at: string): Generator<Change> {
  if (typeof value === "number") {
    yield { at: `${at} one more`, value: value + 1 };
    if (value > 0) yield { at: `${at} one less`, value: value - 1 };
    yield { at: `${at} as text`, value: String(value) };
  } else if (typeof value === "string") {
    yield { at: `${at} longer`, value: `${value}x` };
    yield { at: `${at} other`, value: `${value.slice(0, -1)}?` };
    yield { at: `${at} as a number`, value: 7 };
  } else if (typeof value === "boolean") {
    yield { at: `${at} inverted`, value: !value };
  } else if (value instanceof Uint8Array) {
    yield* bytesChanged(value, at);
  } else if (Array.isArray(value)) {
    yield* arrayChanged(value, at);
  } else if (value instanceof Map) {
    yield* mapChanged(value, at);
  } else {
    yield { at: `${at} filled`, value: 0 };
  }
}

function* bytesChanged(value: Uint8Array, at: string): Generator<Change> {
  for (const index of new Set([0, value.length >> 1, value.length - 1])) {
    const flipped = value.slice();
    flipped[index]! ^= 1;
    if (value.length > 0) yield { at: `${at} bit of byte ${index}`, value: flipped };
  }
  yield { at: `${at} shorter`, value: value.slice(0, -1) };
  yield { at: `${at} longer`, value: concatBytes(value, Uint8Array.of(0)) };
  yield { at: `${at} as null`, value: null };
  // What is signed is a byte string with an object in it.
  const inner = value.length > 40 ? decodeCbor(value) : undefined;
  if (typeof inner !== "object" || inner === null) return;
  for (const change of changesOf(inner, `${at}<`)) {
    yield { at: change.at, value: encodeCbor(change.value) };
  }
  for (const { what, bytes } of miscoded(value)) yield { at: `${at}< ${what}`, value: bytes };
}

function* arrayChanged(value: unknown[], at: string): Generator<Change> {
  yield { at: `${at} with one more`, value: [...value, 0] };
  if (value.length > 0) yield { at: `${at} with one less`, value: value.slice(0, -1) };
  if (value.length > 1) {
    yield { at: `${at} first two swapped`, value: [value[1], value[0], ...value.slice(2)] };
    yield { at: `${at} reversed`, value: [...value].reverse() };
  }
  for (const [index, item] of value.entries()) {
    for (const change of changesOf(item, `${at}/${index}`)) {
      yield { at: change.at, value: value.with(index, change.value) };
    }
  }
}

function* mapChanged(value: Map<unknown, unknown>, at: string): Generator<Change> {
  yield { at: `${at} with another key`, value: new Map([...value, [99, 0]]) };
  yield { at: `${at} with a kid`, value: new Map([[4, new Uint8Array(8)], ...value]) };
  for (const [key, item] of value) {
    yield { at: `${at} without ${key}`, value: new Map([...value].filter(([one]) => one !== key)) };
    for (const change of changesOf(item, `${at}/${key}`)) {
      yield { at: change.at, value: new Map(value).set(key, change.value) };
    }
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
