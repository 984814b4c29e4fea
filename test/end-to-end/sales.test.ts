// SPDX-License-Identifier: Apache-2.0
// Sales (Fig. 7, 796-808) in whole economies: the best merchant is the one that gives the most over
// fee and rate, the card is credited what the receipt says, and a refused credit moves nothing.
import { describe, expect, it } from "vitest";
import type { EconomyAction } from "../../host/economy/economyActions.ts";
import type { Economy } from "../../host/economy/economyFile.ts";
import type { World } from "../../host/economy/world.ts";
import { card, heldBy, story, tills } from "../support/story.ts";

const GOOD = "4000000000000001";
const BLOCKED = "4000000000000002";

const ECONOMY: Economy = {
  units: ["USD", "JPY", "KWD"],
  networkRates: { "GBP/USD": "1.25", "JPY/GBP": "0.005" },
  banks: [{ name: "Issuer", issues: ["USD", "JPY", "KWD"], accounts: [] }],
  cardIssuers: [
    {
      name: "Cards",
      cards: [
        card(GOOD, "Ada", { balance: 50_000 }),
        card(BLOCKED, "Ada", { blocked: true }),
        card("4000000000000003", "Bo", { unit: "GBP" }),
        card("4000000000000004", "Cy", { unit: "JPY" }),
      ],
    },
  ],
  merchants: [
    {
      name: "Flat",
      bank: "Issuer",
      devices: [{ USD: 40_000, JPY: 50_000, KWD: 90_000 }],
      offers: [
        { direction: "buy", unit: "USD", accountUnit: "USD", feeMinor: 100 },
        { direction: "sell", unit: "USD", accountUnit: "USD", feeMinor: 100 },
        { direction: "buy", unit: "USD", accountUnit: "GBP", rate: "network" },
        { direction: "sell", unit: "USD", accountUnit: "GBP", rate: "network", feeMinor: 1 },
        { direction: "buy", unit: "KWD", accountUnit: "JPY", rate: "487.123" },
        { direction: "sell", unit: "KWD", accountUnit: "JPY", rate: "487.123" },
        { direction: "buy", unit: "JPY", accountUnit: "GBP", rate: "network", feeBasisPoints: 50 },
        { direction: "sell", unit: "JPY", accountUnit: "GBP", rate: "network", feeBasisPoints: 50 },
      ],
    },
    {
      name: "Share",
      bank: "Issuer",
      devices: [{}],
      offers: [{ direction: "sell", unit: "USD", accountUnit: "USD", feeBasisPoints: 200 }],
    },
  ],
  people: [{ name: "Ada" }, { name: "Bo" }, { name: "Cy" }],
  actions: [],
};

const trade = (
  direction: "buy" | "sell",
  who: string,
  amount: number,
  number: string,
  unit = "USD",
): EconomyAction => ({ do: direction, who, amount, unit, card: number });

async function cardBalance(world: World, number: string): Promise<number> {
  const sql = "SELECT balance_minor FROM card_accounts WHERE card_number = $1";
  const [row] = await world.base.database.query(sql, [number]);
  return Number(row?.balance_minor);
}

describe("a sale", () => {
  it("goes to the merchant that gives the most, which depends on the amount", () =>
    story(
      ECONOMY,
      [
        trade("buy", "Ada", 20_000, GOOD),
        // 2 % of 40.00 are 0.80, less than 1.00; of 100.00 they are 2.00.
        trade("sell", "Ada", 4_000, GOOD),
        trade("sell", "Ada", 10_000, GOOD),
      ],
      async ([bought, small, large], world) => {
        expect(bought).toMatchObject({ kind: "buy", outcome: "ok", authorized: 20_100 });
        expect(small).toMatchObject({
          kind: "sell",
          outcome: "ok",
          merchant: "Share",
          amount: 4_000,
          authorized: 3_920,
          received: 3_920,
          fee: 80,
          receipt: { direction: "sell", money: 4_000, authorized: 3_920, fee: 80 },
        });
        expect(large).toMatchObject({ merchant: "Flat", authorized: 9_900, fee: 100 });
        expect(await heldBy(world, "Ada")).toEqual({ USD: 6_000 });
        expect(await tills(world, "Share", "USD")).toEqual([4_000]);
        expect(await cardBalance(world, GOOD)).toBe(50_000 - 20_100 + 3_920 + 9_900);
      },
    ));

  it("to a blocked card is refused, voided, and the money stays", () =>
    story(
      ECONOMY,
      [trade("buy", "Ada", 5_000, GOOD), trade("sell", "Ada", 5_000, BLOCKED)],
      async (outcomes, world) => {
        expect(outcomes[1]).toMatchObject({ outcome: "refused", authorized: 0, receipt: null });
        expect(outcomes[1]?.outcome === "refused" && outcomes[1].reason).toMatch(/card is blocked/);
        expect(await heldBy(world, "Ada")).toEqual({ USD: 5_000 });
        const sql = "SELECT state FROM card_transactions WHERE card_number = $1";
        const rows = await world.base.database.query(sql, [BLOCKED]);
        expect(rows.map(({ state }) => state)).toEqual(["refused"]);
      },
    ));

  it("of more than one has is voided, and nothing is posted", () =>
    story(ECONOMY, [trade("sell", "Ada", 5_000, GOOD)], async ([outcome], world) => {
      expect(outcome).toMatchObject({ outcome: "refused", authorized: 0 });
      expect(outcome?.outcome === "refused" && outcome.reason).toMatch(/not enough electronic/);
      expect(await cardBalance(world, GOOD)).toBe(50_000);
    }));
});

describe("two units", () => {
  it("at the network's rate: rounded up for a purchase, down for a sale, both in the receipt", () =>
    story(
      ECONOMY,
      [
        trade("buy", "Bo", 1_001, "4000000000000003"),
        trade("sell", "Bo", 1_001, "4000000000000003"),
      ],
      ([bought, sold]) => {
        // 10.01 dollars at 1.25 for a pound are 8.008 pounds.
        expect(bought).toMatchObject({
          authorized: 801,
          accountUnit: "GBP",
          received: 1_001,
          rate: { numerator: 4, denominator: 5 },
          receipt: { money: 1_001, unit: "USD", authorized: 801, accountUnit: "GBP" },
        });
        expect(sold).toMatchObject({ authorized: 799, fee: 1, received: 799 });
      },
    ));

  it("of no and three decimals, and of no and two", () =>
    story(
      ECONOMY,
      [
        trade("buy", "Cy", 10_001, "4000000000000004", "KWD"),
        trade("sell", "Cy", 10_001, "4000000000000004", "KWD"),
        trade("buy", "Bo", 3_333, "4000000000000003", "JPY"),
        trade("sell", "Bo", 3_333, "4000000000000003", "JPY"),
      ],
      (outcomes) => {
        // 10.001 dinars at 487.123 yen are 4,871.717123 yen.
        expect(outcomes[0]).toMatchObject({ authorized: 4_872, received: 10_001 });
        expect(outcomes[1]).toMatchObject({ authorized: 4_871 });
        // 3,333 yen at 0.005 are 16.665 pounds; half a percent of 16.67 is 0.08335, of 16.66
        // 0.0833.
        expect(outcomes[2]).toMatchObject({ authorized: 1_667 + 9, fee: 9 });
        expect(outcomes[3]).toMatchObject({ authorized: 1_666 - 9, fee: 9 });
      },
    ));
});
