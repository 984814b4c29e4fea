// SPDX-License-Identifier: Apache-2.0
// A merchant short of money (Fig. 7, 724-748) in whole economies: its other devices pay first, then
// a bank pays out, else the purchase ends with nothing moved. The audit holds in each.
import { describe, expect, it } from "vitest";
import { trade } from "../../host/economy/trades.ts";
import type { Economy } from "../../host/economy/economyFile.ts";
import { card, heldBy, inWorld, story, tills } from "../support/story.ts";

const ADA = "4000000000000001";
const BO = "4000000000000002";

/** One merchant with three devices, and accounts at two banks. */
function economy(devices: number[], accounts: [number, number]): Economy {
  return {
    units: ["USD"],
    banks: [
      {
        name: "Issuer",
        issues: ["USD"],
        accounts: [{ owner: "Shop", unit: "USD", balance: accounts[0] }],
      },
      { name: "Other", accounts: [{ owner: "Shop", unit: "USD", balance: accounts[1] }] },
    ],
    cardIssuers: [{ name: "Cards", cards: [card(ADA, "Ada"), card(BO, "Bo")] }],
    merchants: [
      {
        name: "Shop",
        bank: "Issuer",
        devices: devices.map((USD) => ({ USD })),
        offers: [{ direction: "buy", unit: "USD", accountUnit: "USD" }],
      },
    ],
    people: [{ name: "Ada" }, { name: "Bo" }],
    actions: [],
  };
}

const buy = (who: string, amount: number) =>
  ({ do: "buy", who, amount, unit: "USD", card: who === "Ada" ? ADA : BO }) as const;

describe("a merchant short of money", () => {
  it("is paid by its other devices, and by a bank what they do not have", () =>
    story(
      economy([1_000, 2_000, 3_000], [500, 40_000]),
      [buy("Ada", 2_500), buy("Bo", 3_000), buy("Ada", 20_000), buy("Bo", 60_000)],
      async (outcomes, world) => {
        expect(outcomes.map(({ outcome }) => outcome)).toEqual(["ok", "ok", "ok", "refused"]);
        const [, , large, tooLarge] = outcomes;
        expect(large).toMatchObject({
          received: 20_000,
          topUps: [{ from: "account Shop:USD at Other", outcome: "ok" }],
        });
        expect(tooLarge?.outcome === "refused" && tooLarge.reason).toMatch(/no merchant offers/);
        // 60.00 in the devices and 400.00 at the other bank; 255.00 were sold.
        const left = (await tills(world, "Shop", "USD")).reduce((a, b) => a + b, 0);
        const account = await world.base.ledger.account("Other", "Shop:USD");
        expect(left + (account?.balanceMinor ?? 0)).toBe(6_000 + 40_000 - 25_500);
        expect(await heldBy(world, "Ada")).toEqual({ USD: 22_500 });
      },
    ));

  it("serves two customers at once, each with what the other one leaves", () =>
    inWorld(economy([100, 100, 9_800], [0, 0]), async (world) => {
      const outcomes = await Promise.all([
        trade(world, buy("Ada", 6_000)),
        trade(world, buy("Bo", 6_000)),
      ]);
      const states = outcomes.map(({ outcome }) => outcome).sort();
      expect(states).toEqual(["ok", "refused"]);
      const left = (await tills(world, "Shop", "USD")).reduce((a, b) => a + b, 0);
      expect(left).toBe(4_000);
    }));
});
