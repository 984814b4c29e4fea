// SPDX-License-Identifier: Apache-2.0
// The buying story of the example economy with the customers' agents and modules on emulated
// boards: a purchase from a merchant with a card, a payment, a refused card, and the closing audit.
import { afterAll, beforeAll, expect, test } from "vitest";
import { runAction } from "../../host/economy/actions.ts";
import { audit } from "../../host/economy/audit.ts";
import type { EconomyAction } from "../../host/economy/economyActions.ts";
import { readEconomy } from "../../host/economy/economyFile.ts";
import { emulatedBoards } from "../../host/economy/partyBoard.ts";
import { openWorld, type World } from "../../host/economy/world.ts";
import { memoryWorld } from "../../host/economy/worldSettings.ts";
import { BOARD } from "./emulated.ts";

const example = readEconomy("examples/economy.json");
/** Alice buys and pays Bruno, whose card is blocked. */
const story = { ...example, people: example.people.slice(0, 2) };

let world: World;
beforeAll(async () => {
  const settings = memoryWorld(undefined, { peopleBoards: emulatedBoards(BOARD) });
  world = await openWorld(story, settings);
});
afterAll(() => world.close());

test("people's devices are the emulated boards, all others are simulated", () => {
  const boards = world.devices().map(({ name, device }) => [name, device.board.boardName]);
  for (const [name, board] of boards) {
    expect(board).toBe(name === "Alice" || name === "Bruno" ? BOARD : "simulator");
  }
});

test("purchase, payment and refusal end as in the file, and the books balance", async () => {
  const outcomes: string[] = [];
  for (const action of example.actions.filter((_, index) => [0, 1, 3].includes(index))) {
    const outcome = await runAction(world, action);
    outcomes.push(`${outcome.kind} ${outcome.outcome}`);
  }
  expect(outcomes).toEqual(["buy ok", "pay ok", "buy refused"]);
  expect((await audit(world)).ok).toBe(true);
});

test("the boards' date is the economy's, also when days pass at once", async () => {
  // With a bank whose clock differs by more than ten minutes, no session opens.
  const actions: EconomyAction[] = [
    { do: "wait", days: 91 },
    { do: "refresh", who: "Alice" },
  ];
  const outcomes: string[] = [];
  for (const action of actions) outcomes.push((await runAction(world, action)).outcome);
  expect(outcomes).toEqual(["ok", "ok"]);
  expect((await audit(world)).ok).toBe(true);
});
