// SPDX-License-Identifier: Apache-2.0
// Money modules that a thief has opened (par. 133, 134; Fig. 20 steps 1598-1604): one that signs
// the same money twice, one that goes back to an earlier state, one that passes another's note on.
// The transfer tree finds them out where both branches meet, the bank convicts them by their own
// two signatures, and once the list has come nobody deals with them. Honest modules never have more
// together than was issued and what the thief signed twice.
import { itemsOf } from "../../host/torture/items.ts";
import { bytesToHex } from "@noble/hashes/utils.js";
import { beforeEach, describe, expect, test } from "vitest";
import type { PaymentRecord } from "../../host/network/bank/ledger.ts";
import { decideNote } from "../../host/network/bank/reconciliation.ts";
import type { IndexedTransfer, RelatedNotes } from "../../host/network/bank/redeemedNotes.ts";
import { signList } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { parseNote, SignerBook } from "../../host/trust/notes.ts";
import { AgentStandIn, pay } from "../support/agentStandIn.ts";
import { type MoneyWorld, type Node, State, stockedWorld } from "../support/moneyWorld.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";

const FUNDS = 3_000;
const DUPLICATED = 39;
const CHAIN_BROKEN = 33;
const HOLDER_LISTED = 37;
const PEER_LISTED = 12;
const UNIT = "EUR";

/** A thief with 30.00 from the bank, and three honest persons with nothing. */
interface Persons {
  world: MoneyWorld;
  generator: Node;
  teller: Node;
  thief: AgentStandIn;
  b: AgentStandIn;
  c: AgentStandIn;
  d: AgentStandIn;
}

let persons: Persons;
let payments: number;

beforeEach(() => {
  const { world, generator, teller } = stockedWorld(1_000_000);
  const person = (name: string, image?: string) => {
    const agent = new AgentStandIn(world, world.add(`MODUL-${name}`, Role.TRANSACTION, {}, image));
    agent.pair();
    return agent;
  };
  const thief = person("T", "forking-module");
  const [b, c, d] = ["B", "C", "D"].map((name) => person(name)) as [
    AgentStandIn,
    AgentStandIn,
    AgentStandIn,
  ];
  world.withdraw(thief.node, teller, FUNDS);
  persons = { world, generator, teller, thief, b, c, d };
  payments = 0;
});

/** [state, reason] of a payment as payer's and payee's agents were told. */
function paid(payer: AgentStandIn, payee: AgentStandIn, amount: number) {
  const { world } = persons;
  world.connect(payer.node, payee.node);
  const { payId } = pay(payer, payee, amount, `payment ${++payments}`, UNIT);
  world.settle(30_000);
  for (const agent of [payer, payee]) agent.say(7, [payId]);
  world.settle(30_000);
  return [payer, payee].map((agent) => agent.outcomeOf(payId)?.slice(1, 3));
}

const GOOD = [
  [State.committed, 0],
  [State.committed, 0],
];
const refusedFor = (reason: number) => [
  [State.aborted, reason],
  [State.aborted, reason],
];

/** Switches a module off and on; its agent makes new local keys with it. */
function reboot({ node }: AgentStandIn): void {
  persons.world.run(node, () => node.module.reboot());
  persons.world.carry();
}

/** The thief's host forges how much of its notes was paid out, in how many parts. */
function forge(sequence: number, paidOut: number): void {
  const { thief } = persons;
  expect(thief.node.module.ask(200, sequence, paidOut)).toEqual([200]);
  reboot(thief);
}

const spendable = (...agents: AgentStandIn[]) =>
  agents.map((agent) => persons.world.balance(agent.node, UNIT)[0]);

/** What the module's host gets by an export (8), item by item. */
function exported({ module }: Node, kind: number): Uint8Array[] {
  return itemsOf((cursor) => module.ask(8, kind, cursor));
}

