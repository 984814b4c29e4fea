// SPDX-License-Identifier: Apache-2.0
// The verifier's checks of a packet's content, one by one (Fig. 20 steps 1578-1604, par. 131-134;
// docs/protocol.md section 3): each packet is right in all respects but one, and the real image
// must say which. Form is in verifier-form, certificates and the list in verifier-certificates,
// duplicates of stored notes in verifier-duplicates, what only a bank takes in verifier-bank.
//
// No note can fail alone, because another check of the same reason fails with it:
//   - a body issued in the future: the draft, never before it, is in the future too;
//   - a transfer with sequence 0: it also has an offset below sequence - 1;
//   - a sum that passes the amount before the last draft: the whole sum is not the amount either;
//   - a note without its body signer's certificate: the certificate's own check refuses it as well.
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import {
  DATE,
  DAY,
  type Draft,
  encodePacket,
  HOUR,
  type Packet,
  Signer,
} from "../support/noteMaker.ts";
import { AMOUNT, NOTE_AMOUNT, VerifierBench } from "../support/verifierBench.ts";

const bench = new VerifierBench();
const { agency, generator, teller, holder } = bench;
const another = new Uint8Array(16).fill(9);
/** The teller certified a second time: the same id and keys, another certificate. */
const recertified = new Signer(agency, "TELLE-T", Role.TELLER, { hasCounter: false });
/** A second generator of the same bank. */
const generator2 = new Signer(agency, "GENE2-G", Role.GENERATOR);

/** Signs in the name of `signer` with another key. */
const impostor = (signer: Signer): Signer =>
  Object.assign(Object.create(signer), { seed: sha256(another) });
const anonymous = (signer: Signer): Signer =>
  Object.assign(Object.create(signer), { reference: undefined });

/** A right packet after `change`. */
function changed(change: (packet: Packet, draft: Draft) => void, holders: Signer[] = []): Packet {
  const packet = bench.right(holders);
  change(packet, packet.drafts[0]!);
  return packet;
}

/** Two branches of one body in one packet: 100 to 1,350, and what `second` says. */
function twoBranches(second: { sequence?: number; offset?: number }): Packet {
  const half = (change: object) => bench.withNewest({ amount: AMOUNT / 2, ...change }).drafts[0]!;
  const beside = { sequence: 3, offset: 100 + AMOUNT / 2, ...second };
  return { ...bench.right(), drafts: [half({}), half(beside)] };
}

describe("the verifier takes", () => {
  test.each<[string, () => Packet]>([
    ["a right packet", () => bench.right()],
    ["a note with a holder in between", () => bench.right([holder])],
    ["a note with as many transfers as may be", () => bench.right(Array(10).fill(holder))],
    ["branches of one body that do not overlap", () => twoBranches({})],
    ["an amount up to the parent's last unit", () => bench.withNewest({ offset: 1000 })],
    ["a whole note at once", () => bench.withNewest({ sequence: 1, offset: 0 })],
    [
      "a note one second before its expiry",
      () => bench.withBody({ issued: DATE - HOUR, expiry: DATE + 1 }),
    ],
    ["a credit note of an account", () => bench.withBody({ kind: 2, account: "DE12" })],
  ])("%s", (_what, packet) => {
    expect(bench.judge(packet())).toBe(0);
  });

  test("the fullest packet within the memory there is", () => {
    const holders = Array.from(
      { length: 10 },
      (_, n) => new Signer(agency, `HOLD-${n}-H`, Role.TRANSACTION),
    );
    expect(bench.judge(bench.right(holders))).toBe(0);
    const share = Math.floor(AMOUNT / 8);
    const drafts = Array.from({ length: 8 }, (_, n) => {
      const [draft] = bench.withBody({ noteId: new Uint8Array(16).fill(n) }).drafts;
      const last = n === 7 ? AMOUNT - 7 * share : share;
      bench.rechain(draft!, generator, {}, { amount: last });
      return draft!;
    });
    expect(bench.judge({ ...bench.right(), drafts })).toBe(0);
  });
});

