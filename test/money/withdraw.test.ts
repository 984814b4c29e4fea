// SPDX-License-Identifier: Apache-2.0
// New money from generator to teller to customer, over the real images (steps 748, 1566-1608,
// 1702-1724; docs/protocol.md sections 3, 4 and 6).
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { type Node, State, stockedWorld } from "../support/moneyWorld.ts";

describe("withdrawal", () => {
  test("a generator's new note becomes a teller's stock, the bank having held and settled", () => {
    const { world, teller, generator } = stockedWorld(100_000);
    expect(world.balance(teller)).toEqual([100_000, 0, 0]);
    expect(generator.heardOf(82)).toHaveLength(1);
    expect(generator.heardOf(84).map((settle) => settle.slice(2, 6))).toEqual([
      [2, 2, 100_000, "EUR"],
    ]);
    expect(world.balance(generator)).toEqual([0, 0, 0]);
  });

  test("a customer withdraws a part and the teller keeps the change", () => {
    const { world, teller, customer } = stockedWorld(100_000);
    const finished = world.withdraw(customer, teller, 2_500);
    expect(finished.slice(2, 4)).toEqual([State.committed, 0]);
    expect(world.balance(customer)).toEqual([2_500, 0, 0]);
    expect(world.balance(teller)).toEqual([97_500, 0, 0]);
  });

  test("is refused by the bank, or for lack of stock, and leaves nothing behind", () => {
    const { world, teller, customer } = stockedWorld(10_000);
    teller.grant = false;
    expect(world.withdraw(customer, teller, 2_500).slice(2, 4)).toEqual([State.aborted, 44]);
    teller.grant = true;
    expect(world.withdraw(customer, teller, 10_001).slice(2, 4)).toEqual([State.aborted, 29]);
    expect(world.withdraw(customer, teller, 5, "USD").slice(2, 4)).toEqual([State.aborted, 29]);
    expect(world.balance(teller)).toEqual([10_000, 0, 0]);
    expect(world.withdraw(customer, teller, 10_000).slice(2, 4)).toEqual([State.committed, 0]);
    expect(world.balance(teller)).toEqual([0, 0, 0]);
  });

  test("a repeated command pays once and tells how it stands", () => {
    const { world, teller, customer } = stockedWorld(10_000);
    const commandId = world.newCommandId();
    world.connect(customer, teller);
    for (let round = 0; round < 3; round++) {
      world.command(customer, 81, commandId, 1, 700, "EUR", "1234567890");
      if (round === 1) world.run(customer, () => customer.module.reboot());
    }
    expect(world.balance(customer)).toEqual([700, 0, 0]);
    expect(customer.heardOf(29).map(([, , state]) => state)).toEqual([4, 2, 2, 2]);
    expect(customer.module.ask(30, commandId)[2]).toBe(State.committed);
    expect(customer.module.ask(30, new Uint8Array(16))).toEqual([0, 30, 48]);
  });

  test("two customers at one teller: the second waits for the notes that the first has taken", () => {
    const { world, teller, customer } = stockedWorld(10_000);
    const second = world.add("CUSTO-D", Role.TRANSACTION);
    teller.grant = null;
    world.withdraw(customer, teller, 1_000);
    world.withdraw(second, teller, 2_000);
    const holds = teller.heardOf(82);
    expect(holds.map((hold) => hold.slice(4, 7))).toEqual([
      [1, 1_000, "EUR"],
      [1, 2_000, "EUR"],
    ]);
    // The first has its hold and its notes, but its customer is silent for a while.
    world.loses = (message) => message.to === customer;
    world.command(teller, 83, holds[0]![2], true);
    world.command(teller, 83, holds[1]![2], true);
    expect(world.balance(second)).toEqual([0, 0, 0]);
    world.loses = () => false;
    world.settle(20_000);
    expect(world.balance(customer)).toEqual([1_000, 0, 0]);
    expect(world.balance(second)).toEqual([2_000, 0, 0]);
    expect(world.balance(teller)).toEqual([7_000, 0, 0]);
  });

  test("the bank may fill the stock while two customers wait for their holds; a third is one too many", () => {
    const { world, teller, generator, customer } = stockedWorld(1_000);
    const [second, third, fourth] = ["D", "E", "F"].map((name) =>
      world.add(`CUSTO-${name}`, Role.TRANSACTION),
    ) as [Node, Node, Node];
    teller.grant = null;
    world.withdraw(customer, teller, 5_000);
    world.withdraw(second, teller, 2_000);
    world.restock(teller, generator, 6_000);
    expect(teller.heardOf(29).at(-1)!.slice(2, 4)).toEqual([State.committed, 0]);
    world.withdraw(third, teller, 100);
    expect(teller.heardOf(82)).toHaveLength(3);
    world.withdraw(fourth, teller, 100);
    expect(fourth.heardOf(29).at(-1)!.slice(2, 4)).toEqual([State.aborted, 7]);
    for (const [, , payId] of teller.heardOf(82).slice(0, 2)) {
      world.command(teller, 83, payId, true);
    }
    world.command(teller, 83, teller.heardOf(82)[2]![2], false);
    world.settle(20_000);
    expect([customer, second, third].map((node) => world.balance(node)[0])).toEqual([
      5_000, 2_000, 0,
    ]);
    expect(world.balance(teller)).toEqual([0, 0, 0]);
  });

  test("a command or request of a wrong shape or kind is refused, and nothing begins", () => {
    const { world, teller, customer } = stockedWorld(1_000);
    world.connect(customer, teller);
    const wrong: [Node, unknown[]][] = [
      [customer, [1, 100, "EUR", null]],
      [customer, [1, 100, "EUR", ""]],
      [customer, [1, 0, "EUR", "1234567890"]],
      [customer, [2, 100, "EUR", null]],
      [customer, [4, 100, "EUR", null]],
      [customer, [9, 100, "EUR", null]],
      [customer, [0, 100, "EUR", null]],
      [teller, [1, 100, "EUR", "1234567890"]],
      [teller, [2, 100, "EUR", "1234567890"]],
    ];
    for (const [node, request] of wrong) {
      world.command(node, 81, world.newCommandId(), ...request);
      expect([request, node.heard.at(-1)]).toEqual([request, [0, 81, 1]]);
    }
    expect(customer.heardOf(29)).toEqual([]);
  });

  test("what the bank does not note is told again, also after a boot, and then no more", () => {
    const { world, teller, customer } = stockedWorld(10_000);
    teller.notes = false;
    world.withdraw(customer, teller, 1_000);
    const told = () => teller.heardOf(84).length;
    const before = told();
    world.settle(25_000);
    expect(told()).toBe(before + 2);
    world.run(teller, () => teller.module.reboot());
    expect(told()).toBe(before + 3);
    teller.notes = true;
    world.command(teller, 88, teller.heardOf(84).at(-1)![1]);
    world.settle(60_000);
    expect(told()).toBe(before + 4);
  });

  test("the notes, their certificates and the log can be read out", () => {
    const { world, teller, customer } = stockedWorld(10_000);
    for (const amount of [700, 800]) world.withdraw(customer, teller, amount);
    const [, , next, first] = customer.module.ask(8, 2, 0) as [number, number, number, Uint8Array];
    const [, , last, second] = customer.module.ask(8, 2, next) as [
      number,
      number,
      null,
      Uint8Array,
    ];
    expect(last).toBeNull();
    for (const note of [first, second]) {
      const [body, transfers] = decodeCbor(note) as [unknown[], unknown[][]];
      expect(body).toHaveLength(4);
      expect(transfers).toHaveLength(2);
    }
    const certificates: unknown[] = [];
    for (let cursor: number | null = 0; cursor !== null; ) {
      const answer = customer.module.ask(8, 3, cursor);
      certificates.push(answer[3]);
      cursor = answer[2] as number | null;
    }
    // The own chain; generator, teller and their server.
    expect(certificates).toHaveLength(4);
    const [, , entry] = customer.module.ask(9, 0) as [number, unknown, Uint8Array];
    expect((decodeCbor(entry) as unknown[]).slice(1, 4)).toEqual([2, 2, 0]);
  });
});
