// SPDX-License-Identifier: Apache-2.0
// The transfer tree against the notes that a module holds (par. 133; Fig. 20 steps 1598-1604): the
// bench's teller pays parts of one note, one payment after the other. What a module's own transfers
// in a returning note have to do with it is in test/hostile/forks, which needs an opened module.
//
// No note can fail alone by ending within a stored note's history: that end would be a transfer to
// this module under the pay id of this payment, and no two payments have one pay id.
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { Role } from "../../host/trust/certificates.ts";
import { DATE, encodeTransfer, type Packet, Signer, type Transfer } from "../support/noteMaker.ts";
import { AMOUNT, VerifierBench } from "../support/verifierBench.ts";

const DUPLICATED = 39;
/** The generator gave 9,000 of the note's 20,000 to the teller. */
const BODY = { amount: 20_000 };
const FIRST = { amount: 9_000 };

/** A packet with one part of the teller's 9,000. */
function part(bench: VerifierBench, newest: Partial<Transfer>, body: object = BODY): Packet {
  const packet = bench.withBody(body);
  bench.rechain(packet.drafts[0]!, bench.generator, FIRST, newest);
  return packet;
}

/** A packet with a part of what the generator gave to another holder first. */
function elsewhere(bench: VerifierBench, given: Partial<Transfer>): Packet {
  const holder = new Signer(bench.agency, "HOLDE-H", Role.TELLER);
  const packet = part(bench, {});
  const draft = packet.drafts[0]!;
  bench.rechain(draft, bench.generator, { ...FIRST, transferee: holder.id, ...given });
  const toTeller = encodeTransfer({
    parent: sha256(draft.transfers[0]!.payload),
    sequence: 1,
    offset: 0,
    amount: 9_000,
    transferee: bench.teller.id,
    date: DATE,
    payId: new Uint8Array(16),
  });
  draft.transfers.push({ payload: toTeller, signer: holder });
  draft.newest = encodeTransfer({
    parent: sha256(toTeller),
    sequence: 1,
    offset: 0,
    amount: AMOUNT,
    transferee: bench.payee,
    date: DATE,
    payId: bench.payId,
  });
  return bench.certified(packet, holder);
}

const ROWS: [string, (bench: VerifierBench) => Packet, number][] = [
  ["the next part", (b) => part(b, { sequence: 3, offset: 100 + AMOUNT }), 0],
  ["a later part", (b) => part(b, { sequence: 9, offset: 6000 }), 0],
  ["the same part again", (b) => part(b, { sequence: 2, offset: 100 }), DUPLICATED],
  ["the same part, numbered anew", (b) => part(b, { sequence: 3, offset: 100 }), DUPLICATED],
  ["another part, same number", (b) => part(b, { sequence: 2, offset: 5000 }), DUPLICATED],
  ["a part that overlaps its end", (b) => part(b, { sequence: 3, offset: 2599 }), DUPLICATED],
  ["a part that overlaps its start", (b) => part(b, { sequence: 1, offset: 0 }), DUPLICATED],
  ["a branch beside its root", (b) => elsewhere(b, { sequence: 2, offset: 9_000 }), 0],
  [
    "a branch that overlaps its root",
    (b) => elsewhere(b, { sequence: 2, offset: 8_999 }),
    DUPLICATED,
  ],
  ["a branch of its root's number", (b) => elsewhere(b, { sequence: 1, offset: 0 }), DUPLICATED],
  [
    "the same part of another body with that note id",
    (b) => part(b, { sequence: 2, offset: 100 }, { amount: 20_001 }),
    0,
  ],
];

describe("39: a note beside a stored one of the same body", () => {
  const bench = new VerifierBench();
  bench.pay(part(bench, {}));
  bench.openWithdrawal();

  test.each(ROWS)("%s", (_what, packet, reason) => {
    expect(bench.judge(packet(bench))).toBe(reason);
  });
});

describe("39: a note beside one that is in doubt", () => {
  const bench = new VerifierBench();
  bench.leaveInDoubt(part(bench, {}));
  bench.openWithdrawal();

  test.each(ROWS)("%s", (_what, packet, reason) => {
    expect(bench.judge(packet(bench))).toBe(reason);
  });
});
