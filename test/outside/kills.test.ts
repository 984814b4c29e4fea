// SPDX-License-Identifier: Apache-2.0
// A host that is killed at any moment costs nobody anything (docs/faults.md, "From outside").
import { afterAll, expect, it } from "vitest";
import { killRounds } from "./kills.ts";
import { Town } from "./town.ts";

const town = new Town();
afterAll(() => town.remove());

it("a killed host: whatever the moment, the audit holds after the next start", async () => {
  const counts = await killRounds(town, 1, (rounds) => rounds >= 7);
  expect(counts.problems).toEqual([]);
  expect(counts.kills).toBeGreaterThanOrEqual(8);
  expect(counts.ordersCut).toBeGreaterThanOrEqual(3);
  // And it still does what it is asked.
  expect(await town.ask("buy", { as: "Ada", amount: 100, unit: "USD" })).toMatchObject({
    outcome: "ok",
  });
});
