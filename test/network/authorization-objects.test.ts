// SPDX-License-Identifier: Apache-2.0
// The four signed objects of field 55 against docs/protocol.cddl: layout, ranges, one spelling.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  fromFieldText,
  mandateHash,
  parseApproval,
  parseCompletion,
  parseMandate,
  parsePosting,
  signApproval,
  signCompletion,
  signMandate,
  signPosting,
  toFieldText,
} from "../../host/network/authorization/signedObjects.ts";
import { encodeCbor } from "../../host/trust/cbor.ts";
import { parseSigned, signObject } from "../../host/trust/cose.ts";
import { customerSeed, mandate, merchantKeyId } from "./authorization-world.ts";

const bytes = (length: number, fill = 7) => new Uint8Array(length).fill(fill);
const hash = "07".repeat(32);

/** A mandate's payload with one member replaced. */
function mandateWith(index: number, value: unknown): Uint8Array {
  const item: unknown[] = [
    bytes(16),
    1,
    bytes(16),
    1000,
    "EUR",
    0,
    990,
    "EUR",
    bytes(16),
    1_785_000_000,
    1,
    bytes(32),
  ];
  item[index] = value;
  return signObject("florin/mandate", encodeCbor(item), customerSeed);
}

describe("a mandate", () => {
  it("has the layout of docs/protocol.cddl and comes back whole", () => {
    const order = mandate();
    const signed = signMandate(order, customerSeed, merchantKeyId);
    const { content, object } = parseMandate(signed)!;
    expect(content).toEqual(order);
    expect(object.keyId).toEqual(merchantKeyId);
    const written = [
      Buffer.from(order.transactionId, "hex"),
      1,
      Buffer.from(order.credentialId, "hex"),
      1000,
      "EUR",
      10,
      990,
      "EUR",
      Buffer.from(order.merchantCredentialId, "hex"),
      order.notAfterS,
      1,
      Buffer.from(order.receiptHash, "hex"),
    ];
    const payload = encodeCbor(
      written.map((one) => (Buffer.isBuffer(one) ? Uint8Array.from(one) : one)),
    );
    expect(parseSigned(signed)!.payload).toEqual(payload);
    expect(mandateHash(object)).toBe(createHash("sha256").update(payload).digest("hex"));
  });

  it("is read when every member is in range", () => {
    expect(parseMandate(mandateWith(1, 2))?.content.direction).toBe("sell");
    expect(parseMandate(mandateWith(3, 2 ** 53 - 1))?.content.accountAmountMinor).toBe(2 ** 53 - 1);
  });

  it.each([
    [0, bytes(15), "a short transaction id"],
    [1, 0, "no direction"],
    [1, 3, "an unknown direction"],
    [2, "07", "a credential id that is text"],
    [3, 0, "nothing to pay"],
    [3, -1, "a negative amount"],
    [4, "eur", "a unit in small letters"],
    [4, "EURO", "a unit of four letters"],
    [5, -1, "a negative fee"],
    [6, 0, "no money"],
    [7, 978, "a unit that is a number"],
    [8, bytes(17), "a long credential id"],
    [9, null, "no time"],
    [10, 2, "another purpose"],
    [11, bytes(31), "a short hash"],
    [12, 0, "a member too many"],
  ] as [number, unknown, string][])("refuses member %i as %s: %s", (index, value) => {
    expect(parseMandate(mandateWith(index, value))).toBeUndefined();
  });
});

it("approvals, completions and postings come back whole, and only in their own form", () => {
  const approval = { mandateHash: hash, approved: true, code: "00", untilS: 9 };
  expect(parseApproval(signApproval(approval, customerSeed))?.content).toEqual(approval);
  for (const outcome of ["post", "void"] as const) {
    const signed = signCompletion({ mandateHash: hash, outcome }, customerSeed, merchantKeyId);
    expect(parseCompletion(signed)?.content).toEqual({ mandateHash: hash, outcome });
  }
  for (const state of ["posted", "voided", "refused"] as const) {
    const signed = signPosting({ mandateHash: hash, state }, customerSeed);
    expect(parsePosting(signed)?.content).toEqual({ mandateHash: hash, state });
  }
  const sign = (item: unknown) => signObject("florin/x", encodeCbor(item), customerSeed);
  expect(parseApproval(sign([bytes(32), 1, "00", 9]))).toBeUndefined();
  expect(parseApproval(sign([bytes(32), true, "0", 9]))).toBeUndefined();
  expect(parseApproval(sign([bytes(32), true, "00", -9]))).toBeUndefined();
  expect(parseCompletion(sign([bytes(32), 3]))).toBeUndefined();
  expect(parsePosting(sign([bytes(32), 4]))).toBeUndefined();
  expect(parsePosting(sign([bytes(31), 1]))).toBeUndefined();
  expect(parsePosting(sign({ 0: 1 }))).toBeUndefined();
});

it("field 55 has one spelling per object", () => {
  expect(toFieldText(Uint8Array.of(0xfb, 0xff))).toBe("-_8");
  expect(fromFieldText("-_8")).toEqual(Uint8Array.of(0xfb, 0xff));
  // The last character has two spare bits, and must leave them zero (RFC 4648 section 3.5).
  for (const text of ["-_9", "-_8=", "+/8", "-_8 ", "-"])
    expect(fromFieldText(text)).toBeUndefined();
});
