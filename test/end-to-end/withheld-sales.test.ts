// SPDX-License-Identifier: Apache-2.0
// A merchant whose host never posts a sale (docs/protocol.md section 6), in a whole economy: what the
// customer's device can prove makes the card issuer post it, once, and all books agree in the end.
import { afterEach, describe, expect, test, vi } from "vitest";
import { runAction } from "../../host/economy/actions.ts";
import type { EconomyAction } from "../../host/economy/economyActions.ts";
import type { Economy } from "../../host/economy/economyFile.ts";
import { claimSales } from "../../host/economy/withheldSales.ts";
import type { World } from "../../host/economy/world.ts";
import { Acquirer } from "../../host/network/authorization/acquirer.ts";
import { card, inWorld } from "../support/story.ts";

const CARD = "4000000000000001";
const ECONOMY: Economy = {
  units: ["USD"],
  banks: [{ name: "Issuer", issues: ["USD"], accounts: [] }],
  cardIssuers: [{ name: "Cards", cards: [card(CARD, "Ada", { balance: 50_000 })] }],
  merchants: [
    {
      name: "Shop",
      bank: "Issuer",
      devices: [{ USD: 40_000 }],
      offers: [
        { direction: "buy", unit: "USD", accountUnit: "USD" },
        { direction: "sell", unit: "USD", accountUnit: "USD", feeMinor: 100 },
      ],
    },
  ],
  people: [{ name: "Ada" }],
  actions: [],
};

const trade = (direction: "buy" | "sell", amount: number): EconomyAction => {
  return { do: direction, who: "Ada", amount, unit: "USD", card: CARD };
};

async function balance(world: World): Promise<number> {
  const sql = "SELECT balance_minor FROM card_accounts WHERE card_number = $1";
  const [row] = await world.base.database.query(sql, [CARD]);
  return Number(row?.balance_minor);
}

async function shopOwns(world: World): Promise<number> {
  const accounts = await world.merchants[0]!.accounts("USD");
  return accounts.reduce((sum, { balanceMinor }) => sum + balanceMinor, 0);
}

afterEach(() => vi.restoreAllMocks());

describe("a sale that the merchant's host does not post", () => {
  test("is posted by the customer's evidence when the merchant's time is over, and once", () =>
    inWorld(ECONOMY, async (world) => {
      expect(await runAction(world, trade("buy", 20_000))).toMatchObject({ outcome: "ok" });
      expect(await world.settled()).toBe(true);
      const [before, owned] = [await balance(world), await shopOwns(world)];
      // From now on the merchant's host keeps every completion to itself.
      const silent = vi
        .spyOn(Acquirer.prototype, "settle")
        .mockImplementation(() => new Promise(() => undefined));
      expect(await runAction(world, trade("sell", 5_000))).toMatchObject({ outcome: "ok" });
      expect(await balance(world)).toBe(before);
      const [filed] = await claimSales(world, "Ada");
      expect(filed).toMatchObject({ state: "filed", amount: 4_900, unit: "USD", reason: null });
      expect(filed!.until).toMatch(/^\d{4}-\d\d-\d\d$/);
      await runAction(world, { do: "wait", days: 6 });
      expect(await balance(world)).toBe(before);
      // Filed once, it is posted without anybody's doing.
      await runAction(world, { do: "wait", days: 2 });
      expect(await balance(world)).toBe(before + 4_900);
      expect(await shopOwns(world)).toBe(owned - 4_900);
      expect(await claimSales(world, "Ada")).toMatchObject([{ state: "posted", until: null }]);
      await runAction(world, { do: "wait", days: 1 });
      expect(await balance(world)).toBe(before + 4_900);
      expect(await shopOwns(world)).toBe(owned - 4_900);
      // The host comes to its senses: its agent's obligation ends by the same posting.
      silent.mockRestore();
      expect(await world.settled()).toBe(true);
      expect(await balance(world)).toBe(before + 4_900);
    }));

  test("one that was posted is known, and a purchase is not shown", () =>
    inWorld(ECONOMY, async (world) => {
      await runAction(world, trade("buy", 20_000));
      await runAction(world, trade("sell", 5_000));
      expect(await world.settled()).toBe(true);
      const before = await balance(world);
      expect(await claimSales(world, "Ada")).toMatchObject([{ state: "known" }]);
      expect(await balance(world)).toBe(before);
    }));
});
