// SPDX-License-Identifier: Apache-2.0
// Hashes, HMAC, HKDF and ChaCha20-Poly1305 of the firmware against @noble, an independent
// implementation, for thousands of repeatable inputs; and boxes that must be refused.
import { poly1305 } from "@noble/ciphers/_poly1305.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { Generator } from "./support/generator.ts";
import { bytesOf, hexOf } from "./support/numbers.ts";
import { Primitives } from "./support/primitives.ts";

const firmware = new Primitives();

describe.each([
  { name: "sha256", reference: sha256, size: 32 },
  { name: "sha512", reference: sha512, size: 64 },
] as const)("$name", ({ name, reference, size }) => {
  test("agrees for every length up to 600 and for long messages", () => {
    const generator = new Generator(1);
    const lengths = Array.from({ length: 601 }, (_, i) => i);
    lengths.push(4096, 4097, 8191, 16384);
    for (const length of lengths) {
      const message = generator.bytes(length);
      expect(hexOf(firmware.hash(name, message)), `length ${length}`).toBe(
        hexOf(reference(message)),
      );
    }
  });

  test("agrees however the message is cut, and wipes its state", () => {
    const generator = new Generator(2);
    for (let round = 0; round < 1000; round++) {
      const message = generator.bytes(generator.below(700));
      firmware.release();
      const state = firmware.room(256);
      const output = firmware.room(size);
      const text = firmware.put(message);
      firmware.memory.fill(0, state, state + 256);
      firmware.exports[`${name}Begin`](state);
      for (let done = 0; done < message.length; ) {
        const part = Math.min(message.length - done, generator.below(300));
        firmware.exports[`${name}Update`](state, text + done, part);
        done += part;
      }
      firmware.exports[`${name}End`](state, output);
      expect(hexOf(firmware.take(output, size))).toBe(hexOf(reference(message)));
      expect(firmware.take(state, 256).every((byte) => byte === 0)).toBe(true);
    }
  });
});

test("HMAC agrees for keys below, at and above the block size", () => {
  const generator = new Generator(3);
  for (let round = 0; round < 1500; round++) {
    const key = generator.bytes(generator.below(150));
    const message = generator.bytes(generator.below(300));
    expect(hexOf(firmware.hmac(key, message))).toBe(hexOf(hmac(sha256, key, message)));
  }
});

test("HKDF agrees for every number of output blocks", () => {
  const generator = new Generator(4);
  for (let length = 1; length <= 8160; length += 1 + generator.below(40)) {
    const [ikm, salt, info] = [
      generator.bytes(generator.below(80)),
      generator.bytes(generator.below(80)),
      generator.bytes(generator.below(80)),
    ] as const;
    expect(hexOf(firmware.hkdf(ikm, salt, info, length))).toBe(
      hexOf(hkdf(sha256, ikm, salt, info, length)),
    );
  }
  expect(() => firmware.hkdf(new Uint8Array(1), new Uint8Array(), new Uint8Array(), 8161)).toThrow(
    "panicked",
  );
});

describe("Poly1305", () => {
  const ff = "ff".repeat(16);
  const zero = "00".repeat(16);
  const one = "01" + "00".repeat(15);
  const two = "02" + "00".repeat(15);
  const split = "0100000000000000" + "0400000000000000";
  const cross = "e33594d7505e43b900000000000000003394d7505e4379cd0100000000000000";

  /** RFC 8439, appendix A.3, vectors 5 to 11: the edges of the reduction modulo 2^130 - 5. */
  test.each([
    { vector: 5, key: two + zero, message: ff, tag: "03" + "00".repeat(15) },
    { vector: 6, key: two + ff, message: two, tag: "03" + "00".repeat(15) },
    {
      vector: 7,
      key: one + zero,
      message: ff + "f0" + "ff".repeat(15) + "11" + "00".repeat(15),
      tag: "05" + "00".repeat(15),
    },
    {
      vector: 8,
      key: one + zero,
      message: ff + "fb" + "fe".repeat(15) + "01".repeat(16),
      tag: zero,
    },
    { vector: 9, key: two + zero, message: "fd" + "ff".repeat(15), tag: "fa" + "ff".repeat(15) },
    {
      vector: 10,
      key: split + zero,
      message: cross + zero + one,
      tag: "14000000000000005500000000000000",
    },
    { vector: 11, key: split + zero, message: cross + zero, tag: "13" + "00".repeat(15) },
  ])("passes vector A.3 $vector", ({ key, message, tag }) => {
    expect(hexOf(firmware.poly1305(bytesOf(key), bytesOf(message)))).toBe(tag);
  });

  test("agrees for keys and messages that provoke carries", () => {
    const generator = new Generator(9);
    for (let round = 0; round < 5000; round++) {
      const key = generator.pattern(32);
      const message = generator.pattern(16 * generator.below(6));
      expect(hexOf(firmware.poly1305(key, message))).toBe(hexOf(poly1305(message, key)));
    }
  });
});

