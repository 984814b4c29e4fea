// SPDX-License-Identifier: Apache-2.0
// Whole economies over the real link, WebSockets and TCP, with the release images: what people do
// comes out as ordered, refusals leave no trace, and the audit holds to the last unit.
import { describe, expect, it } from "vitest";
import { runAction } from "../../host/economy/actions.ts";
import { audit } from "../../host/economy/audit.ts";
import { type Economy, type EconomyCard, parseEconomy } from "../../host/economy/economyFile.ts";
import type { ActionOutcome } from "../../host/economy/report.ts";
import { openWorld, type World } from "../../host/economy/world.ts";
import { memoryWorld } from "../../host/economy/worldSettings.ts";
import type { CardTransaction } from "../../host/network/authorization/issuerBooks.ts";
import { sqlIssuerStore } from "../../host/network/bank/sqlIssuerStore.ts";

const card = (number: string, holder: string, more: Partial<EconomyCard> = {}): EconomyCard => ({
  number,
  holder,
  kind: "debit",
  unit: "USD",
  balance: 100_000,
  limit: 0,
  expires: "2099-12",
  blocked: false,
  ...more,
});

const ECONOMY: Economy = {
  units: ["USD", "JPY"],
  banks: [
    { name: "Issuer", issues: ["USD", "JPY"], accounts: [] },
    { name: "Correspondent", accounts: [{ owner: "Far Shop", unit: "USD", balance: 70_000 }] },
  ],
  cardIssuers: [
    {
      name: "First Cards",
      cards: [
        card("4000000000000001", "Ada"),
        card("4000000000000002", "Ada", { blocked: true }),
        card("4000000000000003", "Ada", { kind: "credit", balance: 90_000, limit: 100_000 }),
        card("4000000000000004", "Ada", { balance: 1_000_000, limit: 5_000 }),
        card("4000000000000005", "Ada", { expires: "2020-01" }),
        card("4000000000000006", "Ada", { unit: "GBP" }),
      ],
    },
    { name: "Second Cards", cards: [card("5000000000000001", "Bo", { unit: "EUR" })] },
  ],
  merchants: [
    {
      name: "Near Shop",
      bank: "Issuer",
      devices: [{ USD: 30_000, JPY: 9_000 }],
      offers: [
        { direction: "buy", unit: "USD", accountUnit: "USD", feeMinor: 10, feeBasisPoints: 300 },
        { direction: "buy", unit: "JPY", accountUnit: "EUR", feeMinor: 5, rate: "0.0061" },
      ],
    },
    {
      name: "Far Shop",
      bank: "Correspondent",
      devices: [{ USD: 20_000 }, { USD: 50_000 }],
      offers: [{ direction: "buy", unit: "USD", accountUnit: "USD", feeMinor: 200 }],
    },
  ],
  people: [{ name: "Ada" }, { name: "Bo" }, { name: "Cy" }],
  actions: [],
};

type Action = Parameters<typeof runAction>[1];
const buy = (
  who: string,
  amount: number,
  unit: string,
  number: string,
  merchant?: string,
): Action =>
  ({ do: "buy", who, amount, unit, card: number, ...(merchant ? { merchant } : {}) }) as Action;
const pay = (from: string, to: string, amount: number, unit: string): Action => {
  return { do: "pay", from, to, amount, unit };
};

/** Runs actions in a fresh economy and hands over the outcomes and the world. */
async function story(
  actions: Action[],
  check: (outcomes: ActionOutcome[], world: World) => Promise<void> | void,
): Promise<void> {
  const economy = parseEconomy(JSON.stringify(ECONOMY), "story");
  const world = await openWorld(economy, memoryWorld("7"));
  try {
    const outcomes: ActionOutcome[] = [];
    for (const action of actions) outcomes.push(await runAction(world, action));
    await check(outcomes, world);
    const closing = await audit(world);
    expect(closing.problems).toEqual([]);
    expect(closing.ok).toBe(true);
  } finally {
    await world.close();
  }
}

async function held(world: World, name: string): Promise<Record<string, number>> {
  const person = world.people.find((candidate) => candidate.name === name);
  const balances = (await person?.wallet.balances()) ?? [];
  return Object.fromEntries(balances.map(({ unit, spendableMinor }) => [unit, spendableMinor]));
}

