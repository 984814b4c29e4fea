// SPDX-License-Identifier: Apache-2.0
// Signed objects on the host: one form only, bound to purpose, key and every byte.
import { createPublicKey, verify } from "node:crypto";
import { ed25519 } from "@noble/curves/ed25519.js";
import { describe, expect, it } from "vitest";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseSigned, signedBytes, signObject, verifySigned } from "../../host/trust/cose.ts";

const seed = new Uint8Array(32).fill(7);
const publicKey = ed25519.getPublicKey(seed);
const payload = encodeCbor([new Uint8Array(32).fill(1), 2, "EUR"]);
const keyId = new Uint8Array(8).fill(9);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("deterministic CBOR", () => {
  // RFC 8949 Appendix A lists the long forms' values; section 4.2.1 forbids the spellings below.
  it.each([
    ["1801", "an integer longer than needed"],
    ["9f01ff", "an array of indefinite length"],
    ["5f41004100ff", "a byte string of indefinite length"],
    ["f93c00", "a float that is a whole number"],
    ["a2020101 01".replace(" ", ""), "map keys out of order"],
    ["a201010101", "a map key twice"],
    ["8101ff", "trailing bytes"],
    ["8201", "a missing item"],
    ["", "nothing"],
    ["c101", "a tag"],
    ["1b0020000000000000", "an integer beyond 2^53 - 1"],
    ["f7", "undefined"],
    ["61ff", "text that is not UTF-8"],
  ])("refuses %s: %s", (bytes) => {
    expect(decodeCbor(Uint8Array.from(Buffer.from(bytes, "hex")))).toBeUndefined();
  });

  it("round-trips the values Florin uses", () => {
    const value = [0, 23, 24, 65536, 2 ** 53 - 1, -1, "EUR", true, null, Uint8Array.of(1, 2)];
    expect(decodeCbor(encodeCbor(value))).toEqual(value);
    expect(decodeCbor(encodeCbor(new Map([[4, keyId]])))).toEqual(new Map([[4, keyId]]));
  });
});

describe("COSE_Sign1", () => {
  it("writes the form of docs/protocol.cddl", () => {
    const signed = signObject("florin/completion", payload, seed, keyId);
    expect(hex(signed).slice(0, 34)).toBe("8443a10127a10448" + "09".repeat(8) + "58");
    expect(hex(signObject("florin/completion", payload, seed)).slice(0, 14)).toBe("8443a10127a058");
    // Sig_structure: "Signature1", protected header, external_aad, payload (RFC 9052 section 4.4).
    expect(hex(signedBytes("p", Uint8Array.of(5)))).toBe(
      "846a5369676e61747572653143a1012741704105",
    );
  });

  it("is verified by another implementation of Ed25519", () => {
    const object = parseSigned(signObject("florin/mandate", payload, seed))!;
    const key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey).toString("base64url") },
      format: "jwk",
    });
    const message = signedBytes("florin/mandate", payload);
    expect(verify(null, message, key, object.signature)).toBe(true);
  });

  it("binds purpose and key", () => {
    const object = parseSigned(signObject("florin/mandate", payload, seed, keyId))!;
    expect(object.keyId).toEqual(keyId);
    expect(verifySigned(object, "florin/mandate", publicKey)).toBe(true);
    expect(verifySigned(object, "florin/approval", publicKey)).toBe(false);
    const other = ed25519.getPublicKey(new Uint8Array(32).fill(8));
    expect(verifySigned(object, "florin/mandate", other)).toBe(false);
    expect(verifySigned(object, "florin/mandate", new Uint8Array(32))).toBe(false);
  });

  it("refuses every flipped bit", () => {
    const signed = signObject("florin/mandate", payload, seed);
    for (let bit = 0; bit < signed.length * 8; bit++) {
      const flipped = Uint8Array.from(signed);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const object = parseSigned(flipped);
      expect(object !== undefined && verifySigned(object, "florin/mandate", publicKey)).toBe(false);
    }
  });

  it("refuses other shapes", () => {
    const header = Uint8Array.of(0xa1, 0x01, 0x27);
    const signature = new Uint8Array(64);
    const refused: unknown[] = [
      [header, new Map(), payload],
      [header, new Map(), payload, signature.slice(1)],
      [header, new Map([[4, keyId.slice(1)]]), payload, signature],
      [header, new Map([[5, keyId]]), payload, signature],
      [header, [], payload, signature],
      [new Uint8Array(0), new Map(), payload, signature],
      [header, new Map(), "text", signature],
      7,
    ];
    for (const shape of refused) expect(parseSigned(encodeCbor(shape))).toBeUndefined();
  });
});
