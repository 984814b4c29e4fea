// SPDX-License-Identifier: Apache-2.0
// New money from generator to teller to customer, over the real images (steps 748, 1566-1608,
// 1702-1724; docs/protocol.md sections 3, 4 and 6).
import { describe, expect, test } from "vitest";
import { State, stockedWorld } from "../support/moneyWorld.ts";

describe("withdrawal", () => {
  test("a generator's new note becomes a teller's stock, the bank having held and settled", () => {
    const { world, teller, generator } = stockedWorld(100_000);
    expect(world.balance(teller)).toEqual([100_000, 0, 0]);
    expect(generator.heardOf(82)).toHaveLength(1);
    expect(generator.heardOf(84).map((settle) => settle.slice(2, 5))).toEqual([
      [2, 100_000, "EUR"],
    ]);
    expect(world.balance(generator)).toEqual([0, 0, 0]);
  });

  test("a customer withdraws a part and the teller keeps the change", () => {
    const { world, teller, customer } = stockedWorld(100_000);
    const finished = world.withdraw(customer, teller, 2_500);
    expect(finished.slice(2, 4)).toEqual([State.committed, 0]);
    expect(world.balance(customer)).toEqual([2_500, 0, 0]);
    expect(world.balance(teller)).toEqual([97_500, 0, 0]);
  });
});
