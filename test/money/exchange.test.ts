// SPDX-License-Identifier: Apache-2.0
// Exchange of two units between two devices (docs/protocol.md section 4): whoever opens decides,
// and both legs are committed or none, whatever is lost and wherever the power is cut.
import { describe, expect, test } from "vitest";
import type { StorageOperation } from "../../host/simulator/types.ts";
import { type AgentStandIn, exchange } from "../support/agentStandIn.ts";
import { PEER } from "../../host/torture/bareModule.ts";
import { type Node, payingWorld, State, TUNNEL } from "../support/moneyWorld.ts";

const { world, teller, a, b } = payingWorld([300, 500, 800]);
const [generator] = world.nodes;
world.restock(teller, generator!, 50_000, "USD");
for (const amount of [400, 700]) world.withdraw(b.node, teller, amount, "USD");
world.connect(a.node, b.node);
const sides = [a, b];
const start = sides.map(({ node }) => node.module.snapshot());
let runs = 0;

/** Both devices as they were, started anew so that agents and modules share fresh keys. */
function begin(): void {
  world.loses = () => false;
  for (const [index, { node }] of sides.entries()) {
    node.module.restore(start[index]!);
    world.run(node, () => node.module.reboot());
  }
  world.carry();
}

/** The first device gives 1,000 EUR for 900 USD of the second. */
function order() {
  return exchange(a, b, [1_000, "EUR"], [900, "USD", 1], `exchange ${++runs}`);
}

/** [spendable, in doubt, refresh, promised] by unit. */
function whole(node: Node): Record<string, number[]> {
  const [, rows] = node.module.ask(80) as [number, [string, ...number[]][]];
  return Object.fromEntries(rows.map(([unit, ...sums]) => [unit, sums]));
}

const BEFORE = [{ EUR: [1_600, 0, 0, 0] }, { USD: [1_100, 0, 0, 0] }];
const AFTER = [
  { EUR: [600, 0, 0, 0], USD: [900, 0, 0, 0] },
  { EUR: [1_000, 0, 0, 0], USD: [200, 0, 0, 0] },
];

/** The devices meet, and their agents ask; whether both legs were committed. */
function healed(payId: Uint8Array, place: string): boolean {
  world.loses = () => false;
  world.settle();
  for (const { node } of sides) world.command(node, 89);
  world.settle();
  for (const agent of sides) agent.close(payId);
  world.carry();
  const states = sides.map((agent) => agent.outcomeOf(payId)?.[1]);
  const isCommitted = states[0] === State.committed;
  const state = isCommitted ? State.committed : State.aborted;
  expect([place, states]).toEqual([place, [state, state]]);
  expect([place, ...sides.map(({ node }) => whole(node))]).toEqual([
    place,
    ...(isCommitted ? AFTER : BEFORE),
  ]);
  return isCommitted;
}

describe("an exchange", () => {
  test("moves both sums, each note once, and each log has both legs", () => {
    begin();
    const { payId } = order();
    world.settle();
    expect(sides.map(({ node }) => whole(node))).toEqual(AFTER);
    for (const agent of sides) {
      expect(agent.outcomeOf(payId)!.slice(1, 5)).toEqual([State.committed, 0, 1_000, "EUR"]);
    }
    expect(a.outcomeOf(payId)![5]).toEqual(b.outcomeOf(payId)![5]);
    // What came can be exchanged back.
    exchange(b, a, [1_000, "EUR"], [900, "USD", 0], `back ${++runs}`);
    world.settle();
    expect(whole(a.node).EUR).toEqual([1_600, 0, 0, 0]);
    expect(whole(b.node).USD).toEqual([1_100, 0, 0, 0]);
  });

  test("without the money for it, on either side, moves nothing", () => {
    begin();
    const poor: [number, number][] = [
      [1_601, 900],
      [1_000, 1_101],
    ];
    for (const [gives, gets] of poor) {
      const terms = exchange(a, b, [gives, "EUR"], [gets, "USD", 0], `poor ${++runs}`);
      world.settle();
      for (const agent of sides) {
        expect(agent.outcomeOf(terms.payId)!.slice(1, 3)).toEqual([State.aborted, 29]);
      }
      expect(sides.map(({ node }) => whole(node))).toEqual(BEFORE);
    }
  });

  // The modules' messages in their order.
  const MESSAGES = [20, 21, 22, 31, 25, 26, 27, 28];

  test.each(MESSAGES)("message %i alone lost is asked for and sent again", (type) => {
    begin();
    let isLost = false;
    world.loses = (message) => {
      if (isLost || message.port !== TUNNEL || message.type !== type) return false;
      isLost = true;
      return true;
    };
    const { payId } = order();
    world.settle();
    expect([isLost, healed(payId, `once ${type}`)]).toEqual([true, true]);
  });

  test.each(MESSAGES)(
    "there is no natural payer first, cut from message %i on: both legs or none",
    (type) => {
      begin();
      let isCut = false;
      world.loses = (message) => {
        isCut ||= message.port === TUNNEL && message.type === type;
        return isCut && (message.port === TUNNEL || message.port === PEER);
      };
      const { payId } = order();
      world.settle();
      if (type === 26 || type === 27) {
        // The other one is in doubt about what it gets, and what it gives is promised.
        expect(whole(b.node)).toEqual({ EUR: [0, 1_000, 0, 0], USD: [200, 0, 0, 900] });
        b.close(payId);
        world.carry();
        expect(b.outcomeOf(payId)![1]).toBe(State.inDoubt);
      }
      const isCommitted = type === 27 || type === 28;
      expect(healed(payId, `from ${type}`)).toBe(isCommitted);
    },
  );
});

describe("power cut at every flash operation", () => {
  function cut(agent: AgentStandIn, index: number, moment: "cut-before" | "cut-after" | "tear") {
    begin();
    let operations = 0;
    let isCut = false;
    let bits = index * 7919 + 1;
    const random = () => {
      bits = Math.imul(bits, 1664525) + 1013904223;
      return bits >>> 0;
    };
    agent.node.module.power = (_operation: StorageOperation) => {
      if (isCut || operations++ !== index) return "keep";
      isCut = true;
      return moment === "tear" ? { tear: random } : moment;
    };
    const { payId } = order();
    world.settle();
    agent.node.module.power = () => "keep";
    healed(payId, `${agent.node.name} ${index} ${moment}`);
    return isCut;
  }

  for (const agent of sides) {
    for (const moment of ["cut-before", "tear", "cut-after"] as const) {
      test(`${moment}, of ${agent.node.name}`, () => {
        let index = 0;
        while (cut(agent, index, moment)) index++;
        expect(index).toBeGreaterThan(5);
      });
    }
  }
});
