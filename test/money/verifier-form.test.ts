// SPDX-License-Identifier: Apache-2.0
// The form of a packet, field by field (Fig. 20 step 1576; docs/protocol.cddl section 6): offer,
// drafts, bodies, transfers and the bag of certificates, each wrong in one thing, each with its
// reason. What is signed is signed anew over the wrong form, so that only the form is wrong.
//
// No packet can fail alone by bytes after its end: a record's body is one item, or it is dropped.
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { signObject } from "../../host/trust/cose.ts";
import { DATE, DAY, encodePacket, type Packet, type Signer } from "../support/noteMaker.ts";
import { VerifierBench } from "../support/verifierBench.ts";

const bench = new VerifierBench();
const { generator, teller, holder } = bench;
const MALFORMED = 31;
const CERTIFICATE = 32;
const TOO_LARGE = 41;

/** A packet's parts, decoded, so that a test can spoil one. */
interface Parts {
  offer: unknown[];
  drafts: unknown[][];
  certificates: unknown[];
}

function partsOf(packet: Packet = bench.right()): Parts {
  const [offer, drafts, certificates] = encodePacket(packet) as [unknown[], unknown[][], unknown[]];
  return { offer, drafts, certificates };
}

const joined = ({ offer, drafts, certificates }: Parts) => [offer, drafts, certificates];

/** The reason for a right packet after `change`. */
function spoiled(change: (parts: Parts) => void, packet?: Packet): number {
  const parts = partsOf(packet);
  change(parts);
  return bench.judge(joined(parts));
}

const signed = (purpose: string, content: unknown, signer: Signer) =>
  decodeCbor(signObject(purpose, encodeCbor(content), signer.seed, signer.reference)) as unknown[];

/** The decoded payload of a decoded signed object. */
const contentOf = (object: unknown): unknown[] =>
  decodeCbor((object as [unknown, unknown, Uint8Array])[2]) as unknown[];

/** A packet of one note whose body, decoded, was changed; everything after it made to fit. */
function withBody(change: (body: unknown[]) => unknown[]): unknown[] {
  const packet = bench.right();
  const draft = packet.drafts[0]!;
  const body = change(decodeCbor(draft.body) as unknown[]);
  draft.body = encodeCbor(body);
  bench.rechain(draft, generator);
  // The horizon follows the expiry, so that it is right beside a wrong one.
  packet.horizon = Math.max(0, Number(body[6]) + 30 * DAY);
  return encodePacket(packet) as unknown[];
}

/** The same for the first transfer (0) or the draft (1). */
function withTransfer(index: 0 | 1, change: (transfer: unknown[]) => unknown[]): unknown[] {
  const packet = bench.right();
  const draft = packet.drafts[0]!;
  const first = draft.transfers[0]!;
  if (index === 0) {
    first.payload = encodeCbor(change(decodeCbor(first.payload) as unknown[]));
    const newest = decodeCbor(draft.newest) as unknown[];
    draft.newest = encodeCbor(newest.with(0, sha256(first.payload)));
  } else {
    draft.newest = encodeCbor(change(decodeCbor(draft.newest) as unknown[]));
  }
  return encodePacket(packet) as unknown[];
}

/** Replaces one element. */
const put = (index: number, value: unknown) => (array: unknown[]) => array.with(index, value);
const more = (array: unknown[]) => [...array, 0];
const less = (array: unknown[]) => array.slice(0, -1);
const tail = (bytes: Uint8Array) => bytes.slice(1);
const filled = (length: number) => new Uint8Array(length).fill(7);

/** Encodes an amount just beyond what a host can hold exactly, which `encodeCbor` would not. */
function beyond(array: unknown[], index: number): Uint8Array {
  const marked = encodeCbor(array.with(index, Number.MAX_SAFE_INTEGER));
  const place = Buffer.from(marked).indexOf("1b001fffffffffffff", "hex");
  marked.set(Buffer.from("1b0020000000000000", "hex"), place);
  return marked;
}