type Row = [string, () => Packet];

/** Packets that are refused for this reason; the row names the one check that they fail. */
function refused(reason: number, title: string, rows: Row[]): void {
  describe(`${reason}: ${title}`, () => {
    test.each(rows)("%s", (_what, packet) => {
      expect(bench.judge(packet())).toBe(reason);
    });
  });
}

refused(31, "dates go forward and not into the future; the horizon is the notes'", [
  ["a transfer before its parent", () => bench.withNewest({ date: DATE - HOUR })],
  ["a first transfer before the body", () => bench.withFirst({ date: DATE - HOUR })],
  ["a draft ahead of the clock", () => bench.withNewest({ date: DATE + HOUR })],
  ["a body that is not of a whole hour", () => bench.withBody({ issued: DATE - 1 })],
  ["a horizon without grace", () => ({ ...bench.right(), horizon: bench.right().horizon - 1 })],
  ["a horizon beyond grace", () => ({ ...bench.right(), horizon: bench.right().horizon + 1 })],
]);

refused(33, "identifiers chain, from the generator to this module in this payment", [
  ["a draft of another parent", () => bench.withNewest({ parent: sha256(another) })],
  ["a draft to another module", () => bench.withNewest({ transferee: holder.id })],
  ["a draft of another payment", () => bench.withNewest({ payId: another })],
  ["a first transfer of another body", () => bench.withFirst({ parent: sha256(another) })],
  ["a first transfer to who did not sign next", () => bench.withFirst({ transferee: holder.id })],
  [
    "a transfer signed by another than its parent's transferee",
    () =>
      changed(
        (packet, draft) => {
          const other = new Signer(agency, "OTHER-H", Role.TRANSACTION);
          draft.transfers[1]!.signer = other;
          packet.certificates.push(other.certificate);
        },
        [holder],
      ),
  ],
  [
    "a body signed by another than the generator it names",
    () => {
      const packet = bench.withBody({ generator: generator2.id });
      packet.drafts[0]!.transfers[0]!.signer = generator2;
      return bench.certified(packet, generator2);
    },
  ],
  [
    "a draft under another certificate of the payer than this session's",
    () =>
      bench.certified(
        changed((_packet, draft) => {
          draft.newestSigner = recertified;
        }),
        recertified,
      ),
  ],
  ["an offer of another payment", () => ({ ...bench.right(), payId: another })],
  [
    "an offer of another payer",
    () => ({ ...bench.right(), payer: Object.assign(Object.create(teller), { id: holder.id }) }),
  ],
  ["an offer to another payee", () => ({ ...bench.right(), payee: holder.id })],
  [
    "an offer under another certificate of the payer",
    () => bench.certified({ ...bench.right(), offerSigner: recertified }, recertified),
  ],
  ["an offer without kid", () => ({ ...bench.right(), offerSigner: anonymous(teller) })],
  ["an offer over other drafts", () => ({ ...bench.right(), draftsHash: sha256(another) })],
]);

refused(34, "amounts lie within their parents", [
  ["the last unit lies beyond the parent", () => bench.withNewest({ offset: 1001 })],
  ["the offset lies beyond the parent", () => bench.withNewest({ offset: NOTE_AMOUNT + 1 })],
  ["a second transfer from offset 0", () => bench.withNewest({ offset: 0 })],
  ["a first transfer from a later offset", () => bench.withNewest({ sequence: 1 })],
  ["sequence 0", () => bench.withNewest({ sequence: 0 })],
  ["more transfers before it than minor units", () => bench.withNewest({ sequence: 102 })],
  ["a first transfer of more than the body", () => bench.withFirst({ amount: NOTE_AMOUNT + 1 })],
]);

