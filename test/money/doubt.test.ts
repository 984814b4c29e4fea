// SPDX-License-Identifier: Apache-2.0
// Commit, doubt, close and resume (docs/protocol.md section 4): messages lost at every place of a
// payment. Whatever happens, nothing is made or lost, and when the modules meet again nothing is in
// doubt and both own sides hear the same. Power cuts: cuts.test.ts.
import { bytesToHex } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { pay } from "../support/agentStandIn.ts";
import { PEER } from "../../host/torture/bareModule.ts";
import { type MoneyWorld, type Node, payingWorld, State, TUNNEL } from "../support/moneyWorld.ts";

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
  test("Ready-to-Commit arrives after the agent's time-out: nothing moves, and both say so", () => {
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
