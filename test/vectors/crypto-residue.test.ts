// SPDX-License-Identifier: Apache-2.0
// Secrets do not outlive the call that uses them (docs/security.md): after each operation on a
// secret, all linear memory outside the caller's own buffer is as it was before.
import { beforeAll, describe, expect, test } from "vitest";
import { Generator } from "./support/generator.ts";
import { Primitives } from "./support/primitives.ts";

const firmware = new Primitives();
const generator = new Generator(60);
const seed = generator.bytes(32);
const peer = firmware.x25519PublicKey(generator.bytes(32));
const publicKey = firmware.ed25519PublicKey(seed);
const message = generator.bytes(333);
const nonce = generator.bytes(12);
const box = firmware.seal(seed, nonce, message, message);
const forged = box.slice();
forged[3]! ^= 1;
const hpkeKey = firmware.x25519PublicKey(seed);
const hpkeBox = firmware.hpkeSeal(hpkeKey, message, message, message, generator.bytes(32))!;
const zero = new Uint8Array(32);

/** Every operation that is handed a secret, each also in the ways it can fail. */
const operations: Record<string, () => unknown> = {
  x25519: () => firmware.x25519(seed, peer),
  "x25519 of a point of small order": () => firmware.x25519(seed, zero),
  x25519PublicKey: () => firmware.x25519PublicKey(seed),
  ed25519PublicKey: () => firmware.ed25519PublicKey(seed),
  ed25519Sign: () => firmware.sign(message, seed, publicKey),
  sealBox: () => firmware.seal(seed, nonce, message, message),
  openBox: () => firmware.open(seed, nonce, message, box),
  "openBox of a forgery": () => firmware.open(seed, nonce, message, forged),
  hmacSha256: () => firmware.hmac(seed, message),
  "hmacSha256 under a long key": () => firmware.hmac(message, message),
  hkdf: () => firmware.hkdf(seed, message, message, 100),
  sha256: () => firmware.hash("sha256", seed),
  sha512: () => firmware.hash("sha512", seed),
  hpkeSeal: () => firmware.hpkeSeal(peer, message, message, message, seed),
  "hpkeSeal to a point of small order": () =>
    firmware.hpkeSeal(zero, message, message, message, seed),
  hpkeOpen: () => firmware.hpkeOpen(seed, hpkeKey, message, message, hpkeBox),
  "hpkeOpen of a forgery": () => firmware.hpkeOpen(seed, peer, message, message, hpkeBox),
};

describe("memory after", () => {
  let before: Uint8Array;
  beforeAll(() => {
    // The tables of public multiples are made when they are first needed (baseTables.ts). What the
    // secret used for that left behind would differ from what another one leaves.
    const other = new Primitives();
    other.ed25519PublicKey(zero);
    before = other.outside();
  });

  test.each(Object.keys(operations))("%s", (name) => {
    firmware.memory.set(before.subarray(0, firmware.exports.buffer()));
    operations[name]!();
    const after = firmware.outside();
    const changed: number[] = [];
    for (let i = 0; i < after.length; i++) if (after[i] !== before[i]) changed.push(i);
    expect(changed, "addresses that differ").toEqual([]);
  });
});

test("the ephemeral secret of HPKE is wiped from the caller's buffer", () => {
  for (const recipient of [peer, zero]) {
    firmware.release();
    const output = firmware.room(48);
    const ephemeral = firmware.put(seed);
    const key = firmware.put(recipient);
    firmware.exports.hpkeSeal(output, key, 0, 0, 0, 0, 0, 0, ephemeral);
    expect(firmware.take(ephemeral, 32)).toEqual(new Uint8Array(32));
  }
});
