// SPDX-License-Identifier: Apache-2.0
// Payments on request (par. 128) and exchanges of two units in one commit (par. 4, 77), between
// people in whole economies: with the other owner's word, or nothing moves.
import { describe, expect, it } from "vitest";
import { runAction } from "../../host/economy/actions.ts";
import type { EconomyAction, ExchangeAction } from "../../host/economy/economyActions.ts";
import type { Economy } from "../../host/economy/economyFile.ts";
import { counterAmountOf } from "../../host/economy/exchangeTerms.ts";
import { exchange, pay } from "../../host/economy/payments.ts";
import { heldBy, inWorld, story } from "../support/story.ts";

const ECONOMY: Economy = {
  units: ["USD", "JPY", "KWD"],
  banks: [
    {
      name: "Bank",
      issues: ["USD", "JPY", "KWD"],
      accounts: [
        { owner: "Ada", unit: "USD", balance: 10_000 },
        { owner: "Bo", unit: "JPY", balance: 10_000 },
        { owner: "Bo", unit: "KWD", balance: 10_000 },
      ],
    },
  ],
  cardIssuers: [],
  merchants: [],
  people: [{ name: "Ada" }, { name: "Bo" }],
  actions: [],
};

const draw = (who: string, unit: string): EconomyAction => {
  return { do: "withdraw", who, amount: 10_000, unit };
};
const FUNDED = [draw("Ada", "USD"), draw("Bo", "JPY"), draw("Bo", "KWD")];

const swap = (change: Partial<ExchangeAction> = {}): ExchangeAction => ({
  do: "exchange",
  from: "Ada",
  to: "Bo",
  amount: 1_001,
  unit: "USD",
  counterUnit: "JPY",
  ...change,
});

describe("the counter amount", () => {
  it.each<[string, Partial<ExchangeAction>, number, "exact" | "down"]>([
    ["as it was named", { counterAmount: 7 }, 7, "exact"],
    ["from two decimals to none", { rate: "150" }, 1_501, "down"],
    ["from two decimals to none, exactly", { amount: 200, rate: "150" }, 300, "exact"],
    ["from two decimals to three", { counterUnit: "KWD", rate: "0.3071" }, 3_074, "down"],
    ["from three decimals to none", { unit: "KWD", rate: "487.123" }, 487, "down"],
    ["from none to three", { unit: "JPY", counterUnit: "KWD", rate: "0.002" }, 2_002, "exact"],
  ])("%s", (_, change, counterMinor, rounding) => {
    expect(counterAmountOf(swap(change))).toEqual({ counterMinor, rounding });
  });

  it("is refused where it comes to nothing or to more than there can be", () => {
    expect(counterAmountOf(swap({ amount: 1, rate: "99.99" }))).toBeUndefined();
    const huge = { amount: Number.MAX_SAFE_INTEGER, unit: "JPY", counterUnit: "KWD", rate: "2" };
    expect(counterAmountOf(swap(huge))).toBeUndefined();
    expect(counterAmountOf(swap({ rate: "0" }))).toBeUndefined();
  });
});

describe("an exchange", () => {
  it("moves both amounts, rounded down for who decides, or none", () =>
    story(
      ECONOMY,
      [
        ...FUNDED,
        swap({ rate: "150" }),
        swap({ counterUnit: "KWD", counterAmount: 3_000, amount: 999 }),
        // Bo has 8,499 yen left, Ada 80.00 dollars.
        swap({ counterAmount: 8_500 }),
        swap({ amount: 8_001, counterAmount: 1 }),
      ],
      async (outcomes, world) => {
        const [rounded, named, ...refused] = outcomes.slice(3);
        expect(rounded).toMatchObject({
          kind: "exchange",
          outcome: "ok",
          amount: 1_001,
          counterAmount: 1_501,
          rounding: "down",
        });
        expect(named).toMatchObject({ outcome: "ok", counterAmount: 3_000, rounding: "exact" });
        for (const outcome of refused) {
          expect(outcome.outcome === "refused" && outcome.reason).toMatch(/not enough electronic/);
        }
        expect(await heldBy(world, "Ada")).toEqual({ USD: 8_000, JPY: 1_501, KWD: 3_000 });
        expect(await heldBy(world, "Bo")).toEqual({ USD: 2_000, JPY: 8_499, KWD: 7_000 });
      },
    ));

  it("needs the other owner's word, as a requested payment does; it counts once", () =>
    inWorld(ECONOMY, async (world) => {
      for (const action of FUNDED) await runAction(world, action);
      const terms = swap({ counterAmount: 100 });
      const unasked = await exchange(world, terms, false);
      expect(unasked).toMatchObject({ outcome: "refused", reason: "the owner did not confirm" });
      expect(await exchange(world, terms)).toMatchObject({ outcome: "ok" });
      expect(await exchange(world, terms, false)).toMatchObject({ outcome: "refused" });
      const request = {
        do: "pay",
        from: "Ada",
        to: "Bo",
        amount: 10,
        unit: "USD",
        request: true,
      } as const;
      expect(await pay(world, request, false)).toMatchObject({ outcome: "refused" });
      expect(await pay(world, request)).toMatchObject({ outcome: "ok", request: true });
      expect(world.people.every(({ acceptances }) => acceptances.length === 0)).toBe(true);
      expect(await heldBy(world, "Bo")).toEqual({ USD: 1_011, JPY: 9_900, KWD: 10_000 });
    }));
});
