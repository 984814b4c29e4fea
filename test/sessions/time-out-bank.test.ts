// SPDX-License-Identifier: Apache-2.0
// Time-out and query (paragraphs 75-76; protocol rules 2 and 4) in the bare flows with a bank: at
// each message in turn, one is lost, one is late, or the line is dead from there on. What is asked
// for is then done once, or ended, or in doubt until both meet again; and the host is told why.
import { describe, expect, test } from "vitest";
import { PEER } from "../../host/torture/bareModule.ts";
import { type Carried, type Node, State, stockedWorld } from "../support/moneyWorld.ts";

const STOCK = 10_000;
const TIME_OUT = 17;
const IN_DOUBT = 43;
/** Until a side that waits has asked once. */
const LATE_MS = 6_000;
/** Longer than all queries and the limits of doubt. */
const LONG_MS = 240_000;

interface Flow {
  name: string;
  kind: number;
  account: string | null;
  /** Done before the flow begins. */
  before: number | null;
}

const FLOWS: Flow[] = [
  { name: "a withdrawal", kind: 1, account: "1234567890", before: null },
  { name: "a deposit", kind: 3, account: "1234567890", before: 1_000 },
  { name: "a teller's order of new notes", kind: 2, account: null, before: null },
];

/** A world in which the flow is about to begin; `fault` sees each of its messages with a number. */
function flowWorld({ kind, account, before }: Flow) {
  const { world, teller, generator, customer } = stockedWorld(STOCK);
  if (before !== null) world.withdraw(customer, teller, before);
  const [client, server]: [Node, Node] = kind === 2 ? [teller, generator] : [customer, teller];
  const run = (fault: (number: number, message: Carried) => boolean) => {
    let count = 0;
    world.loses = (message) => message.port === PEER && fault(count++, message);
    world.bank(client, server, kind, 400, "EUR", account);
    return count;
  };
  /** How it ended, as the host of who asked was told last: state and reason. */
  const outcome = () => client.heardOf(29).at(-1)!.slice(2, 4);
  const total = () =>
    [teller, customer].reduce((sum, node) => {
      const [spendable, inDoubt] = world.balance(node);
      return sum + spendable! + inDoubt!;
    }, 0);
  return { world, client, server, run, outcome, total };
}

describe.each(FLOWS)("$name", (flow) => {
  const messages = flowWorld(flow).run(() => false);
  const positions = Array.from({ length: messages }, (_, index) => index);

  test("has a beginning, a middle and an end", () => expect(messages).toBeGreaterThan(8));

  test.each(positions)("goes on when message %i is lost once", (lost) => {
    const { world, run, outcome } = flowWorld(flow);
    run((number) => number === lost);
    world.settle(60_000);
    expect(outcome()).toEqual([State.committed, 0]);
  });

  test.each(positions)("goes on when message %i is late, and does nothing twice", (late) => {
    const { world, run, outcome, total } = flowWorld(flow);
    const held: Carried[] = [];
    run((number, message) => number === late && held.push(message) > 0);
    world.settle(LATE_MS);
    for (const { to, port, body } of held) world.run(to, () => to.module.deliver(port, body));
    world.settle(60_000);
    expect(held).toHaveLength(1);
    expect(outcome()).toEqual([State.committed, 0]);
    const change = { 1: 0, 2: 400, 3: 0 }[flow.kind]!;
    expect(total()).toBe(STOCK + change);
  });

  test.each(positions)("ends or is in doubt when all is lost from message %i on", (from) => {
    const { world, client, server, run, outcome, total } = flowWorld(flow);
    run((number) => number >= from);
    world.settle(LONG_MS);
    const [state, reason] = outcome();
    const isKnown =
      (state === State.aborted && reason === TIME_OUT) ||
      (state === State.inDoubt && (reason === IN_DOUBT || reason === TIME_OUT)) ||
      (state === State.committed && reason === 0);
    expect(isKnown, `${String(state)}, ${String(reason)}`).toBe(true);
    // The line is back: whoever is in doubt asks, and both sides agree.
    world.loses = () => false;
    world.connect(client, server);
    for (const node of [client, server]) world.command(node, 89);
    world.settle(LONG_MS);
    expect(outcome()[0]).not.toBe(State.inDoubt);
    for (const node of [client, server]) expect(world.balance(node)[1]).toBe(0);
    const isDone = outcome()[0] === State.committed;
    expect(total()).toBe(STOCK + (flow.kind === 2 && isDone ? 400 : 0));
  });
});