refused(35, "total and unit are those agreed", [
  ["drafts of less than the amount", () => bench.withNewest({ amount: AMOUNT - 1 })],
  ["drafts of more than the amount", () => bench.withNewest({ amount: AMOUNT - 99, offset: 99 })],
  ["an offer of another amount", () => ({ ...bench.right(), amount: AMOUNT + 1 })],
  ["an offer of another unit", () => ({ ...bench.right(), unit: "USD" })],
  ["a note of another unit", () => bench.withBody({ unit: "USD" })],
]);

describe("36: no note has expired", () => {
  test("at this second", () => {
    expect(bench.judge(bench.withBody({ issued: DATE - HOUR, expiry: DATE }))).toBe(36);
  });

  test("at the draft's date, which a fast clock of the payer puts an hour ahead", () => {
    bench.forked(() => {
      bench.clock.advance(3540_000);
      const packet = bench.withBody({ expiry: DATE + 3570 });
      bench.rechain(packet.drafts[0]!, generator, {}, { date: DATE + HOUR });
      expect(bench.judge(packet)).toBe(36);
      bench.rechain(packet.drafts[0]!, generator, {}, { date: DATE });
      expect(bench.judge(packet)).toBe(0);
    });
  });

  test("one of several", () => {
    const packet = twoBranches({});
    const [old] = bench.withBody({ issued: DATE - HOUR, expiry: DATE }).drafts;
    bench.rechain(old!, generator, {}, { amount: AMOUNT / 2 });
    expect(bench.judge({ ...packet, drafts: [packet.drafts[0]!, old!] })).toBe(36);
  });
});

refused(38, "every signature is its signer's, for its purpose", [
  ["the offer's", () => ({ ...bench.right(), offerSigner: impostor(teller) })],
  [
    "a body's",
    () => changed((_packet, draft) => Object.assign(draft, { bodySigner: impostor(generator) })),
  ],
  [
    "the first transfer's",
    () => changed((_packet, draft) => (draft.transfers[0]!.signer = impostor(generator))),
  ],
  [
    "a later transfer's",
    () => changed((_packet, draft) => (draft.transfers[1]!.signer = impostor(holder)), [holder]),
  ],
  [
    "a transfer's, made for an offer",
    () => changed((_packet, draft) => (draft.transfers[1]!.purpose = "florin/offer"), [holder]),
  ],
  [
    "a transfer's, made for a body",
    () => changed((_packet, draft) => (draft.transfers[0]!.purpose = "florin/note-body")),
  ],
]);

refused(39, "branches of one body in one packet do not overlap", [
  ["the same branch twice", () => twoBranches({ sequence: 2, offset: 100 })],
  ["one minor unit in both", () => twoBranches({ offset: 99 + AMOUNT / 2 })],
  ["the same number of both", () => twoBranches({ sequence: 2 })],
]);

refused(40, "transfers are counted", [
  ["one more than 12", () => bench.right(Array<Signer>(11).fill(holder))],
]);

describe("a packet", () => {
  test("changed at any byte never becomes money", () => {
    const packet = encodeCbor(encodePacket(bench.right()));
    for (let at = 0; at < packet.length; at += 7) {
      const changedBytes = packet.slice();
      changedBytes[at]! ^= 1 << (at % 8);
      expect([at, bench.judgeBytes(changedBytes)]).not.toEqual([at, 0]);
    }
  });

  test("of yesterday is not paid twice: each payment has its own pay id", () => {
    bench.forked(() => {
      const packet = bench.right();
      bench.pay(packet);
      bench.openWithdrawal();
      expect(bench.judge(packet)).toBe(33);
    });
  });

  test("keeps nothing of a note that was refused", () => {
    bench.forked(() => {
      const refusedPacket = bench.withBody({ issued: DATE - 90 * DAY, expiry: DATE });
      expect(bench.judge(refusedPacket)).not.toBe(0);
      expect(bench.module.ask(80)).toEqual([80, []]);
      expect(bench.module.ask(8, 2, 0)).toEqual([8, 2, null, null]);
    });
  });
});
