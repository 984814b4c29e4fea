// SPDX-License-Identifier: Apache-2.0
// A claim as a money module makes it (docs/protocol.md rules 4.11 and 4.12): durable before it is
// told, the same when it is asked for again, and ended by nothing but the agency's signed verdict.
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { PEER } from "../../host/torture/bareModule.ts";
import { CommitReplay } from "../../host/torture/commitReplay.ts";
import { START_SECONDS, TestAgency } from "../../host/torture/testAgency.ts";
import { signStatement } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseCertificate } from "../../host/trust/certificates.ts";
import { parseSigned, verifySigned } from "../../host/trust/cose.ts";
import { readOffer } from "../../host/trust/paymentOffer.ts";
import { type AgentStandIn, exchange, pay } from "../support/agentStandIn.ts";
import { type Node, payingWorld, State } from "../support/moneyWorld.ts";

const WRONG_STATE = 2;
const ALREADY_DONE = 5;
const CERTIFICATE_INVALID = 10;
const NOTE_EXPIRED = 36;
const UNKNOWN = 48;
const PAID = 52;
const REFUSED = 53;
const ACCOUNT = "B:EUR@Bank of Tests";
const DAY = 86_400;

// Held against the model's state machine, which knows claims too (docs/model).
const watched = CommitReplay.watch(() => payingWorld([1_500, 1_500]));
const { replay } = watched;
const { world, teller, a, b } = watched.world;
const [generator] = world.nodes;
world.restock(teller, generator!, 50_000, "USD");
world.withdraw(b.node, teller, 900, "USD");
world.connect(a.node, b.node);
const start = [a, b].map(({ node }) => node.module.snapshot());
const commits = replay.snapshot();
const { module } = b.node;
let runs = 0;

beforeEach(() => {
  world.loses = () => false;
  for (const [index, { node }] of [a, b].entries()) {
    node.module.restore(start[index]!);
  }
  replay.restore(commits);
  for (const { node } of [a, b]) world.run(node, () => node.module.reboot());
  world.carry();
});

afterEach(() => expect(replay.complaints()).toEqual([]));
afterAll(() => {
  const rows = ["prepared claim", "claimed tellClaim", "claimed paid", "claimed refused"];
  expect([...replay.seen]).toEqual(expect.arrayContaining(rows.map((row) => `payee ${row}`)));
});

/** A pays B, who gets no acknowledgement and can reach A no more. */
function doubted(begin: () => { payId: Uint8Array }): Uint8Array {
  world.loses = ({ type, port, from }) => type === 27 || (port === PEER && from === a.node);
  const { payId } = begin();
  world.settle();
  world.loses = ({ port }) => port === PEER;
  return payId;
}
const paid = () => doubted(() => pay(a, b, 2_500, `claim ${++runs}`));
const exchanged = () =>
  doubted(() => exchange(a, b, [2_500, "EUR"], [900, "USD", 0], `claim ${++runs}`));

const claim = (payId: Uint8Array, account = ACCOUNT) => module.ask(91, payId, account);
const claimed = (payId: Uint8Array) => encodeCbor(claim(payId)[1]);

function verdict(payId: Uint8Array, bytes: Uint8Array, state: number, agency = world.agency) {
  const hash = sha256(parseSigned(bytes)!.payload);
  const fields = [payId, hash, state, state === State.committed ? 0 : 1, START_SECONDS + 150 * DAY];
  return decodeCbor(signStatement("florin/verdict", fields, agency.moduleServer));
}

/** [spendable, in doubt, refresh, promised] by unit. */
function whole(node: Node): Record<string, number[]> {
  const [, rows] = node.module.ask(80) as [number, [string, ...number[]][]];
  return Object.fromEntries(rows.map(([unit, ...sums]) => [unit, sums]));
}

function exported(kind: number): Uint8Array[] {
  const items: Uint8Array[] = [];
  for (let cursor: unknown = 0; cursor !== null; ) {
    const [number, , next, item] = module.ask(8, kind, cursor) as unknown[];
    expect(number).toBe(8);
    if (item instanceof Uint8Array) items.push(item);
    cursor = next;
  }
  return items;
}

/** What A's module answers to B's question, if it were asked now. */
function late(agent: AgentStandIn): Uint8Array {
  return world.log.findLast(({ type, from }) => type === 27 && from === agent.node)!.body;
}

