// SPDX-License-Identifier: Apache-2.0
// Packets of notes changed in every small way on their way between two money modules, or by a payer
// that is certified and lies (docs/protocol.cddl section 6; Fig. 20, 1576-1606). A real module that
// waits for a packet refuses each for its reason, owns nothing afterwards and owes nothing.
//
// What generators and earlier holders may not sign is tried in test/money/verifier*.
import { describe, expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import { encodePacket, type Packet, Signer } from "../support/noteMaker.ts";
import { type Tampered, tamperedWith } from "../support/tamper.ts";
import { AMOUNT, VerifierBench } from "../support/verifierBench.ts";

const MALFORMED = 31;
const CERTIFICATE = 32;
const CHAIN_BROKEN = 33;
const AMOUNTS_WRONG = 34;
const TOTAL_WRONG = 35;
const SIGNATURE_WRONG = 38;
const TOO_LARGE = 41;
/** Ready-to-Commit; the record was not one item of CBOR and was dropped without a word. */
const TAKEN = 0;
const DROPPED = -1;

const bench = new VerifierBench();
const { generator, teller, module } = bench;
/** What the module tells its owner of money, notes and open payments when it has none. */
const NOTHING = JSON.stringify([
  [80, []],
  [8, 2, null, null],
  [89, 0],
]);

/** A right packet of two notes. */
function twoNotes(): Packet {
  const drafts = [1, 2].map((number) => {
    const [draft] = bench.withBody({ noteId: new Uint8Array(16).fill(number) }).drafts;
    bench.rechain(draft!, generator, {}, { amount: AMOUNT / 2 });
    return draft!;
  });
  return { ...bench.right(), drafts };
}

/** First of the patterns that a change's place and kind fits, and the answers that are right. */
type Rules = readonly (readonly [RegExp, ...number[]])[];

/** Where the answer is not the one that the rules name, or something is kept; each as one line. */
function wrongs(all: Tampered[], rules: Rules): string {
  expect(all.length).toBeGreaterThan(30);
  return all
    .flatMap(({ what, bytes }) => {
      const [, ...right] = rules.find(([place]) => place.test(what)) ?? [/./];
      const answer = bench.judgeBytes(bytes);
      if (!right.includes(answer)) return [`${what}: ${answer}, not ${right.join(" or ")}`];
      if (answer === TAKEN || answer === DROPPED) return [];
      const held = JSON.stringify([module.ask(80), module.ask(8, 2, 0), module.ask(89)]);
      return held === NOTHING ? [] : [`${what}: ${held} is kept`];
    })
    .join("\n");
}

/** What a payer's offer says wrongly; its form is right. */
const OFFER: Rules = [
  [/\/[0-3] bit/, CHAIN_BROKEN],
  [/\/5 one/, TOTAL_WRONG],
  [/\/6 one/, MALFORMED],
];
const within = (place: string, rules: Rules): Rules =>
  rules.map(([pattern, ...reasons]) => [new RegExp(`^${place}${pattern.source}`), ...reasons]);

const UNSIGNED: Rules = [
  [/^(longer head|indefinite length|tag|byte too|nothing)/, DROPPED],
  [/^ (with|first|reversed)/, MALFORMED, CERTIFICATE],
  // The bag's order says nothing; everything in it is needed as it is.
  [/^\/2 (first two swapped|reversed)/, TAKEN],
  [/^\/2/, CERTIFICATE],
  [/^\/0\/1( without 4|\/4 bit)/, CHAIN_BROKEN],
  ...within("/0/2<", OFFER),
  [/^\/0\/3 bit|^\/1\/.\/0\/3 bit|^\/1\/.\/1\/0\/3 bit/, SIGNATURE_WRONG],
  // A bit of what is signed, wherever it is, spoils the form or one of the things that it says.
  [/\/2 bit of byte/, MALFORMED, CHAIN_BROKEN, AMOUNTS_WRONG, TOTAL_WRONG],
  // Drafts: all of them, in the offer's order, with the signers that are in the bag.
  [/^\/1 (with one less|first two swapped|reversed)/, CHAIN_BROKEN],
  [/^\/1\/.\/0\/1\/4 bit|^\/1\/.\/1\/0\/1\/4 bit|^\/1\/.\/3 bit/, CERTIFICATE],
  // A body that says something else is not the one that its first transfer names.
  [/^\/1\/.\/0\/2<\/(1 (longer|other)|3 bit|4 one|6 one|7 bit)/, CHAIN_BROKEN],
  // A transfer from another parent, to another holder, in another payment, or of less.
  [/^\/1\/.\/1\/0\/2<\/([046] bit|3 one less)/, CHAIN_BROKEN],
  [/^\/1\/.\/1\/0\/2<\/([12] one|3 one more)/, AMOUNTS_WRONG],
  [/^\/1\/.\/1 with one less/, CHAIN_BROKEN],
  // The newest transfer, which the offer's hash fixes.
  [/^\/1\/.\/2<\/1 one less/, AMOUNTS_WRONG],
  [/^\/1\/.\/2<\/3 one more/, TOTAL_WRONG],
  [/^\/1\/.\/2<\/([046] bit|[123] one)/, CHAIN_BROKEN],
  [/./, MALFORMED],
];

describe("a packet", () => {
  test("is taken as it was made", () => {
    expect(bench.judge(twoNotes())).toBe(TAKEN);
  });

  test("is not when anything of it was changed on the way", () => {
    expect(wrongs(tamperedWith(encodeCbor(encodePacket(twoNotes()))), UNSIGNED)).toBe("");
  });

  test("has the offer of this payment, or is refused with its signature right", () => {
    const [offer, drafts, bag] = encodePacket(twoNotes()) as [unknown[], unknown, unknown];
    const all = tamperedWith(offer[2] as Uint8Array).map(({ what, bytes }) => {
      const signed = signObject("florin/offer", bytes, teller.seed, teller.reference);
      return { what, bytes: encodeCbor([decodeCbor(signed), drafts, bag]) };
    });
    expect(wrongs(all, [...within("", OFFER), [/./, MALFORMED]])).toBe("");
  });

  test("has drafts of this payment, or is refused with an offer that fits them", () => {
    const packet = bench.right();
    const all = tamperedWith(packet.drafts[0]!.newest).map(({ what, bytes }) => ({
      what,
      bytes: encodeCbor(
        encodePacket({ ...packet, drafts: [{ ...packet.drafts[0]!, newest: bytes }] }),
      ),
    }));
    const rules: Rules = [
      // Which part of its note it pays, the payer knows alone.
      [/^\/1 one more|^\/2 one/, TAKEN],
      [/^\/1 one less/, AMOUNTS_WRONG],
      [/^\/[046] bit/, CHAIN_BROKEN],
      [/^\/3 one/, TOTAL_WRONG],
      [/./, MALFORMED],
    ];
    expect(wrongs(all, rules)).toBe("");
  });

  test("has no part of another good packet", () => {
    const right = encodePacket(twoNotes()) as unknown[];
    const [offer, drafts, bag] = right as [unknown[], unknown[][], unknown[]];
    const single = encodePacket(bench.right()) as unknown[];
    const other = bench.forked(() => {
      bench.openWithdrawal();
      return encodePacket(twoNotes()) as unknown[];
    });
    const [otherOffer, otherDrafts] = other as [unknown[], unknown[][]];
    const withDraft = (part: number, from: unknown[]) => [
      offer,
      drafts.with(0, drafts[0]!.with(part, from[part])),
      bag,
    ];
    const swapped: [string, unknown[], number][] = [
      ["a whole packet", other, CHAIN_BROKEN],
      ["an offer", right.with(0, otherOffer), CHAIN_BROKEN],
      ["an offer's signature", right.with(0, offer.with(3, otherOffer[3])), SIGNATURE_WRONG],
      ["all drafts", right.with(1, otherDrafts), CHAIN_BROKEN],
      ["other drafts", right.with(1, single[1]), CHAIN_BROKEN],
      ["a draft twice", right.with(1, [drafts[0], drafts[0]]), CHAIN_BROKEN],
      ["a body", withDraft(0, drafts[1]!), CHAIN_BROKEN],
      ["transfers", withDraft(1, drafts[1]!), CHAIN_BROKEN],
      ["a newest transfer", withDraft(2, drafts[1]!), CHAIN_BROKEN],
    ];
    for (const [part, packet, reason] of swapped) {
      expect([part, bench.judge(packet)]).toEqual([part, reason]);
    }
  });

  test("is refused above 6,144 bytes, whatever is in it", () => {
    // Every holder's certificate is in the bag, and none is needed twice: size is the one fault.
    const size = (packet: Packet) => encodeCbor(encodePacket(packet)).length;
    const filler = Array.from(
      { length: 20 },
      (_, number) => new Signer(bench.agency, `FILL-${number}-H`, Role.TRANSACTION).certificate,
    );
    const packets = filler.map((_, count) => ({
      ...bench.right(),
      certificates: [...bench.right().certificates, ...filler.slice(0, count)],
    }));
    const fitting = packets.filter((packet) => size(packet) <= 6144).at(-1)!;
    expect(bench.judge(fitting)).toBe(TAKEN);
    const padded = (length: number) => {
      const base = encodePacket(fitting) as [unknown[], unknown, unknown];
      const room = length - size(fitting);
      return [base[0].with(3, new Uint8Array(64 + room)), base[1], base[2]];
    };
    // At the limit the padding is what is wrong; a byte more, and nothing is looked at.
    expect(encodeCbor(padded(6144 - 1)).length).toBe(6144);
    expect(bench.judge(padded(6144 - 1))).toBe(MALFORMED);
    expect(encodeCbor(padded(6144)).length).toBe(6145);
    expect(bench.judge(padded(6144))).toBe(TOO_LARGE);
  });
});
