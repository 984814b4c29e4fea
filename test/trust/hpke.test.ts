// SPDX-License-Identifier: Apache-2.0
// Sealing to a key against the vectors of RFC 9180, and what must not open.
import { x25519 } from "@noble/curves/ed25519.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { describe, expect, it } from "vitest";
import { openSealed, sealToKey } from "../../host/trust/hpke.ts";

// RFC 9180 appendix A.2.1: base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305, sequence number 0.
const vector = {
  info: "Ode on a Grecian Urn",
  ephemeral: hexToBytes("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600"),
  recipient: hexToBytes("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"),
  recipientSecret: hexToBytes("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"),
  aad: new TextEncoder().encode("Count-0"),
  plain: new TextEncoder().encode("Beauty is truth, truth beauty"),
  box:
    "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a" +
    "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db" +
    "21993c62ce81883d2dd1b51a28",
};

describe("sealing to a key", () => {
  it("makes and opens the box of RFC 9180 A.2.1", () => {
    const { info, recipient, aad, plain, ephemeral, recipientSecret } = vector;
    const box = sealToKey(recipient, info, aad, plain, ephemeral);
    expect(bytesToHex(box)).toBe(vector.box);
    expect(openSealed(recipientSecret, info, aad, box)).toEqual(plain);
  });

  it("opens no box that was changed, cut, or meant for other data, purpose or key", () => {
    const { info, aad, recipientSecret } = vector;
    const box = hexToBytes(vector.box);
    for (let index = 0; index < box.length; index += 1) {
      const changed = Uint8Array.from(box);
      changed[index]! ^= 1;
      expect(openSealed(recipientSecret, info, aad, changed)).toBeUndefined();
      expect(openSealed(recipientSecret, info, aad, box.subarray(0, index))).toBeUndefined();
    }
    expect(openSealed(recipientSecret, info, new Uint8Array(), box)).toBeUndefined();
    expect(openSealed(recipientSecret, "other", aad, box)).toBeUndefined();
    expect(openSealed(vector.ephemeral, info, aad, box)).toBeUndefined();
  });

  it("refuses a recipient whose key is of small order", () => {
    const { info, aad, plain, ephemeral } = vector;
    expect(x25519.getPublicKey(ephemeral)).toHaveLength(32);
    expect(() => sealToKey(new Uint8Array(32), info, aad, plain, ephemeral)).toThrow();
  });
});