describe("a claim", () => {
  test("is signed over the payer's offer; with the drafts it says all", () => {
    const payId = paid();
    const object = parseSigned(claimed(payId))!;
    const [own] = decodeCbor(exported(3)[0]!) as [unknown];
    const { signingKey, subject } = parseCertificate(encodeCbor(own))!;
    expect(verifySigned(object, "florin/claim", signingKey)).toBe(true);
    const [offer, account, date] = decodeCbor(object.payload) as [unknown, string, number];
    expect([account, date]).toEqual([ACCOUNT, Math.floor(world.clock.epochMs() / 1000)]);
    const read = readOffer(encodeCbor(offer))!;
    expect(read).toMatchObject({ payId, payee: subject, unit: "EUR", amountMinor: 2_500 });
    const drafts = exported(4).map((item) => (decodeCbor(item) as Uint8Array[])[2]!);
    expect(drafts).toHaveLength(2);
    expect(sha256(concatBytes(...drafts.map((draft) => sha256(draft))))).toEqual(read.draftsHash);
  });

  test("is the same when it is asked for again, after a boot and with another account", () => {
    const payId = paid();
    const first = claim(payId);
    world.clock.advance(3_600_000);
    expect(claim(payId, "C:EUR@Bank of Tests")).toEqual(first);
    world.run(b.node, () => module.reboot());
    expect(claim(payId)).toEqual(first);
    expect(whole(b.node).EUR).toEqual([0, 2_500, 0, 0]);
  });

  test("of a payment that is not in doubt here is refused", () => {
    expect(claim(new Uint8Array(16))).toEqual([0, 91, UNKNOWN]);
    const { payId } = pay(a, b, 1_000, `claim ${++runs}`);
    world.settle();
    expect(claim(payId)).toEqual([0, 91, WRONG_STATE]);
    expect(a.node.module.ask(91, payId, ACCOUNT)).toEqual([0, 91, WRONG_STATE]);
    expect(module.ask(91, payId, "")).toEqual([0, 91, 1]);
  });

  test("is not ended by a late release, and nobody is asked any more", () => {
    const payId = paid();
    const released = decodeCbor(late(a)) as unknown[];
    expect(released[0]).toBe(4);
    expect(module.ask(89)).toEqual([89, 1]);
    claim(payId);
    expect(module.ask(89)).toEqual([89, 0]);
    // The payer's module asks, and would release; nothing of it counts now.
    world.loses = () => false;
    for (const { node } of [a, b]) world.command(node, 89);
    world.settle();
    expect(whole(b.node).EUR).toEqual([0, 2_500, 0, 0]);
  });

  test("without it the same meeting brings the money", () => {
    paid();
    world.loses = () => false;
    for (const { node } of [a, b]) world.command(node, 89);
    world.settle();
    expect(whole(b.node).EUR).toEqual([2_500, 0, 0, 0]);
  });
});

describe("a verdict", () => {
  test("that it is paid takes the notes away; the own side hears of it, and may forget", () => {
    const payId = paid();
    const signed = verdict(payId, claimed(payId), State.committed);
    world.command(b.node, 92, signed);
    expect(b.node.heardOf(92).at(-1)).toEqual([92, State.committed]);
    expect(b.outcomeOf(payId)!.slice(1, 5)).toEqual([State.committed, PAID, 2_500, "EUR"]);
    expect([whole(b.node).EUR, exported(4)]).toEqual([undefined, []]);
    expect(module.ask(92, signed)).toEqual([0, 92, ALREADY_DONE]);
    expect(claim(payId)).toEqual([0, 91, ALREADY_DONE]);
    b.say(7, [payId]);
    world.carry();
    expect(claim(payId)).toEqual([0, 91, UNKNOWN]);
  });

  test("that it is refused ends the payment as aborted, with the reason", () => {
    const payId = paid();
    world.command(b.node, 92, verdict(payId, claimed(payId), State.aborted));
    expect(b.outcomeOf(payId)!.slice(1, 3)).toEqual([State.aborted, REFUSED]);
    expect([whole(b.node).EUR, exported(4)]).toEqual([undefined, []]);
  });

  test.each([
    ["paid", State.committed, [0, 0, 0, 0]],
    ["refused", State.aborted, [900, 0, 0, 0]],
  ])("on an exchange, %s: what was promised is paid or free", (_name, state, left) => {
    const payId = exchanged();
    expect(whole(b.node)).toEqual({ EUR: [0, 2_500, 0, 0], USD: [0, 0, 0, 900] });
    world.command(b.node, 92, verdict(payId, claimed(payId), state));
    expect(whole(b.node).USD ?? [0, 0, 0, 0]).toEqual(left);
    world.run(b.node, () => module.reboot());
    expect(whole(b.node).USD ?? [0, 0, 0, 0]).toEqual(left);
  });

  test("by another agency, for another claim or before any claim changes nothing", () => {
    const payId = paid();
    const made = claimed(payId);
    const other = verdict(payId, made, State.committed, new TestAgency(20));
    expect(module.ask(92, other)).toEqual([0, 92, CERTIFICATE_INVALID]);
    // Something else that the claimant signed, or was given.
    const [strange] = decodeCbor(exported(3)[0]!) as [unknown];
    const wrong = verdict(payId, encodeCbor(strange), State.committed);
    expect(module.ask(92, wrong)).toEqual([0, 92, WRONG_STATE]);
    expect(module.ask(92, verdict(new Uint8Array(16), made, 2))).toEqual([0, 92, UNKNOWN]);
    expect(whole(b.node).EUR).toEqual([0, 2_500, 0, 0]);
  });

  test("before a claim is refused", () => {
    const payId = paid();
    const [strange] = decodeCbor(exported(3)[0]!) as [unknown];
    const early = verdict(payId, encodeCbor(strange), State.committed);
    expect(module.ask(92, early)).toEqual([0, 92, WRONG_STATE]);
    expect(whole(b.node).EUR).toEqual([0, 2_500, 0, 0]);
  });
});

// The last one: the clock of this world does not go back.
test("a claim after the horizon is refused", () => {
  const payId = paid();
  world.clock.advance(121 * DAY * 1_000);
  expect(claim(payId)).toEqual([0, 91, NOTE_EXPIRED]);
});
