// SPDX-License-Identifier: Apache-2.0
// A merchant whose host never posts a sale (docs/protocol.md section 6), in a whole economy: what the
// customer's device can prove makes the card issuer post it, once, and all books agree in the end.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MailCarrier } from "../../host/application/mailCarrier.ts";
import type { listenForPeers } from "../../host/device/communications.ts";
import type { BodyListener } from "../../host/device/peer.ts";
import { moduleBalances } from "../../host/economy/banks.ts";
import { runAction } from "../../host/economy/actions.ts";
import type { EconomyAction } from "../../host/economy/economyActions.ts";
import type { Economy } from "../../host/economy/economyFile.ts";
import { claimSales, settleSales } from "../../host/economy/withheldSales.ts";
import type { World } from "../../host/economy/world.ts";
import { Acquirer } from "../../host/network/authorization/acquirer.ts";
import { MailClient } from "../../host/network/bank/mailClient.ts";
import { card, inWorld, tills } from "../support/story.ts";

/** Whether a host that is listened at gives its device a body; all do unless a test says otherwise. */
let passes: (() => Promise<boolean>) | undefined;

vi.mock(import("../../host/device/communications.ts"), async (original) => {
  const real = await original();
  const gated: typeof listenForPeers = (options, accept) =>
    real.listenForPeers(options, (peer, path) => {
      const onBody = (receive: BodyListener) => {
        let before = Promise.resolve();
        peer.onBody((channel, body) => {
          if (passes === undefined) return receive(channel, body);
          before = before.then(async () => {
            if (await passes?.()) receive(channel, body);
          });
        });
      };
      accept({ ...peer, onBody }, path);
    });
  return { ...real, listenForPeers: gated };
});

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

/** What the merchant's module has in doubt, minor units. */
async function shopDoubts(world: World): Promise<number> {
  const balances = await moduleBalances(world.merchants[0]!.devices[0]!.party);
  return balances.reduce((sum, { inDoubtMinor }) => sum + inDoubtMinor, 0);
}

beforeEach(() => {
  passes = undefined;
});
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
      const unsettled = vi.spyOn(world, "settled").mockResolvedValue(false);
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
      unsettled.mockRestore();
      expect(await world.settled()).toBe(true);
      expect(await balance(world)).toBe(before + 4_900);
    }));

  test("is posted where the host drops all behind Ready-to-Commit, and its module has the money", () => {
    const started = vi.spyOn(MailCarrier.prototype, "start").mock.contexts;
    return inWorld(ECONOMY, async (world) => {
      await runAction(world, trade("buy", 20_000));
      expect(await world.settled()).toBe(true);
      const [before, owned] = [await balance(world), await shopOwns(world)];
      const [till] = await tills(world, "Shop", "USD");
      // From Ready-to-Commit on the merchant's device hears nothing, not even by mail.
      passes = async () => (await shopDoubts(world)) === 0;
      const unsettled = vi.spyOn(world, "settled").mockResolvedValue(false);
      const deaf = vi.spyOn(MailClient.prototype, "fetch").mockRejectedValue(new Error("deaf"));
      await runAction(world, trade("sell", 5_000));
      expect(await shopDoubts(world)).toBe(5_000);
      expect(await claimSales(world, "Ada")).toMatchObject([{ state: "filed", amount: 4_900 }]);
      await runAction(world, { do: "wait", days: 8 });
      expect(await balance(world)).toBe(before + 4_900);
      expect(await shopOwns(world)).toBe(owned - 4_900);
      expect([await shopDoubts(world), await tills(world, "Shop", "USD")]).toEqual([5_000, [till]]);
      // Ada, the last to be served, is never heard of again; the merchant's host looks for mail.
      unsettled.mockRestore();
      deaf.mockRestore();
      const carriers = [...started] as MailCarrier[];
      carriers.at(-1)!.close();
      for (const carrier of carriers) carrier.start();
      const ended = async () => {
        await settleSales(world);
        expect(await shopDoubts(world)).toBe(0);
      };
      await vi.waitFor(ended, { timeout: 90_000, interval: 100 });
      expect(await world.settled()).toBe(true);
      expect(await tills(world, "Shop", "USD")).toEqual([till! + 5_000]);
      expect(await balance(world)).toBe(before + 4_900);
      expect(await shopOwns(world)).toBe(owned - 4_900);
    });
  });

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
