// SPDX-License-Identifier: Apache-2.0
// SHA-256 and SHA-512 against the examples of FIPS 180-4 (NIST's "SHA256.pdf", "SHA512.pdf" and the
// long message of a million letters), HMAC against RFC 4231, HKDF against RFC 5869, appendix A.
import { equalConstantTime, wipe } from "../../assembly/crypto/bytes";
import { hkdfExpand, hkdfExtract } from "../../assembly/crypto/hkdf";
import { hmacSha256 } from "../../assembly/crypto/hmac";
import {
  SHA256_STATE_SIZE,
  sha256,
  sha256Begin,
  sha256End,
  sha256Update,
} from "../../assembly/crypto/sha256";
import {
  SHA512_STATE_SIZE,
  sha512,
  sha512Begin,
  sha512End,
  sha512Update,
} from "../../assembly/crypto/sha512";
import { at, bytesOf, hex, textOf } from "./support/hex";

function sha256Of(text: string): string {
  const digest = new StaticArray<u8>(32);
  sha256(at(textOf(text)), text.length, at(digest));
  return hex(digest);
}

function sha512Of(text: string): string {
  const digest = new StaticArray<u8>(64);
  sha512(at(textOf(text)), text.length, at(digest));
  return hex(digest);
}

function hmacOf(key: string, message: string): string {
  const keyBytes = bytesOf(key);
  const bytes = bytesOf(message);
  const code = new StaticArray<u8>(32);
  hmacSha256(at(keyBytes), keyBytes.length, at(bytes), bytes.length, at(code));
  return hex(code);
}

/** Extracts and expands as one test case of RFC 5869 does: "prk okm". */
function hkdfOf(ikm: string, salt: string, info: string, length: i32): string {
  const ikmBytes = bytesOf(ikm);
  const saltBytes = bytesOf(salt);
  const infoBytes = bytesOf(info);
  const prk = new StaticArray<u8>(32);
  const okm = new StaticArray<u8>(length);
  hkdfExtract(at(saltBytes), saltBytes.length, at(ikmBytes), ikmBytes.length, at(prk));
  hkdfExpand(at(prk), at(infoBytes), infoBytes.length, at(okm), length);
  return hex(prk) + " " + hex(okm);
}

/** The bytes from `first` on, `count` of them, each one more than the one before. */
function countingBytes(first: i32, count: i32): string {
  const bytes = new StaticArray<u8>(count);
  for (let i = 0; i < count; i++) bytes[i] = <u8>(first + i);
  return hex(bytes);
}

describe("SHA-256 (FIPS 180-4)", () => {
  it("hashes one block", () => {
    expect(sha256Of("abc")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });
  it("hashes two blocks", () => {
    expect(sha256Of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).toBe(
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
  });
  it("hashes nothing", () => {
    expect(sha256Of("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  });
  it("hashes a million letters in uneven parts and wipes its state", () => {
    const state = new StaticArray<u8>(SHA256_STATE_SIZE);
    const digest = new StaticArray<u8>(32);
    const part = textOf("a".repeat(997));
    sha256Begin(at(state));
    let left = 1000000;
    for (; left > 997; left -= 997) sha256Update(at(state), at(part), 997);
    sha256Update(at(state), at(part), left);
    sha256End(at(state), at(digest));
    expect(hex(digest)).toBe("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    expect(hex(state)).toBe("00".repeat(SHA256_STATE_SIZE));
  });
});

describe("SHA-512 (FIPS 180-4)", () => {
  it("hashes one block", () => {
    expect(sha512Of("abc")).toBe(
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba" +
        "3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
  });
  it("hashes two blocks", () => {
    const text =
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn" +
      "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
    expect(sha512Of(text)).toBe(
      "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b" +
        "99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
    );
  });
  it("hashes nothing", () => {
    expect(sha512Of("")).toBe(
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff83" +
        "18d2877eec2f63b931bd47417a81a538327af927da3e",
    );
  });
  it("hashes a million letters in uneven parts and wipes its state", () => {
    const state = new StaticArray<u8>(SHA512_STATE_SIZE);
    const digest = new StaticArray<u8>(64);
    const part = textOf("a".repeat(997));
    sha512Begin(at(state));
    let left = 1000000;
    for (; left > 997; left -= 997) sha512Update(at(state), at(part), 997);
    sha512Update(at(state), at(part), left);
    sha512End(at(state), at(digest));
    expect(hex(digest)).toBe(
      "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0" +
        "432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
    );
    expect(hex(state)).toBe("00".repeat(SHA512_STATE_SIZE));
  });
});

describe("HMAC-SHA-256 (RFC 4231)", () => {
  it("passes case 1", () => {
    expect(hmacOf("0b".repeat(20), hex(textOf("Hi There")))).toBe(
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    );
  });
  it("passes case 2, a short key", () => {
    expect(hmacOf(hex(textOf("Jefe")), hex(textOf("what do ya want for nothing?")))).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });
  it("passes case 6, a key longer than a block", () => {
    const message = "Test Using Larger Than Block-Size Key - Hash Key First";
    expect(hmacOf("aa".repeat(131), hex(textOf(message)))).toBe(
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    );
  });
});

describe("HKDF-SHA-256 (RFC 5869)", () => {
  it("passes A.1", () => {
    expect(hkdfOf("0b".repeat(22), countingBytes(0, 13), countingBytes(0xf0, 10), 42)).toBe(
      "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5 3cb25f25faacd57a904" +
        "34f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
  });
  it("passes A.2, longer inputs and outputs", () => {
    expect(hkdfOf(countingBytes(0, 80), countingBytes(0x60, 80), countingBytes(0xb0, 80), 82)).toBe(
      "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244 b11e398dc80327a1c8e" +
        "7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da32756" +
        "00c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    );
  });
  it("passes A.3, no salt and no info", () => {
    expect(hkdfOf("0b".repeat(22), "", "", 42)).toBe(
      "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04 8da4e775a563c18f715" +
        "f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    );
  });
});

describe("bytes", () => {
  it("compares every byte", () => {
    const a = bytesOf("00112233");
    const b = bytesOf("00112233");
    expect(equalConstantTime(at(a), at(b), 4)).toBe(true);
    b[3] ^= 0x80;
    expect(equalConstantTime(at(a), at(b), 4)).toBe(false);
    expect(equalConstantTime(at(a), at(b), 3)).toBe(true);
    b[3] ^= 0x80;
    b[0] ^= 1;
    expect(equalConstantTime(at(a), at(b), 4)).toBe(false);
  });
  it("wipes what it is told and no more", () => {
    const a = bytesOf("0011223344");
    wipe(at(a) + 1, 3);
    expect(hex(a)).toBe("0000000044");
  });
});
