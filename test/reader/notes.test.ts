// SPDX-License-Identifier: Apache-2.0
// Notes: good ones pass; each kind of bad one is refused for its own reason (docs/protocol.cddl
// section 6).
import { describe, expect, it } from "vitest";
import * as make from "./objects.ts";
import { verifyExports } from "./reader.ts";
import { readNotes, reasonOf } from "./reading.ts";

const { NOW, DAY } = make;

describe("notes", () => {
  it("verifies a note that came from the generator over another holder", () => {
    const report = readNotes([make.cbor(make.goodNote())]);
    expect(reasonOf(report)).toBeNull();
    const what = `note of 2500 minor units of EUR by "First Bank", id ${"70".repeat(16)}`;
    expect(report.items.at(-1)!.what).toBe(what);
  });

  it("verifies what the generator itself holds, without any transfer", () => {
    const [body] = make.goodNote();
    const notes = make.exportOf("notes", [make.cbor([body, []])], null, make.generator);
    expect(reasonOf(verifyExports([notes, make.certificatesExport()], NOW))).toBeNull();
  });

  const { generator, generatorCertificate, till, tillCertificate, purse } = make;
  /** A note straight to the purse, with a body bent before it is signed. */
  const body = (index: number, value: unknown): unknown => {
    const fields = make.bend(make.noteBody(), index, value);
    const signed = make.sign("florin/note-body", fields, generator, generatorCertificate);
    return extend(signed, []);
  };
  const extend = (signed: make.Cose, bent: [number, unknown][]): unknown => {
    let fields = make.transfer(signed, 1, 10, purse);
    for (const [index, value] of bent) fields = make.bend(fields, index, value);
    return [signed, [make.sign("florin/transfer", fields, generator, generatorCertificate)]];
  };
  /** The good note with its second transfer bent before it is signed. */
  const second = (index: number, value: unknown, signer = till, by = tillCertificate): unknown => {
    const [signed, [first]] = make.goodNote();
    const fields = make.bend(make.transfer(first!, 1, 2500, purse), index, value);
    return [signed, [first, make.sign("florin/transfer", fields, signer, by)]];
  };
  const alienGenerator = make.moduleCertificate(
    make.moduleClaims(generator, 18, [[-5, "Second Bank"]]),
  );
  const agentAsGenerator = make.agentCertificate(make.agentClaims(generator, 1));
  const plainAsGenerator = make.moduleCertificate(make.moduleClaims(generator, 16));
  const lateTill = make.moduleCertificate(make.moduleClaims(till, 16).set(6, NOW));
  const expiredTill = make.moduleCertificate(make.moduleClaims(till, 16).set(4, NOW - 3600));
  const tillAgent = make.agentCertificate(make.agentClaims(till, 1));
  const certified = (certificate?: make.Cose): unknown => {
    const signed = make.sign("florin/note-body", make.noteBody(), generator, certificate);
    return extend(signed, []);
  };
  const firstBy = (signer: make.Party, certificate: make.Cose): unknown => {
    const [signed] = make.goodNote();
    const fields = make.transfer(signed, 1, 10, purse);
    return [signed, [make.sign("florin/transfer", fields, signer, certificate)]];
  };
  const wrongPurpose = (): unknown => {
    const [signed, [first]] = make.goodNote();
    const fields = make.transfer(first!, 1, 2500, purse);
    return [signed, [first, make.sign("florin/note-body", fields, till, tillCertificate)]];
  };
  const cases: [string, unknown, RegExp, ...make.Cose[]][] = [
    ["a third kind", body(0, 3), /kind is 3, outside 1 to 2/],
    ["another issuer", body(1, "Second Bank"), /generator of "First Bank", not the issuer/],
    ["an empty issuer", body(1, ""), /issuer has 0 bytes where 1 to 48 belong/],
    ["a unit in small letters", body(2, "eur"), /unit is "eur", not an ISO 4217 code/],
    ["a negative amount", body(4, -1), /amount is -1, outside 0 to/],
    ["an amount beyond 2^53", body(4, 2 ** 60), /amount is not an integer/],
    ["expiry before issue", body(6, NOW - 200), /expires before it is issued/],
    [
      "issue before its generator",
      body(5, NOW - 31 * DAY),
      /outside the validity of its generator/,
    ],
    ["another generator", body(7, till.id), /not signed by its generator/],
    ["currency with an account", body(8, "12345678"), /currency and names an account/],
    ["credit without an account", body(0, 2), /account is not a text/],
    ["a body without kid", certified(), /body does not name its signer's certificate/],
    ["an unknown signer", certified(alienGenerator), /lack certificate .* of the note's body/],
    [
      "a generator of another bank",
      certified(alienGenerator),
      /generator of "Second Bank", not the issuer/,
      alienGenerator,
    ],
    [
      "a plain module as generator",
      certified(plainAsGenerator),
      /signer of the note's body is not a generator/,
      plainAsGenerator,
    ],
    [
      "an agent as generator",
      certified(agentAsGenerator),
      /signer of the note's body is not a generator/,
      agentAsGenerator,
      make.agentServerCertificate,
    ],
    ["another parent", second(0, make.fill(0, 32)), /parent hash of transfer 2 is not that/],
    ["sequence 0", second(1, 0), /sequence and offset of transfer 2 do not fit/],
    ["a later sequence at offset 0", second(1, 2), /sequence and offset of transfer 2 do not fit/],
    ["the first sequence elsewhere", second(2, 1), /sequence and offset of transfer 2 do not fit/],
    ["an amount over the parent's", second(3, 8001), /exceed the amount of the record before/],
    ["an offset that leaves too little", second(2, 5501), /exceed the amount of the record before/],
    [
      "an offset near the largest integer",
      second(2, Number.MAX_SAFE_INTEGER),
      /exceed the amount of the record before/,
    ],
    ["a transferee not the holder", second(4, till.id), /belongs to module 1515151515151515/],
    ["a date off the hour", second(5, NOW - 1), /not rounded down to the hour/],
    [
      "a date before the parent's",
      second(5, NOW - 7200),
      /transfer 2 is before that of its parent/,
    ],
    ["a date after expiry", second(5, NOW + 90 * DAY), /transfer 2 was made after the note's/],
    ["a short pay-id", second(6, make.fill(0, 15)), /pay-id of transfer 2 has 15 bytes/],
    [
      "a transfer by another module",
      second(3, 1, generator, generatorCertificate),
      /transfer 2 is not signed by the holder of its parent/,
    ],
    ["a first transfer by another", firstBy(till, tillCertificate), /not signed by the holder/],
    [
      "a first transfer under a lesser role",
      firstBy(generator, plainAsGenerator),
      /signer of transfer 1 is not a generator/,
      plainAsGenerator,
    ],
    [
      "an agent's certificate on a transfer",
      second(3, 1, till, tillAgent),
      /signer of transfer 2 is not a money module/,
      tillAgent,
      make.agentServerCertificate,
    ],
    [
      "a transfer before its signer's certificate",
      second(3, 1, till, lateTill),
      /transfer 2 was made outside the validity/,
      lateTill,
    ],
    [
      "a transfer after its signer's certificate",
      second(3, 1, till, expiredTill),
      /transfer 2 was made outside the validity/,
      expiredTill,
    ],
    ["a signature under the wrong key", second(3, 1, purse), /signature of transfer 2 .* is wrong/],
    ["a signature for another purpose", wrongPurpose(), /signature of transfer 2 .* is wrong/],
  ];
  it.each(cases)("refuses %s", (_, note, reason, ...extra) => {
    const report = readNotes([make.cbor(note)], extra);
    expect(reasonOf(report)).toMatch(reason);
  });

  it("takes a first transfer and a certificate from within one hour as in order", () => {
    const claims = make.moduleClaims(till, 16).set(6, NOW - 1800);
    const fresh = make.moduleCertificate(claims);
    expect(reasonOf(readNotes([make.cbor(second(3, 1, till, fresh))], [fresh]))).toBeNull();
  });

  it("refuses a note from its expiry on", () => {
    const note = [make.cbor(make.goodNote())];
    expect(reasonOf(readNotes(note, [], NOW + 90 * DAY - 1))).toBeNull();
    expect(reasonOf(readNotes(note, [], NOW + 90 * DAY))).toBe("the note has expired");
  });
});
