// SPDX-License-Identifier: Apache-2.0
// ChaCha20-Poly1305 against RFC 8439, section 2.8.2 and appendix A.5, and HPKE against RFC 9180,
// appendix A.2.1 (base mode, sequence number 0).
import { openBox, sealBox, TAG_SIZE } from "../../assembly/crypto/chacha20poly1305";
import { HPKE_OVERHEAD, hpkeOpen, hpkeSeal } from "../../assembly/crypto/hpke";
import { at, bytesOf, hex, textOf } from "./support/hex";

/** Appendix A.2.1 of RFC 9180. */
const RECIPIENT_SECRET = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
const RECIPIENT_KEY = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
const EPHEMERAL_SECRET = "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600";
const SEALED =
  "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a" +
  "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28";
const PLAIN = "Beauty is truth, truth beauty";

/** Seals in place, compares, opens in place, and sees a change in each byte refused. */
function checkBox(key: string, nonce: string, aad: string, plain: string, sealed: string): void {
  const keyBytes = at(bytesOf(key));
  const nonceBytes = at(bytesOf(nonce));
  const aadBytes = bytesOf(aad);
  const length = plain.length >> 1;
  const buffer = bytesOf(plain + "00".repeat(TAG_SIZE));
  const box = at(buffer);
  sealBox(keyBytes, nonceBytes, at(aadBytes), aadBytes.length, box, length, box);
  expect(hex(buffer)).toBe(sealed);
  for (let i = 0; i < buffer.length; i++) {
    buffer[i] ^= 1;
    const opened = openBox(
      keyBytes,
      nonceBytes,
      at(aadBytes),
      aadBytes.length,
      box,
      buffer.length,
      box,
    );
    expect(opened).toBe(false);
    buffer[i] ^= 1;
  }
  expect(hex(buffer)).toBe(sealed, "a refused box is not touched");
  const opened = openBox(
    keyBytes,
    nonceBytes,
    at(aadBytes),
    aadBytes.length,
    box,
    buffer.length,
    box,
  );
  expect(opened).toBe(true);
  expect(hex(buffer).substr(0, plain.length)).toBe(plain);
}

describe("ChaCha20-Poly1305 (RFC 8439)", () => {
  it("passes section 2.8.2", () => {
    checkBox(
      "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
      "070000004041424344454647",
      "50515253c0c1c2c3c4c5c6c7",
      "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a20" +
        "4966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f722074686520" +
        "6675747572652c2073756e73637265656e20776f756c642062652069742e",
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fa" +
        "fb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4" +
        "fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecb" +
        "d0600691",
    );
  });
  it("passes appendix A.5", () => {
    checkBox(
      "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
      "000000000102030405060708",
      "f33388860000000000004e91",
      "496e7465726e65742d4472616674732061726520647261667420646f63756d656e74732076616c696420" +
        "666f722061206d6178696d756d206f6620736978206d6f6e74687320616e64206d617920626520757064" +
        "617465642c207265706c616365642c206f72206f62736f6c65746564206279206f7468657220646f6375" +
        "6d656e747320617420616e792074696d652e20497420697320696e617070726f70726961746520746f20" +
        "75736520496e7465726e65742d447261667473206173207265666572656e6365206d6174657269616c20" +
        "6f7220746f2063697465207468656d206f74686572207468616e206173202fe2809c776f726b20696e20" +
        "70726f67726573732e2fe2809d",
      "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09e" +
        "e94e382d26b0bdb7b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e" +
        "008d33bd60f982b1ff37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c8" +
        "67e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523eaf4534d7f83fa115" +
        "5b0047718cbc546a0d072b04b3564eea1b422273f548271a0bb2316053fa76991955ebd63159434ecebb" +
        "4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d" +
        "6c6f2c29a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38",
    );
  });
  it("refuses a box shorter than a tag", () => {
    const bytes = at(bytesOf("00".repeat(64)));
    expect(openBox(bytes, bytes, bytes, 0, bytes, TAG_SIZE - 1, bytes)).toBe(false);
  });
});

describe("HPKE base mode (RFC 9180, A.2.1)", () => {
  it("seals, and wipes the ephemeral secret", () => {
    const output = new StaticArray<u8>(PLAIN.length + HPKE_OVERHEAD);
    const ephemeral = bytesOf(EPHEMERAL_SECRET);
    const info = textOf("Ode on a Grecian Urn");
    const aad = textOf("Count-0");
    const done = hpkeSeal(
      at(output),
      at(bytesOf(RECIPIENT_KEY)),
      at(info),
      info.length,
      at(aad),
      aad.length,
      at(textOf(PLAIN)),
      PLAIN.length,
      at(ephemeral),
    );
    expect(done).toBe(true);
    expect(hex(output)).toBe(SEALED);
    expect(hex(ephemeral)).toBe("00".repeat(32));
  });

  it("opens, and refuses what was changed or cut", () => {
    const box = bytesOf(SEALED);
    const output = new StaticArray<u8>(PLAIN.length);
    const info = textOf("Ode on a Grecian Urn");
    const aad = textOf("Count-0");
    for (let length = 0; length <= box.length; length++) {
      const done = hpkeOpen(
        at(output),
        at(bytesOf(RECIPIENT_SECRET)),
        at(bytesOf(RECIPIENT_KEY)),
        at(info),
        info.length,
        at(aad),
        aad.length,
        at(box),
        length,
      );
      expect(done).toBe(length == box.length);
    }
    expect(hex(output)).toBe(hex(textOf(PLAIN)));
    aad[0] ^= 1;
    const done = hpkeOpen(
      at(output),
      at(bytesOf(RECIPIENT_SECRET)),
      at(bytesOf(RECIPIENT_KEY)),
      at(info),
      info.length,
      at(aad),
      aad.length,
      at(box),
      box.length,
    );
    expect(done).toBe(false);
  });
});