describe("ChaCha20-Poly1305", () => {
  test("seals as the reference does and opens what it sealed", () => {
    const generator = new Generator(5);
    for (let round = 0; round < 3000; round++) {
      const key = generator.either(32);
      const nonce = generator.bytes(12);
      const aad = generator.either(generator.below(80));
      const plain = generator.either(generator.below(400));
      const sealed = firmware.seal(key, nonce, aad, plain);
      expect(hexOf(sealed)).toBe(hexOf(chacha20poly1305(key, nonce, aad).encrypt(plain)));
      expect(hexOf(firmware.open(key, nonce, aad, sealed))).toBe(hexOf(plain));
    }
  });

  test("works in place", () => {
    const generator = new Generator(6);
    for (let length = 0; length < 200; length++) {
      const [key, nonce, aad, plain] = [
        generator.bytes(32),
        generator.bytes(12),
        generator.bytes(20),
        generator.bytes(length),
      ] as const;
      firmware.release();
      const box = firmware.room(length + 16);
      firmware.memory.set(plain, box);
      const [k, n, a] = [firmware.put(key), firmware.put(nonce), firmware.put(aad)] as const;
      firmware.exports.sealBox(k, n, a, 20, box, length, box);
      expect(hexOf(firmware.take(box, length + 16))).toBe(
        hexOf(chacha20poly1305(key, nonce, aad).encrypt(plain)),
      );
      expect(firmware.exports.openBox(k, n, a, 20, box, length + 16, box)).toBe(1);
      expect(hexOf(firmware.take(box, length))).toBe(hexOf(plain));
    }
  });

  test("refuses every truncation and every flipped bit, and writes nothing then", () => {
    const generator = new Generator(7);
    const [key, nonce] = [generator.bytes(32), generator.bytes(12)] as const;
    const [aad, plain] = [generator.bytes(13), generator.bytes(40)] as const;
    const sealed = firmware.seal(key, nonce, aad, plain);
    for (let length = 0; length < sealed.length; length++) {
      expect(firmware.open(key, nonce, aad, sealed.subarray(0, length))).toBeNull();
    }
    const parts = { key, nonce, aad, sealed };
    for (const name of ["key", "nonce", "aad", "sealed"] as const) {
      for (let bit = 0; bit < parts[name].length * 8; bit++) {
        const changed = { ...parts, [name]: parts[name].slice() };
        changed[name]![bit >> 3]! ^= 1 << (bit & 7);
        const opened = firmware.open(changed.key, changed.nonce, changed.aad, changed.sealed);
        expect(opened, `${name}, bit ${bit}`).toBeNull();
      }
    }
    expect(hexOf(firmware.open(key, nonce, aad, sealed))).toBe(hexOf(plain));
  });
});

test("constant-time comparison sees each bit", () => {
  const generator = new Generator(8);
  const bytes = generator.bytes(33);
  firmware.release();
  const a = firmware.put(bytes);
  for (let bit = 0; bit < 33 * 8; bit++) {
    const changed = bytes.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    firmware.release();
    firmware.room(33);
    expect(firmware.exports.equalConstantTime(a, firmware.put(changed), 33)).toBe(0);
  }
  expect(firmware.exports.equalConstantTime(a, a, 33)).toBe(1);
});
