// SPDX-License-Identifier: Apache-2.0
// What the firmware's curve code must refuse: points of small order, encodings that are not the
// canonical ones, malleated signatures (RFC 7748, section 6.1; RFC 8032, section 5.1.7); and that
// verification is the equation without the cofactor.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { describe, expect, test, vi } from "vitest";
import { Generator } from "./support/generator.ts";
import { bytesOf, hexOf, L, modulo, P, toBytes, toNumber } from "./support/numbers.ts";
import { Primitives } from "./support/primitives.ts";

// These are long computations by the reference, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const firmware = new Primitives();
const Point = ed25519.Point;

/** u of the points of order 8 on the Montgomery curve (Bernstein, "Curve25519", section 3). */
const ORDER_EIGHT = [
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
].map((hex) => toNumber(bytesOf(hex)));

describe("X25519 reports an all-zero result", () => {
  /** The five points and the non-canonical encodings of them; the top bit is ignored in each. */
  const values = [0n, 1n, P - 1n, P, P + 1n, ...ORDER_EIGHT];
  const encodings = values.flatMap((u) => [toBytes(u, 32), toBytes(u + 2n ** 255n, 32)]);

  test.each(encodings.map((point) => ({ name: hexOf(point), point })))("for $name", ({ point }) => {
    const generator = new Generator(40);
    for (let round = 0; round < 20; round++) {
      expect(firmware.x25519(generator.bytes(32), point)).toBeNull();
    }
  });

  test("and HPKE refuses such a recipient and such a sender", () => {
    const generator = new Generator(41);
    const none = new Uint8Array();
    const secret = generator.bytes(32);
    const key = firmware.x25519PublicKey(secret);
    for (const point of encodings) {
      const ephemeral = generator.bytes(32);
      expect(firmware.hpkeSeal(point, none, none, generator.bytes(20), ephemeral)).toBeNull();
      const box = concatBytes(point, generator.bytes(36));
      expect(firmware.hpkeOpen(secret, key, none, none, box)).toBeNull();
    }
  });
});

/** A key pair as integers, to make signatures that no honest signer makes. */
function keyPair(generator: Generator) {
  const seed = generator.bytes(32);
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  return { seed, scalar, publicKey: pointBytes };
}

function challengeOf(r: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return toNumber(sha512(concatBytes(r, publicKey, message))) % L;
}

/** The eight points of the torsion group, by multiples of one of order 8. */
const torsion = (() => {
  const generator = Point.fromHex(
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  );
  const points = [Point.ZERO];
  for (let i = 1; i < 8; i++) points.push(points[i - 1]!.add(generator));
  return points;
})();

describe("points", () => {
  test("decode from their one canonical encoding and encode to it again", () => {
    const generator = new Generator(46);
    const sign = 2n ** 255n;
    const encodings: bigint[] = [];
    for (let y = 0n; y < 40n; y++) encodings.push(y, y + sign, P - y, P - y + sign);
    for (let y = P; y < sign; y++) encodings.push(y, y + sign);
    for (let round = 0; round < 400; round++) encodings.push(toNumber(generator.either(32)));
    let valid = 0;
    for (const encoding of encodings) {
      const bytes = toBytes(encoding, 32);
      let expected = "refused";
      try {
        expected = hexOf(Point.fromBytes(bytes).toBytes());
        valid += 1;
      } catch {}
      expect(hexOf(firmware.recode(bytes)), hexOf(bytes)).toBe(expected);
    }
    expect(valid).toBeGreaterThan(200);
  });

  test("minus zero and values from p on are refused", () => {
    const encodings = [1n + 2n ** 255n, P - 1n + 2n ** 255n];
    for (let y = P; y < 2n ** 255n; y++) encodings.push(y, y + 2n ** 255n);
    for (const encoding of encodings) expect(firmware.recode(toBytes(encoding, 32))).toBeNull();
  });
});