describe("31: the packet's frame", () => {
  test.each<[string, unknown[]]>([
    ["an empty array", []],
    ["numbers for its parts", [1, 2, 3]],
    ["a part too many", more(joined(partsOf()))],
    ["a part too few", less(joined(partsOf()))],
    ["no drafts", joined({ ...partsOf(), drafts: [] })],
    ["a map of drafts", [partsOf().offer, new Map(), partsOf().certificates]],
    ["a map of certificates", [partsOf().offer, partsOf().drafts, new Map()]],
  ])("%s", (_what, packet) => {
    expect(bench.judge(packet)).toBe(MALFORMED);
  });

  test.each<[string, (packet: Uint8Array) => Uint8Array]>([
    ["a longer head than needed", (packet) => concatBytes(Uint8Array.of(0x98, 3), tail(packet))],
    [
      "an indefinite length",
      (packet) => concatBytes(Uint8Array.of(0x9f), tail(packet), Uint8Array.of(0xff)),
    ],
    ["bytes after its end", (packet) => concatBytes(packet, filled(1))],
    ["a byte too few", (packet) => packet.slice(0, -1)],
  ])("%s: a record that is not exactly one item is dropped as a whole", (_what, change) => {
    expect(bench.judgeBytes(change(encodeCbor(joined(partsOf()))))).toBe(-1);
  });
});

describe("31: the offer", () => {
  const content = contentOf(partsOf().offer);
  const offer = (change: (terms: unknown[]) => unknown[]) =>
    bench.judge(joined({ ...partsOf(), offer: signed("florin/offer", change(content), teller) }));

  test.each<[string, (terms: unknown[]) => unknown[]]>([
    ["a field too many", more],
    ["a field too few", less],
    ["a short pay id", put(0, filled(15))],
    ["a short hash", put(1, filled(31))],
    ["a long payer", put(2, filled(9))],
    ["a payee as text", put(3, "PAYEE-P!")],
    ["a unit of two letters", put(4, "EU")],
    ["a unit as bytes", put(4, filled(3))],
    ["a negative amount", put(5, -1)],
    ["an amount as text", put(5, "2500")],
    ["a horizon as text", put(6, "never")],
  ])("%s", (_what, change) => {
    expect(offer(change)).toBe(MALFORMED);
  });

  test("is as good as before when it is signed anew, so each of these was the one fault", () => {
    expect(offer((terms) => terms)).toBe(0);
  });

  test("an unsigned object, a long signature, an algorithm of its own", () => {
    expect(spoiled((parts) => parts.offer.pop())).toBe(MALFORMED);
    expect(spoiled((parts) => (parts.offer[3] = filled(65)))).toBe(MALFORMED);
    expect(spoiled((parts) => (parts.offer[0] = Uint8Array.of(0xa1, 1, 0x26)))).toBe(MALFORMED);
    expect(spoiled((parts) => (parts.offer[1] = new Map([[5, filled(8)]])))).toBe(MALFORMED);
    expect(spoiled((parts) => (parts.offer[1] = new Map([[4, filled(7)]])))).toBe(MALFORMED);
  });
});

describe("31: a draft", () => {
  test.each<[string, (draft: unknown[]) => unknown]>([
    ["a part too many", (draft) => draft.push(0)],
    ["a part too few", (draft) => draft.pop()],
    ["transfers that are no array", (draft) => (draft[1] = filled(3))],
    ["a new transfer in clear", (draft) => (draft[2] = decodeCbor(draft[2] as Uint8Array))],
    ["a short reference", (draft) => (draft[3] = filled(7))],
    ["no reference", (draft) => (draft[3] = null)],
    ["a body without kid", (draft) => ((draft[0] as unknown[])[1] = new Map())],
    ["a transfer without kid", (draft) => ((draft[1] as unknown[][])[0]![1] = new Map())],
    ["a transfer that is no signed object", (draft) => ((draft[1] as unknown[])[0] = [])],
    [
      "more transfers than any note",
      (draft) => (draft[1] = Array(14).fill((draft[1] as unknown[])[0])),
    ],
  ])("%s", (_what, change) => {
    expect(spoiled(({ drafts }) => change(drafts[0]!))).toBe(MALFORMED);
  });
});

