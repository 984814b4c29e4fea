// SPDX-License-Identifier: Apache-2.0
// Money on its way back: deposits at a teller and redemption by a generator, over the real images
// (docs/protocol.cddl section 6, request kinds 3 and 4; docs/protocol.md sections 3, 4 and 6).
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../host/trust/cbor.ts";
import { signList } from "../../host/trust/agencyStatements.ts";
import { Role } from "../../host/trust/certificates.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import { PEER } from "../../host/torture/bareModule.ts";
import { type MoneyWorld, type Node, State, stockedWorld } from "../support/moneyWorld.ts";
import { AgentStandIn, pay } from "../support/agentStandIn.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";

const DAY_MS = 86_400_000;

/** Last outcome of a command: [state, reason]. */
const ending = (node: Node) => node.heardOf(29).at(-1)!.slice(2, 4);
/** Reports to the bank's ledger: [state, kind, amount, unit]. */
const settled = (node: Node) => node.heardOf(84).map((report) => report.slice(2, 6));

/** A customer who withdrew these amounts. */
function customerWith(amounts: number[], stock = 100_000) {
  const parts = stockedWorld(stock);
  for (const amount of amounts) parts.world.withdraw(parts.customer, parts.teller, amount);
  for (const node of parts.world.nodes) node.heard.length = 0;
  return parts;
}

/** Lets days pass, and the timers of that time. */
function pass(world: MoneyWorld, days: number): void {
  world.clock.advance(days * DAY_MS);
  world.settle(1_000);
}

/** Every note that the module holds, as [body, transfers]. */
function notesOf(node: Node): [unknown[], unknown[][]][] {
  const notes: [unknown[], unknown[][]][] = [];
  for (let cursor: number | null = 0; cursor !== null; ) {
    const [, , next, item] = node.module.ask(8, 2, cursor) as [number, number, number, Uint8Array];
    if (item !== null) notes.push(decodeCbor(item) as [unknown[], unknown[][]]);
    cursor = next;
  }
  return notes;
}

/** SHA-256 of the newest transfer, by which its bank names a redeemed note (90). */
const leafOf = (note: [unknown[], unknown[][]]) => sha256(note[1].at(-1)![2] as Uint8Array);

