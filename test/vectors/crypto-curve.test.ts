// SPDX-License-Identifier: Apache-2.0
// Field, scalars, X25519, Ed25519 and HPKE of the firmware against plain integers and @noble.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { describe, expect, test, vi } from "vitest";
import { Generator } from "./support/generator.ts";
import { hexOf, L, modulo, P, toBytes, toNumber } from "./support/numbers.ts";
import { Primitives } from "./support/primitives.ts";

// These are long computations by the reference, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const firmware = new Primitives();

describe("field", () => {
  /** Writes ten limbs as they are, up to `width` times their nominal size. */
  function putLimbs(generator: Generator, width: number): { address: number; value: bigint } {
    const limbs = new Uint32Array(10);
    let value = 0n;
    for (let i = 0; i < 10; i++) {
      const largest = width * 2 ** (i % 2 === 0 ? 26 : 25) - 1;
      const kind = generator.below(4);
      limbs[i] = kind === 0 ? largest : kind === 1 ? 0 : generator.next() % (largest + 1);
      value += BigInt(limbs[i]!) << BigInt(Math.ceil(25.5 * i));
    }
    return { address: firmware.put(new Uint8Array(limbs.buffer)), value };
  }

  /** The value of the element at `address`, by its canonical encoding. */
  function valueAt(address: number): bigint {
    const bytes = firmware.room(32);
    firmware.exports.fieldToBytes(bytes, address);
    return toNumber(firmware.take(bytes, 32));
  }

  test("products hold up to the stated widths", () => {
    const generator = new Generator(20);
    for (const [left, right] of [
      [1, 1],
      [5, 6],
      [8, 4],
      [1, 32],
    ] as const) {
      for (let round = 0; round < 2000; round++) {
        firmware.release();
        const a = putLimbs(generator, left);
        const b = putLimbs(generator, right);
        const out = firmware.room(40);
        firmware.exports.fieldMultiply(out, a.address, b.address);
        expect(valueAt(out)).toBe((a.value * b.value) % P);
      }
    }
    for (let round = 0; round < 4000; round++) {
      firmware.release();
      const a = putLimbs(generator, 5);
      const out = firmware.room(40);
      firmware.exports.fieldSquare(out, a.address);
      expect(valueAt(out)).toBe((a.value * a.value) % P);
    }
  });

  test("sums, differences and encodings are exact", () => {
    const generator = new Generator(21);
    for (let round = 0; round < 3000; round++) {
      firmware.release();
      const a = putLimbs(generator, 3);
      const b = putLimbs(generator, 1);
      const out = firmware.room(40);
      firmware.exports.fieldAdd(out, a.address, b.address);
      expect(valueAt(out)).toBe((a.value + b.value) % P);
      firmware.exports.fieldSubtract(out, a.address, b.address);
      expect(valueAt(out)).toBe(modulo(a.value - b.value, P));
    }
    const edges = [0n, 1n, 18n, 19n, P - 1n, P, P + 1n, P + 18n, 2n ** 255n - 1n, 2n ** 254n];
    for (const value of edges) {
      firmware.release();
      const out = firmware.room(40);
      firmware.exports.fieldFromBytes(out, firmware.put(toBytes(value, 32)));
      expect(valueAt(out)).toBe(value % P);
    }
  });

  test("inverses are inverses, and the inverse of zero is zero", () => {
    const generator = new Generator(22);
    const values = [0n, 1n, 2n, P - 1n, P - 2n, P, (P + 1n) / 2n, 2n ** 254n, 2n ** 30n];
    for (let i = 0; i < 255; i++) values.push(2n ** BigInt(i), P - 2n ** BigInt(i));
    for (let round = 0; round < 2000; round++) values.push(toNumber(generator.either(32)) % P);
    for (const value of values) {
      firmware.release();
      const a = firmware.room(40);
      const out = firmware.room(40);
      firmware.exports.fieldFromBytes(a, firmware.put(toBytes(value, 32)));
      firmware.exports.fieldInvert(out, a);
      expect((valueAt(out) * value) % P).toBe(value % P === 0n ? 0n : 1n);
    }
    firmware.release();
    const wide = putLimbs(generator, 3);
    const out = firmware.room(40);
    firmware.exports.fieldInvert(out, wide.address);
    expect((valueAt(out) * wide.value) % P).toBe(1n);
  });
});

test("scalars reduce and multiply modulo L", () => {
  const generator = new Generator(23);
  const wide = [0n, 1n, L - 1n, L, L + 1n, 2n * L, 2n ** 512n - 1n, L * L, L * L - 1n];
  wide.push(((2n ** 512n - 1n) / L) * L, ((2n ** 512n - 1n) / L) * L - 1n, 2n ** 252n, 2n ** 255n);
  for (let round = 0; round < 3000; round++) wide.push(toNumber(generator.either(64)));
  for (const value of wide) {
    firmware.release();
    const out = firmware.room(32);
    firmware.exports.scalarReduce(out, firmware.put(toBytes(value, 64)));
    expect(toNumber(firmware.take(out, 32))).toBe(value % L);
  }
  for (let round = 0; round < 3000; round++) {
    firmware.release();
    const [a, b, c] = [generator.either(32), generator.either(32), generator.either(32)] as const;
    a[31]! &= 0x7f;
    const out = firmware.room(32);
    firmware.exports.scalarMultiplyAdd(out, firmware.put(a), firmware.put(b), firmware.put(c));
    expect(toNumber(firmware.take(out, 32))).toBe((toNumber(a) * toNumber(b) + toNumber(c)) % L);
  }
});

