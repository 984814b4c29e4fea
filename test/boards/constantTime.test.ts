// SPDX-License-Identifier: Apache-2.0
// Constant time, shown: on the emulated Cortex-M33 each operation with a secret takes the same
// number of instructions for every secret, random ones and chosen extremes; and gives the result
// that @noble gives. On a build with a branch on secret data the same counts differ, each of them.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { beforeAll, describe, expect, test } from "vitest";
import { Generator } from "../vectors/support/generator.ts";
import { type Counted, Calls } from "./counts.ts";
import { buildLeakyImage, LEAKY_IMAGE } from "./leaky.ts";

const SECRETS = Number(process.env.FLORIN_SECRETS ?? 1000);
const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte);

/** Secrets in which branches and early ends would show: few bits, many bits, carries. */
const EXTREMES = [
  filled(0),
  filled(0xff),
  filled(0x55),
  filled(0x80),
  Uint8Array.of(1, ...filled(0, 31)),
  Uint8Array.of(...filled(0, 31), 0x80),
  Uint8Array.of(...filled(0xff, 31), 0x7f),
  // The order of the group, and one less (RFC 8032 section 5.1).
  Buffer.from("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", "hex"),
  Buffer.from("ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", "hex"),
];

function secretsOf(seed: number): Uint8Array[] {
  const generator = new Generator(seed);
  return [...EXTREMES, ...Array.from({ length: SECRETS }, () => generator.bytes(32))];
}

/** The counts, each once. */
const distinct = (counted: Counted[]): number[] => [
  ...new Set(counted.map(({ instructions }) => instructions)),
];

const TIMEOUT_MS = 600_000;
const message = filled(0x6d, 100);
const nonce = filled(7, 12);
const aad = filled(8, 20);

/** Operations of a build of the image: what each counts and what it must give. */
interface Operation {
  name: string;
  count(image: string | undefined): Counted[];
  expectResults(counted: Counted[]): void;
}

const secretsOfX25519 = secretsOf(1);
const secretsOfSigning = secretsOf(2);
const secretsOfBoxes = secretsOf(3);
const point = x25519.getPublicKey(filled(9));
const textOf = (secret: Uint8Array) => Uint8Array.from([...secret, ...secret, ...secret]);

const OPERATIONS: Operation[] = [
  {
    name: "X25519, for all scalars",
    count(image) {
      const calls = new Calls(image);
      for (const secret of secretsOfX25519) calls.add("x25519", { room: 32 }, secret, point);
      return calls.run();
    },
    expectResults(counted) {
      for (const [index, { output }] of counted.entries()) {
        expect(output).toEqual(x25519.getSharedSecret(secretsOfX25519[index]!, point));
      }
    },
  },
  {
    name: "Ed25519 signing, for all seeds",
    count(image) {
      const calls = new Calls(image);
      // The first signature after a start computes the multiples of the base point: public data.
      for (const secret of [filled(1), ...secretsOfSigning]) {
        const key = ed25519.getPublicKey(secret);
        const [head, length] = [filled(0, 8), message.length];
        calls.add("ed25519Sign", { room: 64 }, message, length, secret, key, head, 0);
      }
      return calls.run().slice(1);
    },
    expectResults(counted) {
      for (const [index, { output }] of counted.entries()) {
        expect(output).toEqual(ed25519.sign(message, secretsOfSigning[index]!));
      }
    },
  },
  {
    name: "ChaCha20-Poly1305, for all keys and texts",
    count(image) {
      const calls = new Calls(image);
      for (const secret of secretsOfBoxes) {
        const text = textOf(secret);
        const room = text.length + 16;
        calls.add("sealBox", secret, nonce, aad, aad.length, text, text.length, { room });
      }
      return calls.run();
    },
    expectResults(counted) {
      for (const [index, { output }] of counted.entries()) {
        const secret = secretsOfBoxes[index]!;
        expect(output).toEqual(chacha20poly1305(secret, nonce, aad).encrypt(textOf(secret)));
      }
    },
  },
  {
    name: "comparison of tags, equal or not, wherever they differ",
    count(image) {
      const calls = new Calls(image);
      const tag = filled(0x5a, 16);
      calls.add("equalConstantTime", tag, tag, tag.length);
      for (let bit = 0; bit < 128; bit += 1) {
        const other = tag.slice();
        other[bit >> 3] = other[bit >> 3]! ^ (1 << (bit & 7));
        calls.add("equalConstantTime", tag, other, tag.length);
      }
      return calls.run();
    },
    expectResults(counted) {
      expect(counted.map(({ value }) => value)).toEqual([1, ...new Array(128).fill(0)]);
    },
  },
];

describe("one count of instructions", () => {
  test.each(OPERATIONS)("$name", { timeout: TIMEOUT_MS }, ({ count, expectResults }) => {
    const counted = count(undefined);
    expectResults(counted);
    expect(distinct(counted)).toHaveLength(1);
  });
});

describe("on a build that leaks, the same counts differ", () => {
  beforeAll(buildLeakyImage);

  test.each(OPERATIONS)("$name", { timeout: TIMEOUT_MS }, ({ count }) => {
    expect(distinct(count(LEAKY_IMAGE)).length).toBeGreaterThan(1);
  });
});