describe("the same money twice", () => {
  test("each payee alone cannot know; who sees both branches refuses the second", () => {
    const { thief, b, c, d } = persons;
    expect(paid(thief, b, 1_000)).toEqual(GOOD);
    forge(0, 0);
    expect(paid(thief, c, 1_000)).toEqual(GOOD);
    expect(paid(b, d, 400)).toEqual(GOOD);
    expect(paid(c, d, 400)).toEqual(refusedFor(DUPLICATED));
    expect(paid(c, b, 1_000)).toEqual(refusedFor(DUPLICATED));
    expect(spendable(b, c, d)).toEqual([600, 1_000, 400]);
  });

  test.each<[string, number, number, number, object]>([
    ["overlaps at its end", 1, 900, 500, refusedFor(DUPLICATED)],
    ["lies within it", 1, 100, 500, refusedFor(DUPLICATED)],
    ["contains it", 0, 0, 2_000, refusedFor(DUPLICATED)],
    ["has its number", 0, 0, 10, refusedFor(DUPLICATED)],
    ["lies beside it", 5, 1_000, 500, GOOD],
  ])("a part that %s, at one who has the first", (_how, sequence, paidOut, amount, ending) => {
    const { thief, b, c } = persons;
    expect(paid(thief, b, 1_000)).toEqual(GOOD);
    forge(sequence, paidOut);
    expect(paid(thief, c, amount)).toEqual(GOOD);
    expect(paid(c, b, amount)).toEqual(ending);
  });

  test("to one payee is refused at once", () => {
    const { thief, b } = persons;
    expect(paid(thief, b, 1_000)).toEqual(GOOD);
    forge(0, 0);
    expect(paid(thief, b, 1_000)).toEqual(refusedFor(DUPLICATED));
    forge(1, 999);
    expect(paid(thief, b, 1)).toEqual(refusedFor(DUPLICATED));
    expect(spendable(b)).toEqual([1_000]);
  });

  test("beyond what the note has is no part of it", () => {
    const { thief, b } = persons;
    forge(1, FUNDS);
    expect(paid(thief, b, 1)[1]?.[0]).toBe(State.aborted);
    expect(spendable(b)).toEqual([0]);
  });
});

describe("another's note", () => {
  test("is refused by whoever looks at its history, and its owner still has it", () => {
    const { world, teller, thief, b, c } = persons;
    world.withdraw(c.node, teller, 2_000);
    const [note] = exported(c.node, 2);
    const [body, transfers] = decodeCbor(note!) as [unknown, unknown[][]];
    const [, headers, newest, signature] = transfers.at(-1) as [
      unknown,
      Map<number, Uint8Array>,
      Uint8Array,
      Uint8Array,
    ];
    const draft = encodeCbor([body, transfers.slice(0, -1), newest, headers.get(4)]);
    expect(thief.node.module.ask(201, draft, signature)).toEqual([201]);
    reboot(thief);
    expect(spendable(thief)).toEqual([FUNDS + 2_000]);
    // Two notes: the thief's own, and the stolen one.
    expect(paid(thief, b, FUNDS + 2_000)).toEqual(refusedFor(CHAIN_BROKEN));
    expect(paid(c, b, 2_000)).toEqual(GOOD);
    expect(spendable(b, c)).toEqual([2_000, 0]);
  });
});

describe("a module whose state was copied", () => {
  /** B is the victim: its own copy, kept by the thief, pays C as well. */
  function copied(honest: () => void, copy: () => void): void {
    const { world, b } = persons;
    world.withdraw(b.node, persons.teller, FUNDS);
    const before = b.node.module.snapshot();
    honest();
    const now = b.node.module.snapshot();
    b.node.module.restore(before);
    reboot(b);
    copy();
    b.node.module.restore(now);
    reboot(b);
  }

  test("takes back no more than it paid out itself", () => {
    const { b, c, d } = persons;
    copied(
      () => expect(paid(b, d, 1_000)).toEqual(GOOD),
      () => expect(paid(b, c, 2_000)).toEqual(GOOD),
    );
    expect(paid(c, b, 500)).toEqual(refusedFor(DUPLICATED));
    expect(paid(d, b, 500)).toEqual(GOOD);
    expect(spendable(b, c, d)).toEqual([2_500, 2_000, 500]);
  });

  test("takes back no part with a number that it never gave", () => {
    const { b, c, d } = persons;
    copied(
      () => expect(paid(b, d, 1_000)).toEqual(GOOD),
      () => {
        expect(paid(b, c, 100)).toEqual(GOOD);
        expect(paid(b, c, 200)).toEqual(GOOD);
      },
    );
    // C pays with the note of 2.00, which B's copy gave as its second part.
    expect(paid(c, b, 200)).toEqual(refusedFor(DUPLICATED));
  });

  test("knows by its log what it paid of a note that it has no more", () => {
    const { b, c, d } = persons;
    copied(
      () => expect(paid(b, d, FUNDS)).toEqual(GOOD),
      () => expect(paid(b, c, 1_000)).toEqual(GOOD),
    );
    expect(spendable(b)).toEqual([0]);
    expect(paid(c, b, 500)).toEqual(refusedFor(DUPLICATED));
    expect(paid(d, b, 500)).toEqual(GOOD);
  });
});

