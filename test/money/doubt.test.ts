// SPDX-License-Identifier: Apache-2.0
// Commit, doubt, close and resume (docs/protocol.md section 4): messages lost and power cut at
// every place of a payment. Whatever happens, nothing is made or lost, and when the modules meet
// again nothing is in doubt and both own sides hear the same.
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import type { StorageOperation } from "../../host/simulator/types.ts";
import { pay } from "../support/agentStandIn.ts";
import { PEER } from "../support/bareModule.ts";
import {
  type MoneyWorld,
  type Node,
  payingWorld,
  State,
  stockedWorld,
  TUNNEL,
} from "../support/moneyWorld.ts";

/** The modules meet: each asks about what is open with the other. */
function meet(world: MoneyWorld, one: Node, other: Node): void {
  world.loses = () => false;
  world.connect(one, other);
  world.settle();
  for (const node of [one, other]) world.command(node, 89);
  world.settle();
}

describe("a payment between devices whose messages are lost", () => {
  // Types of the modules' messages in their order, and the one that does not arrive any more.
  for (const type of [-1, 1, 20, 21, 22, 24, 25, 26, 27, 28]) {
    test(`from message ${type} on: it ends the same on both sides, at the latest when they meet`, () => {
      const { world, a, b } = payingWorld([5_000]);
      let isCut = false;
      world.loses = (message) => {
        isCut ||= message.port === TUNNEL && message.type === type;
        return isCut && (message.port === TUNNEL || message.port === PEER);
      };
      const { payId } = pay(a, b, 1_000, "lost");
      world.settle();
      const inDoubt = world.balance(b.node)[1]!;
      const paid = 5_000 - world.balance(a.node)[0]!;
      // Before the payer commits nothing has moved; afterwards it is in doubt or arrived.
      expect(paid).toBe(type >= 27 ? 1_000 : 0);
      expect(inDoubt).toBe(type === 26 || type === 27 ? 1_000 : 0);
      meet(world, a.node, b.node);
      for (const agent of [a, b]) agent.close(payId);
      world.carry();
      const isPaid = type >= 27;
      expect(world.balance(a.node)).toEqual([isPaid ? 4_000 : 5_000, 0, 0]);
      expect(world.balance(b.node)).toEqual([isPaid ? 1_000 : 0, 0, 0]);
      const state = isPaid ? State.committed : State.aborted;
      expect(a.outcomeOf(payId)![1]).toBe(state);
      expect(b.outcomeOf(payId)![1]).toBe(state);
    });
  }

  test("one by one: each lost message is asked for and sent again", () => {
    for (const type of [20, 21, 22, 24, 25, 26, 27, 28]) {
      const { world, a, b } = payingWorld([5_000]);
      let isLost = false;
      world.loses = (message) => {
        if (isLost || message.port !== TUNNEL || message.type !== type) return false;
        isLost = true;
        return true;
      };
      const { payId } = pay(a, b, 1_000, "once");
      world.settle();
      expect([type, isLost, b.outcomeOf(payId)?.[1]]).toEqual([type, true, State.committed]);
      expect(world.balance(b.node)).toEqual([1_000, 0, 0]);
    }
  });
});

describe("close by the own side", () => {
  test("ends a payment that has promised nothing, and later messages change nothing", () => {
    const { world, a, b } = payingWorld([5_000]);
    world.loses = (message) => message.port === TUNNEL && message.type === 26;
    const { payId } = pay(a, b, 1_000, "close");
    world.carry();
    a.close(payId);
    world.carry();
    expect(a.outcomeOf(payId)![1]).toBe(State.aborted);
    world.loses = () => false;
    const late = world.log.find((message) => message.type === 26)!;
    a.fromPeer(late.body);
    world.settle();
    expect(world.balance(a.node)[0]).toBe(5_000);
    meet(world, a.node, b.node);
    expect(b.outcomeOf(payId)![1]).toBe(State.aborted);
  });

  test("does not end a payment in doubt; noted records are forgotten after done", () => {
    const { world, a, b } = payingWorld([5_000]);
    world.loses = (message) => message.type === 27;
    const { payId } = pay(a, b, 1_000, "doubt");
    world.settle(1_000);
    b.close(payId);
    world.carry();
    expect(b.outcomeOf(payId)![1]).toBe(State.inDoubt);
    b.say(7, [payId]);
    world.carry();
    expect(b.notedOk).toEqual([]);
    meet(world, a.node, b.node);
    expect(b.outcomeOf(payId)![1]).toBe(State.committed);
    for (const agent of [a, b]) agent.say(7, [payId]);
    world.carry();
    expect([a.notedOk, b.notedOk]).toEqual([[bytesToHex(payId)], [bytesToHex(payId)]]);
    // Nothing is left to ask about.
    expect(a.node.module.ask(89)).toEqual([89, 0]);
    expect(b.node.module.ask(89)).toEqual([89, 0]);
  });
});

describe("power cuts in a withdrawal", () => {
  const STOCK = 100_000;
  const AMOUNT = 2_500;
  const { world, teller, customer } = stockedWorld(STOCK);
  const start = [teller, customer].map((node) => node.module.snapshot());

  /** One withdrawal with the power cut at operation `index` of `node`; whether it came so far. */
  function run(node: Node, index: number, moment: "cut-before" | "cut-after" | "tear"): boolean {
    for (const [i, each] of [teller, customer].entries()) {
      each.module.restore(start[i]!);
      each.heard.length = 0;
    }
    let operations = 0;
    let isCut = false;
    let bits = index * 7919 + 1;
    const random = () => {
      bits = Math.imul(bits, 1664525) + 1013904223;
      return bits >>> 0;
    };
    node.module.power = (_operation: StorageOperation) => {
      if (isCut || operations++ !== index) return "keep";
      isCut = true;
      return moment === "tear" ? { tear: random } : moment;
    };
    world.withdraw(customer, teller, AMOUNT);
    world.settle();
    node.module.power = () => "keep";
    meet(world, customer, teller);
    // The bank asks about each hold that was not settled.
    const settled = new Set(
      teller
        .heardOf(84)
        .filter(([, , state]) => state === 1 || state === 2)
        .map(([, payId]) => bytesToHex(payId as Uint8Array)),
    );
    for (const [, , payId] of teller.heardOf(82)) {
      if (!settled.has(bytesToHex(payId as Uint8Array))) world.command(teller, 88, payId);
    }
    const [held, doubt] = world.balance(customer);
    const [stock] = world.balance(teller);
    const place = `${node.name} ${index} ${moment}`;
    expect([place, doubt, held! + stock!]).toEqual([place, 0, STOCK]);
    const last = teller.heardOf(84).at(-1);
    const isSettled = last?.[2] === State.committed;
    expect([place, held]).toEqual([place, isSettled ? AMOUNT : 0]);
    // A command that the power cut off before it was remembered was not begun.
    const command = customer.heardOf(29).at(-1)?.[1];
    const state = command === undefined ? State.aborted : customer.module.ask(30, command)[2];
    expect([place, state]).toEqual([place, isSettled ? State.committed : State.aborted]);
    return isCut;
  }

  for (const node of [customer, teller]) {
    for (const moment of ["cut-before", "tear", "cut-after"] as const) {
      test(`${moment} at every flash operation of ${node.name}`, () => {
        let index = 0;
        while (run(node, index, moment)) index++;
        expect(index).toBeGreaterThan(5);
      });
    }
  }
});