describe("deposit", () => {
  test("is held first, then paid like any payment, and settled when the teller has it", () => {
    const { world, teller, customer } = customerWith([2_500]);
    world.bank(customer, teller, 3, 1_500, "EUR", "1234567890");
    expect(ending(customer)).toEqual([State.committed, 0]);
    expect(world.balance(customer)[0]).toBe(1_000);
    expect(world.balance(teller)[0]).toBe(99_000);
    const [hold] = teller.heardOf(82);
    expect(hold!.slice(3)).toEqual([id("CUSTO-C"), 3, 1_500, "EUR", "1234567890"]);
    expect(settled(teller)).toEqual([[State.committed, 3, 1_500, "EUR"]]);
    // What came back can be paid out again, and comes back again.
    world.withdraw(customer, teller, 99_000);
    world.bank(customer, teller, 3, 100_000, "EUR", "1234567890");
    expect(ending(customer)).toEqual([State.committed, 0]);
    expect([world.balance(customer)[0], world.balance(teller)[0]]).toEqual([0, 100_000]);
  });

  test("both logs have it, the payer's with the parts it paid", () => {
    const { world, teller, customer } = customerWith([2_500]);
    world.bank(customer, teller, 3, 1_500, "EUR", "1234567890");
    const last = (node: Node) => {
      let entry: unknown[] = [];
      for (let cursor: number | null = 0; cursor !== null; ) {
        const [, next, item] = node.module.ask(9, cursor) as [number, number | null, Uint8Array];
        entry = decodeCbor(item) as unknown[];
        cursor = next;
      }
      return entry;
    };
    expect(last(customer).slice(1, 7)).toEqual([1, 2, 0, id("TELLE-T"), 1_500, "EUR"]);
    expect(last(teller).slice(1, 7)).toEqual([2, 2, 0, id("CUSTO-C"), 1_500, "EUR"]);
    expect((last(customer)[8] as unknown[][]).map((part) => part.slice(2))).toEqual([
      [0, 1_500, 1],
    ]);
  });

  test("refused: no funds, a closed account, another unit; and nothing has moved", () => {
    const { world, teller, customer } = customerWith([2_500]);
    world.bank(customer, teller, 3, 2_501, "EUR", "1234567890");
    expect(ending(customer)).toEqual([State.aborted, 29]);
    world.bank(customer, teller, 3, 1, "USD", "1234567890");
    expect(ending(customer)).toEqual([State.aborted, 29]);
    expect(teller.heardOf(82)).toEqual([]);
    teller.grant = false;
    world.bank(customer, teller, 3, 2_500, "EUR", "closed");
    expect(ending(customer)).toEqual([State.aborted, 44]);
    expect(settled(teller)).toEqual([[State.aborted, 3, 2_500, "EUR"]]);
    expect([world.balance(customer)[0], world.balance(teller)[0]]).toEqual([2_500, 97_500]);
    teller.grant = true;
    world.bank(customer, teller, 3, 2_500, "EUR", "1234567890");
    expect(ending(customer)).toEqual([State.committed, 0]);
  });

  test("a repeated command deposits once, also over a boot", () => {
    const { world, teller, customer } = customerWith([2_500]);
    const commandId = world.newCommandId();
    world.connect(customer, teller);
    for (let round = 0; round < 3; round++) {
      world.command(customer, 81, commandId, 3, 700, "EUR", "1234567890");
      if (round === 1) world.run(customer, () => customer.module.reboot());
    }
    expect(world.balance(customer)[0]).toBe(1_800);
    expect(customer.heardOf(29).map(([, , state]) => state)).toEqual([4, 2, 2, 2]);
  });

  test("expired notes are taken for thirty days more, and then no more", () => {
    const { world, teller, customer } = customerWith([2_500]);
    pass(world, 91);
    expect(world.balance(customer)).toEqual([0, 0, 2_500]);
    world.bank(customer, teller, 3, 1_000, "EUR", "1234567890");
    expect(ending(customer)).toEqual([State.committed, 0]);
    expect(world.balance(teller)).toEqual([0, 0, 98_500]);
    pass(world, 30);
    world.bank(customer, teller, 3, 1_500, "EUR", "1234567890");
    expect(ending(customer)).toEqual([State.aborted, 29]);
    expect(world.balance(customer)).toEqual([0, 0, 1_500]);
  });

  test("a holder on the list is reported in the teller's log, and the note taken", () => {
    const { world, teller, customer } = customerWith([2_500]);
    const { moduleServer } = world.agency;
    // The generator that made the note: the customer itself could not even open a session.
    const [part] = signList(moduleServer, 1, START_SECONDS, [id("GENER-G")]);
    expect(teller.module.ask(6, decodeCbor(part!))).toEqual([6, 1]);
    world.bank(customer, teller, 3, 2_500, "EUR", "1234567890");
    expect(ending(customer)).toEqual([State.committed, 0]);
    const entries: unknown[][] = [];
    for (let cursor: number | null = 0; cursor !== null; ) {
      const [, next, item] = teller.module.ask(9, cursor) as [number, number | null, Uint8Array];
      entries.push(decodeCbor(item) as unknown[]);
      cursor = next;
    }
    expect(entries.at(-1)!.slice(1, 4)).toEqual([2, State.committed, 37]);
  });
});

/** A note that went through so many different hands, the last of which holds it. */
function worn(hands: number) {
  const { world, teller, generator } = stockedWorld(100_000);
  let last: AgentStandIn | null = null;
  for (let hop = 0; hop < hands; hop++) {
    const node = world.add(`HANDS-${String.fromCharCode(97 + hop)}`, Role.TRANSACTION);
    const agent = new AgentStandIn(world, node);
    agent.pair();
    if (last === null) world.withdraw(node, teller, 700);
    else {
      world.connect(last.node, node);
      pay(last, agent, 700, `hop ${hop}`);
      world.settle();
    }
    expect([hop, world.balance(node)[0]! + world.balance(node)[2]!]).toEqual([hop, 700]);
    last = agent;
  }
  return { world, teller, generator, holder: last!.node };
}

describe("a note at the cap of transfers, through eleven different hands", () => {
  const { world, teller, generator, holder } = worn(11);

  test("is not paid on, but deposited, and redeemed by its issuer", () => {
    expect(world.balance(holder)).toEqual([0, 0, 700]);
    world.bank(holder, teller, 3, 700, "EUR", "1234567890");
    expect(ending(holder)).toEqual([State.committed, 0]);
    expect(world.balance(teller)).toEqual([99_300, 0, 700]);
    world.bank(teller, generator, 4, 700, "EUR", null);
    expect(ending(teller)).toEqual([State.committed, 0]);
    expect(world.balance(teller)).toEqual([99_300, 0, 0]);
    expect(notesOf(generator).map(([, transfers]) => transfers.length)).toEqual([14]);
  });
});

