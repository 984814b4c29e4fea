// SPDX-License-Identifier: Apache-2.0
// The firmware's CBOR codec against RFC 8949 and against an independent implementation (cbor2, with
// its options for deterministic encoding), in both directions.
import { cdeEncodeOptions, decode, encode } from "cbor2";
import { beforeAll, expect, test } from "vitest";
import { FlashBoard, type StorageImage } from "../support/flashBoard.ts";
import { Random } from "../../host/torture/random.ts";
import { BELOW_RANGE, MALFORMED, REFUSED, TAKEN } from "./cbor-appendix-a.ts";

let image: StorageImage;
let memory: Uint8Array;

beforeAll(() => {
  image = new FlashBoard(new Random(1)).boot();
  memory = new Uint8Array(image.memory.buffer);
});

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

function isWellFormed(bytes: Uint8Array): boolean {
  memory.set(bytes, image.buffer());
  return image.cborWellFormed(image.buffer(), bytes.length) !== 0;
}

/** Reads and writes the item in firmware; undefined where either fails. */
function copied(bytes: Uint8Array, capacity = 8000): Uint8Array | undefined {
  const output = image.buffer() + 8192;
  memory.set(bytes, image.buffer());
  const length = image.cborCopy(image.buffer(), bytes.length, output, capacity);
  image.collect();
  return length < 0 ? undefined : memory.slice(output, output + length);
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

test.each(TAKEN)("RFC 8949 appendix A, taken and written alike: %s", (hex) => {
  expect(isWellFormed(bytesOf(hex))).toBe(true);
  expect(copied(bytesOf(hex))).toEqual(bytesOf(hex));
});

test.each(REFUSED)("RFC 8949 appendix A, outside the subset: %s", (hex) => {
  expect(isWellFormed(bytesOf(hex))).toBe(false);
  expect(copied(bytesOf(hex))).toBeUndefined();
});

test.each(MALFORMED)("malformed or not deterministic: '%s'", (hex) => {
  expect(isWellFormed(bytesOf(hex))).toBe(false);
});

test("integers below -2^63 are well-formed and too small to read", () => {
  expect(copied(bytesOf(BELOW_RANGE))).toBeUndefined();
  expect(copied(bytesOf("3b8000000000000000"))).toBeUndefined();
  expect(copied(bytesOf("3b7fffffffffffffff"))).toEqual(bytesOf("3b7fffffffffffffff"));
});

test("eight levels of nesting are taken, nine refused", () => {
  expect(isWellFormed(bytesOf(`${"81".repeat(8)}00`))).toBe(true);
  expect(isWellFormed(bytesOf(`${"81".repeat(9)}00`))).toBe(false);
  expect(isWellFormed(bytesOf(`${"a100".repeat(9)}00`))).toBe(false);
  expect(isWellFormed(bytesOf("81".repeat(8000)))).toBe(false);
});

test("every prefix of a sound item is refused", () => {
  const item = bytesOf("a401020382040520440102030463616263f6");
  expect(isWellFormed(item)).toBe(true);
  for (let length = 0; length < item.length; length++) {
    expect(isWellFormed(item.slice(0, length))).toBe(false);
  }
});

type Value = null | boolean | number | bigint | string | Uint8Array | Value[] | Map<Value, Value>;

/** A random value of the subset, at most `depth` levels deep. */
function randomValue(random: Random, depth: number): Value {
  switch (random.below(depth > 0 ? 9 : 7)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return random.below(2 ** random.below(31));
    case 3:
      return -1 - random.below(2 ** random.below(31));
    case 4: {
      const wide = (BigInt(random.next()) << 31n) | BigInt(random.next() >>> 1);
      return random.chance(0.5) ? wide : -wide;
    }
    case 5:
      return random.bytes(random.chance(0.05) ? random.below(3000) : random.below(30));
    case 6: {
      const letters = Array.from({ length: random.below(20) }, () =>
        String.fromCodePoint(random.pick([0x41, 0xe9, 0x20ac, 0x1f600]) + random.below(60)),
      );
      return letters.join("");
    }
    case 7:
      return Array.from({ length: random.below(6) }, () => randomValue(random, depth - 1));
    default: {
      const map = new Map<Value, Value>();
      for (let i = random.below(6); i > 0; i--) {
        const key = random.chance(0.5)
          ? random.below(1000) - 500
          : `k${random.below(2 ** random.below(20))}`;
        map.set(key, randomValue(random, depth - 1));
      }
      return map;
    }
  }
}

test("what cbor2 writes, firmware reads and writes alike", () => {
  const random = new Random(8949);
  let longest = 0;
  for (let i = 0; i < 4000; i++) {
    const value = randomValue(random, 4);
    const bytes = new Uint8Array(encode(value, cdeEncodeOptions));
    if (bytes.length > 7000) continue;
    longest = Math.max(longest, bytes.length);
    expect(isWellFormed(bytes), `item ${i}`).toBe(true);
    const copy = copied(bytes);
    expect(isSame(copy, bytes), `item ${i}`).toBe(true);
    // And back: what firmware wrote, cbor2 reads as the same value.
    const again = encode(decode(copy!, { preferMap: true }), cdeEncodeOptions);
    expect(isSame(new Uint8Array(again), bytes), `item ${i}`).toBe(true);
  }
  expect(longest).toBeGreaterThan(1000);
});

test("a writer without room writes nothing wrong, whatever the room", () => {
  const bytes = new Uint8Array(encode(["abc", new Uint8Array(30), -70000, [true, null]]));
  for (let capacity = 0; capacity <= bytes.length + 3; capacity++) {
    const copy = copied(bytes, capacity);
    // A string of unknown length needs room for the longest head while it is written.
    if (capacity < bytes.length) expect(copy).toBeUndefined();
    else if (copy !== undefined) expect(copy).toEqual(bytes);
  }
  expect(copied(bytes, bytes.length + 3)).toEqual(bytes);
});

test("changed bits: never a trap, and accepted only where cbor2 writes the same", () => {
  const random = new Random(7049);
  let accepted = 0;
  for (let i = 0; i < 6000; i++) {
    const bytes = new Uint8Array(encode(randomValue(random, 3), cdeEncodeOptions)).slice(0, 500);
    for (let flips = random.below(3); flips > 0 && bytes.length > 0; flips--) {
      bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    }
    const sound = isWellFormed(bytes);
    const copy = copied(bytes);
    if (!sound) continue;
    accepted++;
    // A sound item can be unreadable only for an integer below -2^63.
    if (copy !== undefined) expect(isSame(copy, bytes), `item ${i}`).toBe(true);
    const value = decode(bytes, { preferMap: true });
    const again = new Uint8Array(encode(value, cdeEncodeOptions));
    expect(isSame(again, bytes), `item ${i}`).toBe(true);
  }
  expect(accepted).toBeGreaterThan(1000);
});

test("noise never traps", () => {
  const random = new Random(404);
  for (let i = 0; i < 20000; i++) {
    const bytes = random.bytes(random.below(40));
    const sound = isWellFormed(bytes);
    const copy = copied(bytes);
    if (sound && copy !== undefined) expect(isSame(copy, bytes), `item ${i}`).toBe(true);
  }
});
