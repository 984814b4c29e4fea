// SPDX-License-Identifier: Apache-2.0
// Refresh: old notes for fresh ones at a teller, both legs in one commit (docs/protocol.cddl
// section 6, request kind 5; docs/protocol.md section 4). The teller decides; the customer's parts
// are promised from its Ready-to-Commit on.
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../host/trust/cbor.ts";
import { PEER } from "../../host/torture/bareModule.ts";
import { type Node, stockedWorld, State } from "../support/moneyWorld.ts";

const DAY_MS = 86_400_000;

const ending = (node: Node) => node.heardOf(29).at(-1)!.slice(2, 4);
const settled = (node: Node) => node.heardOf(84).map((report) => report.slice(2, 6));

/** A customer whose notes expired, at a teller with fresh ones. */
function expiredWorld(amounts: number[], stock = 50_000) {
  const parts = stockedWorld(100_000);
  const { world, teller, generator, customer } = parts;
  for (const amount of amounts) world.withdraw(customer, teller, amount);
  world.clock.advance(91 * DAY_MS);
  world.settle(1_000);
  if (stock > 0) world.restock(teller, generator, stock);
  for (const node of world.nodes) node.heard.length = 0;
  return parts;
}

function refresh(parts: ReturnType<typeof expiredWorld>, most: number): unknown[] {
  return parts.world.bank(parts.customer, parts.teller, 5, most, "EUR", null);
}

function logOf(node: Node): unknown[][] {
  const entries: unknown[][] = [];
  for (let cursor: number | null = 0; cursor !== null; ) {
    const [, next, item] = node.module.ask(9, cursor) as [number, number | null, Uint8Array];
    if (item !== null) entries.push(decodeCbor(item) as unknown[]);
    cursor = next;
  }
  return entries;
}

/** [spendable, in doubt, refresh, promised]. */
function whole({ world }: { world: { balance(node: Node): number[] } }, node: Node): number[] {
  const [, entries] = node.module.ask(80) as [number, [string, ...number[]][]];
  const row = entries.find(([unit]) => unit === "EUR");
  expect(row?.slice(1, 4) ?? [0, 0, 0]).toEqual(world.balance(node));
  return (row?.slice(1) as number[]) ?? [0, 0, 0, 0];
}