describe("31: a body", () => {
  test.each<[string, (body: unknown[]) => unknown[]]>([
    ["a field too many", more],
    ["a field too few", less],
    ["kind 0", put(0, 0)],
    ["kind 3", put(0, 3)],
    ["no issuer", put(1, "")],
    ["an issuer of 49 letters", put(1, "B".repeat(49))],
    ["an issuer as bytes", put(1, filled(4))],
    ["a unit of four letters", put(2, "EURO")],
    ["a short note id", put(3, filled(15))],
    ["an amount of 0", put(4, 0)],
    ["a negative amount", put(4, -1)],
    ["a date of issue as text", put(5, "today")],
    ["an expiry at its issue", put(6, DATE)],
    ["a negative expiry", put(6, -1)],
    ["a short generator", put(7, filled(7))],
    ["an account of a currency note", put(8, "DE12")],
    ["a credit note without account", put(0, 2)],
    ["an empty account", (body) => put(0, 2)(put(8, "")(body))],
    ["an account of 65 letters", (body) => put(0, 2)(put(8, "1".repeat(65))(body))],
    ["an account as a number", (body) => put(0, 2)(put(8, 12)(body))],
  ])("%s", (_what, change) => {
    expect(bench.judge(withBody(change))).toBe(MALFORMED);
  });

  test("an amount that no host can hold exactly", () => {
    const packet = bench.right();
    const draft = packet.drafts[0]!;
    draft.body = beyond(decodeCbor(draft.body) as unknown[], 4);
    bench.rechain(draft, generator);
    expect(bench.judge(packet)).toBe(MALFORMED);
  });
});

describe.each([
  [0, "a signed transfer"],
  [1, "the draft"],
] as const)("31: %# %s", (index, _what) => {
  test.each<[string, (transfer: unknown[]) => unknown[]]>([
    ["a field too many", more],
    ["a field too few", less],
    ["a short parent", put(0, filled(31))],
    ["a negative sequence", put(1, -1)],
    ["a sequence beyond 32 bits", put(1, 2 ** 32)],
    ["a negative offset", put(2, -1)],
    ["an amount of 0", put(3, 0)],
    ["a negative amount", put(3, -5)],
    ["a long transferee", put(4, filled(9))],
    ["a date that is not of a whole hour", put(5, DATE + 1)],
    ["a date as text", put(5, "today")],
    ["a short pay id", put(6, filled(15))],
  ])("%s", (_what, change) => {
    expect(bench.judge(withTransfer(index, change))).toBe(MALFORMED);
  });
});

describe("32: the form of the bag's certificates", () => {
  test.each<[string, (certificates: unknown[]) => unknown]>([
    ["one is no signed object", (all) => (all[0] = [])],
    ["one is a number", (all) => (all[0] = 5)],
    ["one is there twice", (all) => all.push(all[0])],
    ["one has claims of another role", (all) => (all[0] = withClaim(all[0], -1, 16))],
    ["one has a claim too few", (all) => (all[0] = withClaim(all[0], -6, undefined))],
    ["one has a claim too many", (all) => (all[0] = withClaim(all[0], -7, 3))],
    ["one ends before it begins", (all) => (all[0] = withClaim(all[0], 4, DATE - 5000))],
  ])("%s", (_what, change) => {
    expect(spoiled(({ certificates }) => change(certificates))).toBe(CERTIFICATE);
  });
});

/** A certificate with one claim changed or (undefined) left out, its signature as it was. */
function withClaim(certificate: unknown, claim: number, value: unknown): unknown[] {
  const [header, headers, payload, signature] = certificate as [
    unknown,
    unknown,
    Uint8Array,
    unknown,
  ];
  const claims = decodeCbor(payload) as Map<number, unknown>;
  if (value === undefined) claims.delete(claim);
  else claims.set(claim, value);
  return [header, headers, encodeCbor(claims), signature];
}

describe("41: counts and sizes", () => {
  test("nine drafts", () => {
    const { drafts } = bench.right();
    expect(bench.judge({ ...bench.right(), drafts: Array(9).fill(drafts[0]) })).toBe(TOO_LARGE);
  });

  test("25 certificates", () => {
    const certificates = Array(25).fill(bench.right().certificates[0]);
    expect(bench.judge({ ...bench.right(), certificates })).toBe(TOO_LARGE);
  });

  test("a note of more than 4,096 bytes", () => {
    const packet = bench.right([holder]);
    const parts = partsOf(packet);
    // Its size alone decides: what is in it is not looked at.
    parts.drafts[0]![2] = filled(4096);
    expect(bench.judge(joined(parts))).toBe(TOO_LARGE);
  });
});
