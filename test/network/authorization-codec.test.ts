// SPDX-License-Identifier: Apache-2.0
// The walls around the ISO 8583 package: one spelling per message, known fields only, and no byte
// that can change unnoticed.
import { createHmac } from "node:crypto";
import Iso8583 from "iso_8583";
import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage } from "../../host/network/authorization/codec.ts";
import {
  authenticate,
  isAuthentic,
} from "../../host/network/authorization/messageAuthentication.ts";
import { FIELD_RULES, type IsoMessage } from "../../host/network/authorization/messages.ts";
import { currencyByCode, currencyByNumeric } from "../../host/network/currencies.ts";
import { acquirerKey, hold, issuerKey, mandate, settle } from "./authorization-world.ts";

const answer: IsoMessage = {
  type: "0110",
  fields: {
    3: "000000",
    4: "000000001000",
    7: "0801123456",
    11: "000007",
    32: "9001",
    37: "621312000007",
    39: "00",
    41: "FLORIN01",
    42: "oaGhoaGhoaE    ",
    49: "978",
  },
};

/** Encodes text fields as they stand, with a valid code, past all checks of the sender. */
function forged(head: string, bitmaps: string, body: string): Uint8Array {
  const parts = [Buffer.from(head), Buffer.from(bitmaps, "hex"), Buffer.from(body, "latin1")];
  const bytes = Uint8Array.from(Buffer.concat([...parts, Buffer.alloc(8)]));
  authenticate(bytes, acquirerKey);
  return bytes;
}

const BITMAPS = "b22001000ac08000" + "0000000000000001";
const BITMAPS_32 = "b22000010ac08000" + "0000000000000001";
const BODY = "000000" + "000000001000" + "0801123456" + "000007" + "049001" + "621312000007" + "00";
const TAIL = "FLORIN01" + "oaGhoaGhoaE    " + "978";

describe("the layout on the wire", () => {
  it("is type, two bitmaps, fields, code, worked out by hand from ISO 8583:1987", () => {
    const bytes = encodeMessage(answer, acquirerKey);
    const covered = Buffer.from(bytes.subarray(0, bytes.length - 8));
    // Bits 1 3 4 7 | 11 | - | 32 | 37 39 | 41 42 | 49 | - and 128.
    const expected = Buffer.concat([
      Buffer.from("0110"),
      Buffer.from(BITMAPS_32, "hex"),
      Buffer.from(BODY + TAIL),
    ]);
    expect(covered.toString("hex")).toBe(expected.toString("hex"));
    const code = createHmac("sha256", acquirerKey).update(covered).digest().subarray(0, 8);
    expect(Buffer.from(bytes.subarray(-8)).equals(code)).toBe(true);
    expect(decodeMessage(bytes, acquirerKey)).toEqual(answer);
  });

  it.each(["0100", "0220", "0400"])("carries a %s both ways", (type) => {
    const order = mandate();
    const messages = [hold(order), settle(order, "post"), settle(order, "void")];
    const message = messages.find((candidate) => candidate.type === type)!;
    expect(decodeMessage(encodeMessage(message, acquirerKey), acquirerKey)).toEqual(message);
  });
});

