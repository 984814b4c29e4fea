// SPDX-License-Identifier: Apache-2.0
// Signed objects of the firmware against the host's reader and writer, which stand on @noble and
// cbor2: same bytes both ways, and nothing but the one form is taken.
import { ed25519 } from "@noble/curves/ed25519.js";
import { encode } from "cbor2";
import { beforeEach, expect, test } from "vitest";
import { parseSigned, signObject, verifySigned } from "../../host/trust/cose.ts";
import { FlashBoard, type StorageImage } from "../support/flashBoard.ts";
import { Random } from "../../host/torture/random.ts";

const SEED = new Random(1).bytes(32);
const KEY = ed25519.getPublicKey(SEED);
const KID = new Random(2).bytes(8);

let image: StorageImage;
let memory: Uint8Array;
let used: number;

beforeEach(() => {
  image = new FlashBoard(new Random(1)).boot();
  memory = new Uint8Array(image.memory.buffer);
});

/** Places arguments one behind the other in the buffer; returns their addresses. */
function place(...parts: Uint8Array[]): number[] {
  used = image.buffer();
  return parts.map((part) => {
    memory.set(part, used);
    used += part.length;
    return used - part.length;
  });
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function sign(purpose: string, payload: Uint8Array, kid?: Uint8Array): Uint8Array {
  const name = ascii(purpose);
  const parts = place(name, payload, SEED, KEY, kid ?? new Uint8Array(0));
  const [nameAt, payloadAt, seedAt, keyAt, kidAt] = parts as [
    number,
    number,
    number,
    number,
    number,
  ];
  const output = used;
  const length = image.signObject(
    nameAt,
    name.length,
    payloadAt,
    payload.length,
    kid === undefined ? 0 : kidAt,
    seedAt,
    keyAt,
    output,
  );
  return memory.slice(output, output + length);
}

/** -1 = not the form, 0 = wrong signature, 1 = right. */
function verify(purpose: string, object: Uint8Array, key = KEY): number {
  const name = ascii(purpose);
  const [nameAt, keyAt, objectAt] = place(name, key, object) as [number, number, number];
  const result = image.verifyObject(nameAt, name.length, objectAt, object.length, keyAt);
  image.collect();
  return result;
}

test.each([0, 1, 23, 24, 255, 256, 1024, 6000])("a payload of %i bytes is signed alike", (size) => {
  const payload = new Random(size).bytes(size);
  for (const kid of [undefined, KID]) {
    const object = sign("florin/transfer", payload, kid);
    expect(object).toEqual(signObject("florin/transfer", payload, SEED, kid));
    expect(verifySigned(parseSigned(object)!, "florin/transfer", KEY)).toBe(true);
    expect(verify("florin/transfer", object)).toBe(1);
  }
});

test("the longest purpose there may be", () => {
  const purpose = `florin/${"x".repeat(57)}`;
  expect(verify(purpose, signObject(purpose, Uint8Array.of(1), SEED))).toBe(1);
});

test("another purpose, another key, another payload: wrong", () => {
  const object = signObject("florin/note-body", Uint8Array.of(1, 2, 3), SEED, KID);
  expect(verify("florin/note-body", object)).toBe(1);
  expect(verify("florin/transfer", object)).toBe(0);
  expect(verify("florin/note-bod", object)).toBe(0);
  expect(verify("florin/note-body", object, ed25519.getPublicKey(KEY))).toBe(0);
});

test("any changed bit is refused, but for the reference, which is not signed", () => {
  const object = signObject("florin/offer", new Random(5).bytes(40), SEED, KID);
  const reference = Buffer.from(object).indexOf(KID);
  for (let i = 0; i < object.length; i++) {
    const changed = object.slice();
    changed[i]! ^= 1 << (i % 8);
    const isReference = i >= reference && i < reference + 8;
    expect(verify("florin/offer", changed), `byte ${i}`).toBe(
      isReference ? 1 : parseSigned(changed) === undefined ? -1 : 0,
    );
  }
});

test("every other form is refused", () => {
  const { payload, signature } = parseSigned(signObject("p", Uint8Array.of(9), SEED))!;
  const header = Uint8Array.of(0xa1, 1, 0x27);
  const form = (...items: unknown[]) => verify("p", new Uint8Array(encode(items)));
  expect(form(header, new Map(), payload, signature)).toBe(1);
  expect(form(header, new Map([[4, KID]]), payload, signature)).toBe(1);
  // Other algorithm, no protected header, header not wrapped.
  expect(form(Uint8Array.of(0xa1, 1, 0x26), new Map(), payload, signature)).toBe(-1);
  expect(form(new Uint8Array(0), new Map(), payload, signature)).toBe(-1);
  expect(form(new Map([[1, -8]]), new Map(), payload, signature)).toBe(-1);
  // Other or more unprotected headers, a reference of another size.
  expect(form(header, new Map([[5, KID]]), payload, signature)).toBe(-1);
  const two = new Map<number, unknown>([[4, KID]]).set(5, 1);
  expect(form(header, two, payload, signature)).toBe(-1);
  expect(form(header, new Map([[4, KID.slice(1)]]), payload, signature)).toBe(-1);
  // Detached payload, text payload, short signature, more or fewer items.
  expect(form(header, new Map(), null, signature)).toBe(-1);
  expect(form(header, new Map(), "abc", signature)).toBe(-1);
  expect(form(header, new Map(), payload, signature.slice(1))).toBe(-1);
  expect(form(header, new Map(), payload)).toBe(-1);
  expect(form(header, new Map(), payload, signature, 1)).toBe(-1);
  // Something behind it, and the tag 18 that COSE_Sign1 may carry elsewhere.
  const object = signObject("p", payload, SEED);
  expect(verify("p", Uint8Array.of(...object, 0))).toBe(-1);
  expect(verify("p", Uint8Array.of(0xd2, ...object))).toBe(-1);
});

test("noise is refused and never traps", () => {
  const random = new Random(3);
  for (let i = 0; i < 5000; i++) {
    expect(verify("p", random.bytes(random.below(120)))).toBe(-1);
  }
});