describe("redemption", () => {
  test("a teller's stock goes back to the generator, which keeps it until it is reconciled", () => {
    const { world, teller, generator, customer } = customerWith([2_500]);
    world.bank(customer, teller, 3, 2_500, "EUR", "1234567890");
    world.bank(teller, generator, 4, 60_000, "EUR", null);
    expect(ending(teller)).toEqual([State.committed, 0]);
    expect(settled(generator)).toEqual([[State.committed, 4, 60_000, "EUR"]]);
    expect(settled(teller).at(-1)).toEqual([State.committed, 4, 60_000, "EUR"]);
    expect(world.balance(teller)[0]).toBe(40_000);
    expect(world.balance(generator)[0]).toBe(60_000);
    // What it keeps it does not pay with: a new issue is new money.
    world.restock(teller, generator, 1_000);
    expect(world.balance(generator)[0]).toBe(60_000);
    for (const note of notesOf(generator)) {
      expect(generator.module.ask(90, leafOf(note))).toEqual([90]);
      // Told again, after a crash of the bank's host, it changes nothing.
      expect(generator.module.ask(90, leafOf(note))).toEqual([90]);
    }
    expect(world.balance(generator)).toEqual([0, 0, 0]);
    world.run(generator, () => generator.module.reboot());
    expect(notesOf(generator)).toEqual([]);
  });

  test("its amount is the most: old notes first, and no more than one packet holds", () => {
    const { world, teller, generator, customer } = customerWith([1_000]);
    pass(world, 91);
    world.restock(teller, generator, 5_000);
    world.bank(customer, teller, 3, 1_000, "EUR", "1234567890");
    expect(world.balance(teller)).toEqual([5_000, 0, 100_000]);
    world.bank(teller, generator, 4, 100_000, "EUR", null);
    expect(settled(generator).at(-1)).toEqual([State.committed, 4, 100_000, "EUR"]);
    expect(world.balance(teller)).toEqual([5_000, 0, 0]);
    for (let i = 0; i < 10; i++) world.restock(teller, generator, 10);
    world.bank(teller, generator, 4, 1_000_000, "EUR", null);
    expect(settled(generator).at(-1)).toEqual([State.committed, 4, 5_070, "EUR"]);
    expect(world.balance(teller)).toEqual([30, 0, 0]);
    world.bank(teller, generator, 4, 1, "USD", null);
    expect(ending(teller)).toEqual([State.aborted, 29]);
  });

  test("a generator is not asked to redeem another bank's notes, and refuses them", () => {
    const { world, teller, generator } = customerWith([]);
    const other = world.add("GENER-O", Role.GENERATOR, { organisation: "Other Bank" });
    world.bank(teller, other, 4, 1_000, "EUR", null);
    expect(ending(teller)).toEqual([State.aborted, 29]);
    world.restock(teller, other, 500);
    world.bank(teller, other, 4, 100_000, "EUR", null);
    expect(settled(other).at(-1)).toEqual([State.committed, 4, 500, "EUR"]);
    world.bank(teller, generator, 4, 200_000, "EUR", null);
    expect(settled(generator).at(-1)).toEqual([State.committed, 4, 100_000, "EUR"]);
  });

  test("90 is a generator's alone; a redemption in doubt is reported so and settled when they meet", () => {
    const { world, teller, generator } = customerWith([]);
    const hash = new Uint8Array(32);
    expect(teller.module.ask(90, hash)).toEqual([0, 90, 3]);
    expect(generator.module.ask(90, hash.slice(1))).toEqual([0, 90, 1]);
    let isCut = false;
    world.loses = (message) => {
      isCut ||= message.type === 27;
      return isCut && message.port === PEER;
    };
    world.bank(teller, generator, 4, 700, "EUR", null);
    world.settle(60_000);
    expect(world.balance(generator)[1]).toBe(700);
    expect(generator.heardOf(84).at(-1)![2]).toBe(State.inDoubt);
    world.loses = () => false;
    world.command(generator, 89);
    world.settle(60_000);
    expect(settled(generator).at(-1)).toEqual([State.committed, 4, 700, "EUR"]);
    expect(generator.module.ask(90, leafOf(notesOf(generator)[0]!))).toEqual([90]);
  });
});
