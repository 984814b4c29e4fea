// SPDX-License-Identifier: Apache-2.0
// Constant time, shown: on the emulated Cortex-M33 each operation with a secret takes the same
// number of instructions for every secret, random ones and chosen extremes; and gives the result
// that @noble gives. A comparison that leaks is found by the same count.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { expect, test } from "vitest";
import { Generator } from "../vectors/support/generator.ts";
import { type Counted, Calls } from "./counts.ts";

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

test("X25519: one count for all scalars", { timeout: TIMEOUT_MS }, () => {
  const calls = new Calls();
  const secrets = secretsOf(1);
  const point = x25519.getPublicKey(filled(9));
  for (const secret of secrets) calls.add("x25519", { room: 32 }, secret, point);
  const counted = calls.run();
  for (const [index, { output }] of counted.entries()) {
    expect(output).toEqual(x25519.getSharedSecret(secrets[index]!, point));
  }
  expect(distinct(counted)).toHaveLength(1);
});

test("Ed25519 signing: one count for all seeds", { timeout: TIMEOUT_MS }, () => {
  const calls = new Calls();
  // The first signature after a start computes the multiples of the base point, which are public.
  const secrets = [filled(1), ...secretsOf(2)];
  for (const secret of secrets) {
    const key = ed25519.getPublicKey(secret);
    calls.add("ed25519Sign", { room: 64 }, message, message.length, secret, key, filled(0, 8), 0);
  }
  const counted = calls.run();
  for (const [index, { output }] of counted.entries()) {
    expect(output).toEqual(ed25519.sign(message, secrets[index]!));
  }
  expect(distinct(counted.slice(1))).toHaveLength(1);
});

test("ChaCha20-Poly1305: one count for all keys and texts", { timeout: TIMEOUT_MS }, () => {
  const calls = new Calls();
  const secrets = secretsOf(3);
  const textOf = (secret: Uint8Array) => Uint8Array.from([...secret, ...secret, ...secret]);
  for (const secret of secrets) {
    const text = textOf(secret);
    calls.add("sealBox", secret, nonce, aad, aad.length, text, text.length, {
      room: text.length + 16,
    });
  }
  const counted = calls.run();
  for (const [index, { output }] of counted.entries()) {
    const secret = secrets[index]!;
    const sealed = chacha20poly1305(secret, nonce, aad).encrypt(textOf(secret));
    expect(output).toEqual(sealed);
  }
  expect(distinct(counted)).toHaveLength(1);
});

/** Compares a tag with itself, and with others that differ in one bit of each byte. */
function compareTags(name: "equalConstantTime" | "equalLeaky"): Counted[] {
  const calls = new Calls();
  const tag = filled(0x5a, 16);
  calls.add(name, tag, tag, tag.length);
  for (let bit = 0; bit < 128; bit += 1) {
    const other = tag.slice();
    other[bit >> 3] = other[bit >> 3]! ^ (1 << (bit & 7));
    calls.add(name, tag, other, tag.length);
  }
  return calls.run();
}

test("comparison of tags: one count, equal or not, wherever they differ", () => {
  const counted = compareTags("equalConstantTime");
  expect(counted.map(({ value }) => value)).toEqual([1, ...new Array(128).fill(0)]);
  expect(distinct(counted)).toHaveLength(1);
});

test("a comparison that ends at the first difference is found by its counts", () => {
  const counted = compareTags("equalLeaky");
  expect(counted.map(({ value }) => value)).toEqual([1, ...new Array(128).fill(0)]);
  expect(distinct(counted).length).toBeGreaterThan(10);
});