describe("an economy", () => {
  it("buys from the cheapest merchant, which depends on the amount", () =>
    story(
      [
        // 3 % of 50.00 and 10 cents are 1.60, less than 2.00; of 150.00 they are 4.60.
        buy("Ada", 5_000, "USD", "4000000000000001"),
        buy("Ada", 15_000, "USD", "4000000000000001"),
      ],
      async (outcomes, world) => {
        expect(outcomes[0]).toMatchObject({
          outcome: "ok",
          merchant: "Near Shop",
          authorized: 5_160,
          fee: 160,
          received: 5_000,
        });
        expect(outcomes[1]).toMatchObject({ outcome: "ok", merchant: "Far Shop", fee: 200 });
        expect(await held(world, "Ada")).toEqual({ USD: 20_000 });
      },
    ));

  it("converts between units, in the merchant's favour by less than one minor unit", () =>
    story([buy("Bo", 3_333, "JPY", "5000000000000001")], (outcomes) => {
      // 3,333 yen at 0.0061 are 20.3313 euros: 20.34, and 5 cents.
      expect(outcomes[0]).toMatchObject({ outcome: "ok", authorized: 2_039, fee: 5 });
    }));

  it("passes money from hand to hand, with change, off-line", () =>
    story(
      [
        buy("Ada", 10_000, "USD", "4000000000000001"),
        pay("Ada", "Bo", 7_777, "USD"),
        pay("Bo", "Cy", 5_555, "USD"),
        pay("Cy", "Ada", 1, "USD"),
        pay("Cy", "Bo", 554, "USD"),
        pay("Ada", "Bo", 2_224, "USD"),
      ],
      async (outcomes, world) => {
        expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(6).fill("ok"));
        expect(await held(world, "Ada")).toEqual({});
        expect(await held(world, "Bo")).toEqual({ USD: 5_000 });
        expect(await held(world, "Cy")).toEqual({ USD: 5_000 });
      },
    ));

  it.each([
    ["blocked", "4000000000000002", 1_000, /the card is blocked \(response code 62\)/],
    ["over its credit", "4000000000000003", 20_000, /limit/i],
    ["over its limit for one purchase", "4000000000000004", 9_000, /limit/i],
    ["without the money", "4000000000000001", 99_999, /no merchant offers|insufficient/i],
    ["expired", "4000000000000005", 1_000, /has expired \(2020-01\)/],
    ["in a unit that nobody takes", "4000000000000006", 1_000, /card account in GBP/],
    ["of somebody else", "5000000000000001", 1_000, /is not Ada's/],
    ["that never was", "4999999999999999", 1_000, /no card 4999999999999999 was ever issued/],
  ])("refuses a card %s and leaves no trace", (_, number, amount, reason) =>
    story([buy("Ada", amount, "USD", number)], async (outcomes, world) => {
      expect(outcomes[0]).toMatchObject({ outcome: "refused", received: 0, authorized: 0 });
      expect(outcomes[0]?.reason).toMatch(reason);
      expect(await held(world, "Ada")).toEqual({});
      const receipts = await world.people[0]?.wallet.receipts();
      expect(receipts).toEqual([]);
      const rows = await world.base.database.query(
        "SELECT * FROM card_transactions WHERE state IN ('held', 'posted')",
      );
      expect(rows).toEqual([]);
    }),
  );

  it("goes on after refusals: the same people buy and pay", () =>
    story(
      [
        buy("Ada", 1_000, "USD", "4000000000000002"),
        pay("Ada", "Bo", 1_000, "USD"),
        buy("Ada", 1_000, "USD", "4000000000000001", "Far Shop"),
        pay("Ada", "Bo", 1_001, "USD"),
        pay("Ada", "Bo", 1_000, "USD"),
      ],
      async (outcomes, world) => {
        expect(outcomes.map(({ outcome }) => outcome)).toEqual([
          "refused",
          "refused",
          "ok",
          "refused",
          "ok",
        ]);
        expect(outcomes[1]?.reason).toMatch(/not enough electronic money/);
        expect(await held(world, "Bo")).toEqual({ USD: 1_000 });
      },
    ));

  it("gives back what is held for an order that nobody settles, once its time is over", () =>
    story([], async (_, world) => {
      const cardNumber = "5000000000000001";
      const mandateHash = "ab".repeat(32);
      const store = sqlIssuerStore(world.base.database);
      const records = () => store.load({ cardNumber, mandateHash });
      const { account } = await records();
      const transaction: CardTransaction = {
        ...{ mandateHash, customerAgentId: "c", transactionId: "t", merchantAgentId: "m" },
        ...{ cardNumber, direction: "buy", amountMinor: 500, unit: "EUR", code: "00" },
        ...{ untilS: world.base.nowSeconds() + 3_600, provenS: 0, state: "held" },
      };
      await store.apply([
        { kind: "putAccount", account: { ...account!, heldDebitMinor: 500 } },
        { kind: "putTransaction", transaction },
      ]);
      await runAction(world, { do: "wait", days: 1 });
      expect((await records()).account).toMatchObject({ heldDebitMinor: 0 });
      expect((await records()).transaction).toMatchObject({ state: "lapsed" });
    }));
});