describe("what is dropped", () => {
  const bytes = encodeMessage(hold(mandate()), acquirerKey);

  it("every flipped bit, as not authentic", () => {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeMessage(flipped, acquirerKey)).toBe("authentication");
    }
  });

  it("another link's code, and no code", () => {
    expect(decodeMessage(encodeMessage(answer, issuerKey), acquirerKey)).toBe("authentication");
    expect(decodeMessage(bytes.slice(0, -8), acquirerKey)).toBe("authentication");
    expect(isAuthentic(new Uint8Array(8), acquirerKey)).toBe(false);
  });

  it("every truncation, and what is too short or too long", () => {
    for (let length = 0; length < bytes.length; length++) {
      const reason = decodeMessage(bytes.slice(0, length), acquirerKey);
      expect(reason).toBe(length < 28 ? "length" : "authentication");
    }
    expect(decodeMessage(new Uint8Array(1501), acquirerKey)).toBe("length");
  });

  // All of these carry a valid code: a peer that holds the key but writes nonsense.
  it.each([
    ["a known message, to see that the forger works", "0110", BITMAPS_32, BODY + TAIL, true],
    ["trailing bytes", "0110", BITMAPS_32, BODY + TAIL + "0", false],
    ["a missing last byte", "0110", BITMAPS_32, BODY + TAIL.slice(0, -1), false],
    ["an unknown type", "0800", BITMAPS_32, BODY + TAIL, false],
    ["a type that is a property name", "__pr", BITMAPS_32, BODY + TAIL, false],
    ["a bitmap without field 128", "0110", BITMAPS_32.slice(0, -1) + "0", BODY + TAIL, false],
    ["a bitmap without the second one", "0110", "3" + BITMAPS_32.slice(1), BODY + TAIL, false],
    ["a required field left out", "0110", BITMAPS, BODY + TAIL, false],
    [
      "a field that is not allowed",
      "0110",
      "f" + BITMAPS_32.slice(1),
      "0840000012" + BODY + TAIL,
      false,
    ],
    [
      "field 127, which the package expands",
      "0110",
      BITMAPS_32.slice(0, -1) + "3",
      BODY + TAIL,
      false,
    ],
    [
      "a length that is no number",
      "0110",
      BITMAPS_32,
      (BODY + TAIL).replace("049001", "4 9001"),
      false,
    ],
    [
      "a length in another spelling",
      "0110",
      BITMAPS_32,
      (BODY + TAIL).replace("049001", "4.9001"),
      false,
    ],
    ["letters in a number", "0110", BITMAPS_32, (BODY + TAIL).replace("001000", "00x000"), false],
    ["a byte that is no text", "0110", BITMAPS_32, BODY + TAIL.replace("F", "\xff"), false],
    ["a control character", "0110", BITMAPS_32, BODY + TAIL.replace("F", "\n"), false],
  ])("%s", (_, head, bitmaps, body, good) => {
    const result = decodeMessage(forged(head, bitmaps, body), acquirerKey);
    if (good) expect(result).toEqual(answer);
    else expect(result).toBe("form");
  });

  it("random bytes under a valid code, without throwing", () => {
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    };
    for (let round = 0; round < 3000; round++) {
      const noise = Uint8Array.from(bytes);
      // Keep the head often, so that the noise reaches the fields.
      const from = round % 3 === 0 ? 0 : 20;
      for (let hits = 0; hits < 3; hits++) {
        noise[from + (((random() << 8) | random()) % (noise.length - from))] = random();
      }
      authenticate(noise, acquirerKey);
      const result = decodeMessage(noise, acquirerKey);
      if (typeof result !== "string") {
        // What passes must be exactly what a sender could have written.
        expect(encodeMessage(result, acquirerKey)).toEqual(noise);
      }
    }
  });
});

describe("what is not sent", () => {
  it.each([
    [{ 4: "1000" }, "field 4 has the wrong form"],
    [{ 4: "0000000010000" }, "field 4 has the wrong form"],
    [{ 49: "EUR" }, "field 49 has the wrong form"],
    [{ 90: "0".repeat(42) }, "field 90 does not belong to it"],
    [{ 55: "a".repeat(1000) }, "field 55 has the wrong form"],
    [{ 128: "00".repeat(8) }, "field 128 does not belong to it"],
  ])("%j: %s", (fields, problem) => {
    const message = { type: answer.type, fields: { ...answer.fields, ...fields } };
    expect(() => encodeMessage(message, acquirerKey)).toThrow(problem);
  });

  it("a message without a required field, or under a key of the wrong size", () => {
    const { 39: _, ...fields } = answer.fields;
    expect(() => encodeMessage({ type: "0110", fields }, acquirerKey)).toThrow("field 39");
    const reversal = settle(mandate(), "void", { fields: { 90: undefined } });
    expect(() => encodeMessage(reversal, acquirerKey)).toThrow("0400: field 90 is missing");
    expect(() => encodeMessage(answer, new Uint8Array(16))).toThrow("32 bytes");
  });
});

it("needs its walls: the package alone accepts trailing bytes", () => {
  const bytes = Buffer.concat([encodeMessage(answer, acquirerKey), Buffer.from("000")]);
  const unpacked = new Iso8583({}, FIELD_RULES).getIsoJSON(bytes, { lenHeader: false });
  expect(unpacked).toMatchObject({ 0: "0110", 4: "000000001000" });
});

it("knows currencies by letters and by digits", () => {
  // ISO 4217, list one.
  const expected = [
    ["USD", "840", 2],
    ["EUR", "978", 2],
    ["GBP", "826", 2],
    ["JPY", "392", 0],
    ["CHF", "756", 2],
    ["KWD", "414", 3],
  ] as const;
  for (const [code, numeric, exponent] of expected) {
    expect(currencyByCode(code)).toEqual({ code, numeric, exponent });
    expect(currencyByNumeric(numeric)?.code).toBe(code);
  }
  expect(currencyByCode("XXX")).toBeUndefined();
});
