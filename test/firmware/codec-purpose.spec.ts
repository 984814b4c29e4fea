// SPDX-License-Identifier: Apache-2.0
// The purposes of signed objects are spelt in bytes; here they are compared with their names.
import { Bytes, bytesEqual } from "../../assembly/codec/bytes";
import { Purpose } from "../../assembly/codec/purpose";
import { bytesOf } from "./support/hex";

function isNamed(purpose: Bytes, name: string): bool {
  const ascii = new StaticArray<u8>(name.length);
  for (let i = 0; i < name.length; i++) ascii[i] = <u8>name.charCodeAt(i);
  return bytesEqual(purpose, ascii);
}

describe("purposes", () => {
  test("are what their names say", () => {
    expect(isNamed(Purpose.CERTIFICATE, "florin/certificate")).toBe(true);
    expect(isNamed(Purpose.LIST, "florin/list")).toBe(true);
    expect(isNamed(Purpose.TIME, "florin/time")).toBe(true);
    expect(isNamed(Purpose.TICKET, "florin/ticket")).toBe(true);
    expect(isNamed(Purpose.TICKET_TRANSFER, "florin/ticket-transfer")).toBe(true);
    expect(isNamed(Purpose.NOTE_BODY, "florin/note-body")).toBe(true);
    expect(isNamed(Purpose.TRANSFER, "florin/transfer")).toBe(true);
    expect(isNamed(Purpose.OFFER, "florin/offer")).toBe(true);
    expect(isNamed(Purpose.READY_TO_COMMIT, "florin/ready-to-commit")).toBe(true);
    expect(isNamed(Purpose.QUESTION, "florin/question")).toBe(true);
    expect(isNamed(Purpose.ANSWER, "florin/answer")).toBe(true);
    expect(isNamed(Purpose.DONE, "florin/done")).toBe(true);
    expect(isNamed(Purpose.MANDATE, "florin/mandate")).toBe(true);
    expect(isNamed(Purpose.APPROVAL, "florin/approval")).toBe(true);
    expect(isNamed(Purpose.COMPLETION, "florin/completion")).toBe(true);
    expect(isNamed(Purpose.ANNEX, "florin/annex")).toBe(true);
    expect(isNamed(Purpose.MERCHANT_OFFER, "florin/merchant-offer")).toBe(true);
    expect(isNamed(Purpose.POSSESSION, "florin/possession")).toBe(true);
    expect(isNamed(Purpose.POSTING, "florin/posting")).toBe(true);
  });

  test("are told from bytes that only begin like them", () => {
    expect(isNamed(Purpose.LIST, "florin/lis")).toBe(false);
    expect(bytesEqual(Purpose.LIST, bytesOf("00"))).toBe(false);
  });
});
