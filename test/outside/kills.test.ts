// SPDX-License-Identifier: Apache-2.0
// A host that is killed at any moment costs nobody anything (docs/faults.md, "From outside").
import { afterAll, expect, it } from "vitest";
import { type KillCounts, killRounds } from "./kills.ts";
import { Town } from "./town.ts";

const town = new Town();
afterAll(() => town.remove());

it("a killed host: whatever the moment, the audit holds after the next start", async () => {
  // How many orders are over before they are cut is the machine's affair.
  const isOver = (rounds: number, { ordersCut }: KillCounts) => rounds >= 7 && ordersCut >= 3;
  const counts = await killRounds(town, 1, isOver);
  expect(counts.problems).toEqual([]);
  // And it still does what it is asked.
  expect(await town.carryOut("buy", { as: "Ada", amount: 100, unit: "USD" })).toMatchObject({
    outcome: "ok",
  });
}, 600_000);