describe("Ed25519 verification", () => {
  test("finds eight torsion points to test with", () => {
    expect(new Set(torsion.map((point) => hexOf(point.toBytes()))).size).toBe(8);
    expect(torsion[7]!.add(torsion[1]!).equals(Point.ZERO)).toBe(true);
  });

  test("refuses keys of small order though the equation holds", () => {
    const generator = new Generator(42);
    for (const key of torsion) {
      for (let round = 0; round < 40; round++) {
        const message = generator.bytes(16);
        const nonce = toNumber(generator.bytes(32)) % L;
        const publicKey = key.toBytes();
        // R takes in -k A for every possible torsion component, so that one of them fits.
        for (const shift of torsion) {
          const r = Point.BASE.multiply(nonce).add(shift).toBytes();
          const signature = concatBytes(r, toBytes(nonce, 32));
          expect(firmware.verify(signature, message, publicKey)).toBe(false);
        }
      }
    }
  });

  test("refuses R of small order though the equation holds", () => {
    const generator = new Generator(43);
    const { scalar, publicKey } = keyPair(generator);
    const r = Point.ZERO.toBytes();
    const message = generator.bytes(16);
    const k = challengeOf(r, publicKey, message);
    const signature = concatBytes(r, toBytes(modulo(k * scalar, L), 32));
    expect(ed25519.verify(signature, message, publicKey, { zip215: true })).toBe(true);
    expect(firmware.verify(signature, message, publicKey)).toBe(false);
  });

  test("is the equation without the cofactor, also for keys with a torsion component", () => {
    const generator = new Generator(44);
    let accepted = 0;
    for (let round = 0; round < 64; round++) {
      const { scalar } = keyPair(generator);
      const publicKey = Point.BASE.multiply(modulo(scalar, L)).add(torsion[1]!).toBytes();
      const message = generator.bytes(16);
      const nonce = toNumber(generator.bytes(32)) % L;
      const r = Point.BASE.multiply(nonce).toBytes();
      const k = challengeOf(r, publicKey, message);
      const signature = concatBytes(r, toBytes(modulo(nonce + k * scalar, L), 32));
      expect(firmware.verify(signature, message, publicKey)).toBe(k % 8n === 0n);
      if (k % 8n === 0n) accepted += 1;
    }
    expect(accepted).toBeGreaterThan(0);
  });

  test("refuses S from L on, and S with its top bits set", () => {
    const generator = new Generator(45);
    for (let round = 0; round < 50; round++) {
      const { seed, publicKey } = keyPair(generator);
      const message = generator.bytes(20);
      const signature = firmware.sign(message, seed, publicKey);
      const s = toNumber(signature.subarray(32));
      for (let value = s + L; value < 2n ** 256n; value += L) {
        const malleated = concatBytes(signature.subarray(0, 32), toBytes(value, 32));
        expect(firmware.verify(malleated, message, publicKey)).toBe(false);
      }
      expect(firmware.verify(signature, message, publicKey)).toBe(true);
    }
    const { publicKey } = keyPair(generator);
    for (const s of [L, L + 1n, 2n ** 253n, 2n ** 256n - 1n]) {
      const signature = concatBytes(publicKey, toBytes(s, 32));
      expect(firmware.verify(signature, new Uint8Array(), publicKey)).toBe(false);
    }
  });

  test("refuses non-canonical encodings of R", () => {
    const generator = new Generator(47);
    // With y below 19 the sum y + p fits 255 bits and is a second encoding of the same point.
    let tried = 0;
    for (let y = 2n; y < 19n; y++) {
      let point: InstanceType<typeof Point>;
      try {
        point = Point.fromBytes(toBytes(y, 32));
      } catch {
        continue;
      }
      tried += 1;
      const { publicKey } = keyPair(generator);
      const canonical = concatBytes(point.toBytes(), toBytes(5n, 32));
      const other = concatBytes(toBytes(y + P, 32), toBytes(5n, 32));
      expect(firmware.verify(canonical, generator.bytes(4), publicKey)).toBe(false);
      expect(firmware.verify(other, generator.bytes(4), publicKey)).toBe(false);
    }
    expect(tried).toBeGreaterThan(3);
  });

  test("accepts the scalars at the limits of their digits", () => {
    const generator = new Generator(48);
    const message = generator.bytes(12);
    const edges = [1n, 2n, 15n, 16n, 31n, 32n, 33n, L - 1n, L - 2n, 2n ** 252n, 2n ** 252n - 1n];
    for (let i = 0n; i < 252n; i += 5n) edges.push(2n ** i, 2n ** i - 1n || 7n, L - 2n ** i);
    for (const nonce of edges) {
      const { scalar, publicKey } = keyPair(generator);
      const r = Point.BASE.multiply(nonce).toBytes();
      const k = challengeOf(r, publicKey, message);
      const signature = concatBytes(r, toBytes(modulo(nonce + k * scalar, L), 32));
      expect(firmware.verify(signature, message, publicKey), `nonce ${nonce}`).toBe(true);
    }
  });
});
