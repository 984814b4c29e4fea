// SPDX-License-Identifier: Apache-2.0
// Boards killed in the middle of purchases: receipt, money and card posting come together or not at
// all.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  Bench,
  carryOutOnceMore,
  KILL_TIMEOUT_MS,
  KILLS,
  killAtRandom,
  killEverywhere,
} from "./kills.ts";
import { FUNDS_MINOR, PurchaseWorld } from "./world.ts";

/** A trusted agent's oldest receipt makes room for one more. */
const TICKETS_HELD = 32;

let bench: Bench<PurchaseWorld>;
beforeAll(async () => {
  const world = await PurchaseWorld.make({ isEmulated: true });
  bench = new Bench(world, [0, FUNDS_MINOR]);
  await bench.measure();
});
afterAll(() => bench.world.close());

/** Receipt, money and card posting come together or not at all. */
async function expectBooks(): Promise<void> {
  const { world, committed } = bench;
  expect(world.books.conflicts).toEqual([]);
  expect([world.cards("posted"), world.cards("held")]).toEqual([committed, 0]);
  // One more: the card itself.
  expect(await world.tickets()).toBe(Math.min(committed + 1, TICKETS_HELD));
}

test("either board killed at messages all through it", { timeout: 10 * KILL_TIMEOUT_MS }, () =>
  killEverywhere(bench).then(expectBooks),
);

test(`${KILLS} kills at random moments`, { timeout: 3 * KILLS * KILL_TIMEOUT_MS }, () =>
  killAtRandom(bench).then(expectBooks),
);

test("the devices still work", () => carryOutOnceMore(bench));
