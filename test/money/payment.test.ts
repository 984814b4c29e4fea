// SPDX-License-Identifier: Apache-2.0
// Money Module Payment between two devices (Fig. 12), over the real images of the money modules and
// stand-ins for the agents: the flow, refusals, and what is told to the own sides.
import { describe, expect, test } from "vitest";
import { type AgentStandIn, pay } from "../support/agentStandIn.ts";
import { payingWorld, State } from "../support/moneyWorld.ts";

const stateOf = (agent: AgentStandIn, payId: Uint8Array) => agent.outcomeOf(payId)?.slice(1, 5);

describe("payment between devices", () => {
  test("moves the amount, and both agents hear the same outcome and evidence", () => {
    const { world, a, b } = payingWorld([5_000]);
    const { payId } = pay(a, b, 1_250, "one");
    world.carry();
    expect(stateOf(a, payId)).toEqual([State.committed, 0, 1_250, "EUR"]);
    expect(stateOf(b, payId)).toEqual([State.committed, 0, 1_250, "EUR"]);
    expect(a.outcomeOf(payId)![5]).toEqual(b.outcomeOf(payId)![5]);
    expect(world.balance(a.node)).toEqual([3_750, 0, 0]);
    expect(world.balance(b.node)).toEqual([1_250, 0, 0]);
  });

  test("goes on to the next holder and back, note by note", () => {
    const { world, a, b } = payingWorld([5_000]);
    for (let round = 0; round < 4; round++) {
      pay(a, b, 1_000, `there ${round}`);
      world.carry();
      pay(b, a, 600, `back ${round}`);
      world.carry();
    }
    expect(world.balance(a.node)).toEqual([3_400, 0, 0]);
    expect(world.balance(b.node)).toEqual([1_600, 0, 0]);
  });

  test("pays with as many notes as a packet takes", () => {
    const { world, a, b } = payingWorld([1, 2, 3, 4, 5, 6, 7, 8].map((n) => 100 + n));
    const { payId } = pay(a, b, 836, "eight");
    world.carry();
    expect(stateOf(b, payId)).toEqual([State.committed, 0, 836, "EUR"]);
    // Their histories grew, so that they no longer fit one message: the same goes in two payments.
    const tooLarge = pay(b, a, 836, "eight back");
    world.carry();
    expect(stateOf(b, tooLarge.payId)!.slice(0, 2)).toEqual([State.aborted, 41]);
    expect(stateOf(a, tooLarge.payId)!.slice(0, 2)).toEqual([State.aborted, 41]);
    for (const amount of [400, 436]) {
      pay(b, a, amount, `back ${amount}`);
      world.carry();
    }
    expect(world.balance(a.node)).toEqual([836, 0, 0]);
    expect(world.balance(b.node)).toEqual([0, 0, 0]);
  });

  test("needs funds: without them the payer's agent orders the abort", () => {
    const { world, a, b } = payingWorld([500]);
    const { payId } = pay(a, b, 501, "too much");
    world.carry();
    expect(stateOf(a, payId)!.slice(0, 2)).toEqual([State.aborted, 29]);
    expect(stateOf(b, payId)!.slice(0, 2)).toEqual([State.aborted, 29]);
    expect(world.balance(a.node)).toEqual([500, 0, 0]);
  });

  test("is refused where the payee's agent expects another amount, unless a new one is right", () => {
    const { world, a, b } = payingWorld([500]);
    b.expectedAmount = 200;
    const refused = pay(a, b, 100, "wrong");
    world.carry();
    expect(stateOf(a, refused.payId)!.slice(0, 2)).toEqual([State.aborted, 30]);
    a.firstAmount = 100;
    const corrected = pay(a, b, 200, "right");
    world.carry();
    expect(stateOf(b, corrected.payId)!.slice(0, 3)).toEqual([State.committed, 0, 200]);
  });

  test("tells the funds of a unit to the own agent", () => {
    const { world, a } = payingWorld([500]);
    a.say(1, ["EUR"]);
    world.carry();
    expect(a.funds).toEqual(["EUR", 500]);
    a.say(1, ["USD"]);
    world.carry();
    expect(a.funds).toEqual(["USD", 0]);
  });

  test("is ordered once per pay id: the same order again only tells the outcome", () => {
    const { world, a, b } = payingWorld([500]);
    const { payId } = pay(a, b, 100, "once");
    world.carry();
    a.outcomes.length = 0;
    pay(a, b, 100, "once");
    world.settle();
    expect(stateOf(a, payId)!.slice(0, 1)).toEqual([State.committed]);
    expect(world.balance(a.node)).toEqual([400, 0, 0]);
  });
});