describe("X25519", () => {
  test("agrees for random and patterned scalars and points, canonical or not", () => {
    const generator = new Generator(24);
    for (let round = 0; round < 2500; round++) {
      const scalar = generator.either(32);
      const point = generator.either(32);
      const agreed = firmware.x25519(scalar, point);
      let expected: string;
      try {
        expected = hexOf(x25519.getSharedSecret(scalar, point));
      } catch {
        expected = "refused";
      }
      expect(hexOf(agreed), `${hexOf(scalar)} ${hexOf(point)}`).toBe(expected);
    }
  });

  test("public keys agree, by the other curve", () => {
    const generator = new Generator(25);
    for (let round = 0; round < 2500; round++) {
      const scalar = generator.either(32);
      expect(hexOf(firmware.x25519PublicKey(scalar))).toBe(hexOf(x25519.getPublicKey(scalar)));
    }
  });
});

describe("Ed25519", () => {
  test("keys and signatures agree", () => {
    const generator = new Generator(26);
    for (let round = 0; round < 2000; round++) {
      const seed = generator.either(32);
      const message = generator.bytes(generator.below(300));
      const publicKey = ed25519.getPublicKey(seed);
      expect(hexOf(firmware.ed25519PublicKey(seed))).toBe(hexOf(publicKey));
      const signature = firmware.sign(message, seed, publicKey);
      expect(hexOf(signature)).toBe(hexOf(ed25519.sign(message, seed)));
      expect(firmware.verify(signature, message, publicKey)).toBe(true);
      const cut = generator.below(message.length + 1);
      const [head, rest] = [message.subarray(0, cut), message.subarray(cut)] as const;
      expect(hexOf(firmware.sign(rest, seed, publicKey, head))).toBe(hexOf(signature));
      expect(firmware.verify(signature, rest, publicKey, head)).toBe(true);
    }
  });

  test("verification agrees on changed signatures, keys and messages", () => {
    const generator = new Generator(27);
    for (let round = 0; round < 1000; round++) {
      const seed = generator.bytes(32);
      const parts = {
        message: generator.bytes(1 + generator.below(100)),
        publicKey: ed25519.getPublicKey(seed),
        signature: new Uint8Array(),
      };
      parts.signature = ed25519.sign(parts.message, seed);
      const changed = parts[(["message", "publicKey", "signature"] as const)[round % 3]!];
      const bit = generator.below(changed.length * 8);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const { message, publicKey, signature } = parts;
      expect(firmware.verify(signature, message, publicKey)).toBe(false);
      expect(ed25519.verify(signature, message, publicKey, { zip215: false })).toBe(false);
    }
  });
});

describe("HPKE", () => {
  /** RFC 9180, sections 4, 4.1 and 5.1, on @noble: key and nonce for one message in base mode. */
  function reference(shared: Uint8Array, kemContext: Uint8Array, info: Uint8Array) {
    const kem = concatBytes(utf8ToBytes("KEM"), Uint8Array.of(0, 0x20));
    const suite = concatBytes(utf8ToBytes("HPKE"), Uint8Array.of(0, 0x20, 0, 1, 0, 3));
    const none = new Uint8Array();
    const version = utf8ToBytes("HPKE-v1");
    const labeledExtract = (id: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array) =>
      extract(sha256, concatBytes(version, id, utf8ToBytes(label), ikm), salt);
    const labeledExpand = (
      id: Uint8Array,
      prk: Uint8Array,
      label: string,
      context: Uint8Array,
      length: number,
    ) => {
      const size = Uint8Array.of(0, length);
      return expand(
        sha256,
        prk,
        concatBytes(size, version, id, utf8ToBytes(label), context),
        length,
      );
    };
    const prk = labeledExtract(kem, none, "eae_prk", shared);
    const sharedSecret = labeledExpand(kem, prk, "shared_secret", kemContext, 32);
    const context = concatBytes(
      Uint8Array.of(0),
      labeledExtract(suite, none, "psk_id_hash", none),
      labeledExtract(suite, none, "info_hash", info),
    );
    const secret = labeledExtract(suite, sharedSecret, "secret", none);
    return {
      key: labeledExpand(suite, secret, "key", context, 32),
      nonce: labeledExpand(suite, secret, "base_nonce", context, 12),
    };
  }

  test("seals as the reference does, opens it, and refuses what was changed", () => {
    const generator = new Generator(28);
    for (let round = 0; round < 400; round++) {
      const secret = generator.bytes(32);
      const recipient = x25519.getPublicKey(secret);
      const ephemeral = generator.bytes(32);
      const info = generator.bytes(generator.below(60));
      const aad = generator.bytes(generator.below(60));
      const plain = generator.bytes(generator.below(300));
      const enc = x25519.getPublicKey(ephemeral);
      const shared = x25519.getSharedSecret(ephemeral, recipient);
      const { key, nonce } = reference(shared, concatBytes(enc, recipient), info);
      const box = firmware.hpkeSeal(recipient, info, aad, plain, ephemeral)!;
      const sealed = chacha20poly1305(key, nonce, aad).encrypt(plain);
      expect(hexOf(box)).toBe(hexOf(concatBytes(enc, sealed)));
      expect(hexOf(firmware.hpkeOpen(secret, recipient, info, aad, box))).toBe(hexOf(plain));
      const bit = generator.below(box.length * 8);
      box[bit >> 3]! ^= 1 << (bit & 7);
      expect(firmware.hpkeOpen(secret, recipient, info, aad, box)).toBeNull();
    }
  });
});
