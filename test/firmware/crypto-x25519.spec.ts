// SPDX-License-Identifier: Apache-2.0
// X25519 against RFC 7748: the vectors of section 5.2, iterated a thousand times as well, and the
// exchange of section 6.1.
import { x25519, x25519PublicKey } from "../../assembly/crypto/x25519";
import { at, bytesOf, hex } from "./support/hex";

function multiplied(scalar: string, point: string): string {
  const output = new StaticArray<u8>(32);
  expect(x25519(at(output), at(bytesOf(scalar)), at(bytesOf(point)))).toBe(true);
  return hex(output);
}

/** k = X25519(k, u), u = the old k, from k = u = 9, `times` times. */
function iterated(times: i32): string {
  let scalar = bytesOf("09" + "00".repeat(31));
  let point = scalar;
  for (let i = 0; i < times; i++) {
    const output = new StaticArray<u8>(32);
    x25519(at(output), at(scalar), at(point));
    point = scalar;
    scalar = output;
  }
  return hex(scalar);
}

function publicKeyOf(scalar: string): string {
  const output = new StaticArray<u8>(32);
  x25519PublicKey(at(output), at(bytesOf(scalar)));
  return hex(output);
}

describe("X25519 (RFC 7748)", () => {
  it("passes vector 1 of section 5.2", () => {
    expect(
      multiplied(
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
      ),
    ).toBe("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  });
  it("passes vector 2 of section 5.2", () => {
    expect(
      multiplied(
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
      ),
    ).toBe("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
  });
  it("passes the iteration of section 5.2 after one turn", () => {
    expect(iterated(1)).toBe("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
  });
  it("passes the iteration of section 5.2 after 1,000 turns", () => {
    expect(iterated(1000)).toBe("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
  });
  it("passes the exchange of section 6.1", () => {
    const alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    const bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    expect(publicKeyOf(alice)).toBe(
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    );
    expect(publicKeyOf(bob)).toBe(
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    );
    const shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    expect(multiplied(alice, publicKeyOf(bob))).toBe(shared);
    expect(multiplied(bob, publicKeyOf(alice))).toBe(shared);
  });
  it("reports points of small order", () => {
    const output = bytesOf("ff".repeat(32));
    const scalar = bytesOf("77".repeat(32));
    expect(x25519(at(output), at(scalar), at(bytesOf("00".repeat(32))))).toBe(false);
    expect(hex(output)).toBe("00".repeat(32));
    expect(x25519(at(output), at(scalar), at(bytesOf("01" + "00".repeat(31))))).toBe(false);
  });
});