describe("at the bank", () => {
  /** B and C have the same 10.00, and both deposit; what the generator got is in its books. */
  function bothDeposited() {
    const { world, generator, teller, thief, b, c } = persons;
    expect(paid(thief, b, 1_000)).toEqual(GOOD);
    forge(0, 0);
    expect(paid(thief, c, 1_000)).toEqual(GOOD);
    const redeemed: Uint8Array[] = [];
    for (const { node } of [b, c]) {
      expect(world.bank(node, teller, 3, 1_000, UNIT, "1234567890")[2]).toBe(State.committed);
      const stock = world.balance(teller, UNIT)[0]!;
      expect(world.bank(teller, generator, 4, stock, UNIT, null)[2]).toBe(State.committed);
      const notes = exported(generator, 2);
      redeemed.push(...notes);
      // The bank has booked them: the generator may forget them, and with them what it could see.
      for (const note of notes) {
        const leaf = parseNote(note)!.transfers.at(-1)!.hash;
        expect(generator.module.ask(90, leaf)).toEqual([90]);
      }
      expect(world.restock(teller, generator, 100_000)[2]).toBe(State.committed);
    }
    return redeemed;
  }

  test("a second branch beside one that the teller holds is refused", () => {
    const { world, teller, thief, b, c } = persons;
    expect(paid(thief, b, 1_000)).toEqual(GOOD);
    forge(0, 0);
    expect(paid(thief, c, 1_000)).toEqual(GOOD);
    expect(world.bank(b.node, teller, 3, 1_000, UNIT, "1")[2]).toBe(State.committed);
    expect(world.bank(c.node, teller, 3, 1_000, UNIT, "2").slice(2, 4)).toEqual([
      State.aborted,
      DUPLICATED,
    ]);
  });

  test("reconciliation names the thief by its own two signatures, and nobody else", () => {
    const { world, generator } = persons;
    const index: IndexedTransfer[] = [];
    const convicted: string[] = [];
    for (const bytes of bothDeposited()) {
      const note = parseNote(bytes)!;
      const settled: PaymentRecord = {
        module: bytesToHex(id("GENER-G")),
        payId: bytesToHex(note.transfers.at(-1)!.payId),
        peer: bytesToHex(id("TELLE-T")),
        account: null,
        kind: "redemption",
        amountMinor: 1_000,
        unit: UNIT,
        state: "settled",
      };
      const parents = note.transfers.map(({ parent }) => bytesToHex(parent));
      const related: RelatedNotes = {
        leaves: [],
        transfers: index.filter(({ parent }) => parents.includes(parent)),
        otherBody: undefined,
        aborted: [],
      };
      const decision = decideNote(
        "Bank of Tests",
        bytesToHex(id("GENER-G")),
        note,
        new SignerBook(exported(generator, 3).flatMap(certificatesOf), world.agency.moduleRoot),
        { issue: settled, redemption: settled },
        related,
        START_SECONDS,
      );
      if (decision.type !== "enter") throw new Error(JSON.stringify(decision));
      index.push(...decision.batch.redeemed.transfers);
      convicted.push(...decision.batch.redeemed.convictions.map(({ module }) => module));
    }
    expect([...new Set(convicted)]).toEqual([bytesToHex(id("MODUL-T"))]);
  });

  test("once the list has come, its notes and its sessions are refused", () => {
    const { world, thief, b, c, d } = persons;
    expect(paid(thief, b, 1_000)).toEqual(GOOD);
    const list = signList(world.agency.moduleServer, 1, START_SECONDS, [id("MODUL-T")]);
    for (const { node } of [c, d]) {
      for (const part of list) expect(node.module.ask(6, decodeCbor(part))).toEqual([6, 1]);
    }
    expect(paid(b, c, 500)).toEqual(refusedFor(HOLDER_LISTED));
    expect(paid(thief, d, 500)[1]).toEqual([State.aborted, PEER_LISTED]);
    expect(spendable(b, c, d)).toEqual([1_000, 0, 0]);
    // A bank takes what its holder could not know: the money was good when it was paid.
    expect(world.bank(b.node, persons.teller, 3, 1_000, UNIT, "1")[2]).toBe(State.committed);
  });
});

/** The certificates in one item of an export: the own chain is an array of two. */
function certificatesOf(item: Uint8Array): Uint8Array[] {
  const decoded = decodeCbor(item) as unknown[];
  return Array.isArray(decoded[0]) ? decoded.map((one) => encodeCbor(one)) : [item];
}