describe("refresh", () => {
  test("gives fresh notes for expired ones, for the same sum, in one commit", () => {
    const parts = expiredWorld([700, 800]);
    const { world, teller, customer } = parts;
    expect(world.balance(customer)).toEqual([0, 0, 1_500]);
    refresh(parts, 1_500);
    expect(ending(customer)).toEqual([State.committed, 0]);
    expect(whole(parts, customer)).toEqual([1_500, 0, 0, 0]);
    expect(whole(parts, teller)).toEqual([48_500, 0, 100_000, 0]);
    expect(teller.heardOf(82)[0]!.slice(4)).toEqual([5, 1_500, "EUR", null]);
    expect(settled(teller)).toEqual([[State.committed, 5, 1_500, "EUR"]]);
    // What came is as new: it is paid on and withdrawn again at any time.
    expect(customer.module.ask(89)).toEqual([89, 0]);
  });

  test("both logs have both legs under one pay id", () => {
    const parts = expiredWorld([700, 800]);
    refresh(parts, 1_500);
    for (const node of [parts.customer, parts.teller]) {
      const entries = logOf(node).slice(-2);
      expect(entries.map((entry) => entry.slice(1, 4))).toEqual([
        [1, State.committed, 0],
        [2, State.committed, 0],
      ]);
      expect(entries.map((entry) => entry.slice(5, 7))).toEqual([
        [1_500, "EUR"],
        [1_500, "EUR"],
      ]);
      expect(entries[0]![0]).toEqual(entries[1]![0]);
      const parted = entries.map((entry) => (entry[8] as unknown[]).length);
      expect(parted).toEqual(node === parts.customer ? [2, 1] : [1, 2]);
    }
  });

  test("a part of the last note may go, the rest stays and waits for nothing", () => {
    const parts = expiredWorld([700, 800]);
    refresh(parts, 1_000);
    expect(ending(parts.customer)).toEqual([State.committed, 0]);
    expect(whole(parts, parts.customer)).toEqual([1_000, 0, 500, 0]);
    refresh(parts, 10_000);
    expect(whole(parts, parts.customer)).toEqual([1_500, 0, 0, 0]);
  });

  test("takes what fits in one packet, and the rest the next time", () => {
    const parts = expiredWorld([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    refresh(parts, 100);
    expect(ending(parts.customer)).toEqual([State.committed, 0]);
    // Eight notes, of equal age the first ones.
    expect(settled(parts.teller)).toEqual([[State.committed, 5, 36, "EUR"]]);
    expect(parts.world.balance(parts.customer)).toEqual([36, 0, 19]);
    refresh(parts, 19);
    expect(whole(parts, parts.customer)).toEqual([55, 0, 0, 0]);
  });

  test("also of fresh notes, the oldest first, and also with 64 notes stored", () => {
    const parts = stockedWorld(100_000);
    const { world, teller, customer } = parts;
    for (let i = 0; i < 64; i++) world.withdraw(customer, teller, 10);
    expect(world.balance(customer)).toEqual([640, 0, 0]);
    world.withdraw(customer, teller, 10);
    expect(ending(customer)).toEqual([State.aborted, 6]);
    refresh(parts, 640);
    expect(ending(customer)).toEqual([State.committed, 0]);
    expect(world.balance(customer)).toEqual([640, 0, 0]);
    world.withdraw(customer, teller, 10);
    expect(ending(customer)).toEqual([State.committed, 0]);
  });

  test("refused: nothing to refresh, no stock, the bank; and nothing has moved", () => {
    const parts = expiredWorld([700], 0);
    const { world, teller, customer } = parts;
    world.bank(customer, teller, 5, 100, "USD", null);
    expect(ending(customer)).toEqual([State.aborted, 29]);
    expect(teller.heardOf(82)).toEqual([]);
    refresh(parts, 700);
    expect(ending(customer)).toEqual([State.aborted, 29]);
    expect(settled(teller)).toEqual([[State.aborted, 5, 700, "EUR"]]);
    teller.grant = false;
    refresh(parts, 700);
    expect(ending(customer)).toEqual([State.aborted, 44]);
    expect(whole(parts, customer)).toEqual([0, 0, 700, 0]);
    world.command(customer, 81, world.newCommandId(), 5, 700, "EUR", "1234567890");
    expect(customer.heard.at(-1)).toEqual([0, 81, 1]);
  });

  test("notes in doubt are promised, locked over boots, and free again when it was aborted", () => {
    const parts = expiredWorld([700, 800]);
    const { world, teller, customer } = parts;
    let isCut = false;
    world.loses = (message) => {
      isCut ||= message.type === 26;
      return isCut && message.port === PEER;
    };
    refresh(parts, 1_000);
    for (let boot = 0; boot < 3; boot++) {
      expect(whole(parts, customer)).toEqual([0, 1_000, 500, 1_000]);
      world.settle(60_000);
      // A second refresh finds nothing that is free: the rest of a promised note waits with it.
      refresh(parts, 1_000);
      expect(ending(customer)[0]).not.toBe(State.committed);
      world.settle(200_000);
      world.run(customer, () => customer.module.reboot());
    }
    world.loses = () => false;
    world.settle();
    world.command(customer, 89);
    world.settle();
    expect(whole(parts, customer)).toEqual([0, 0, 1_500, 0]);
    refresh(parts, 1_500);
    expect(whole(parts, customer)).toEqual([1_500, 0, 0, 0]);
    expect(whole(parts, teller)).toEqual([48_500, 0, 100_000, 0]);
  });
});
