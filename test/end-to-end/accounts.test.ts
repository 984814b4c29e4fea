// SPDX-License-Identifier: Apache-2.0
// What people and merchants do at banks in whole economies: withdraw, deposit, have old notes made
// fresh; the bank's books, the modules and the audit agree after each.
import { describe, expect, it } from "vitest";
import type { EconomyAction } from "../../host/economy/economyActions.ts";
import type { Economy } from "../../host/economy/economyFile.ts";
import type { World } from "../../host/economy/world.ts";
import { onStep } from "../../host/patent/step.ts";
import { card, heldBy, story, tills } from "../support/story.ts";

const ECONOMY: Economy = {
  units: ["USD", "EUR"],
  banks: [
    {
      name: "Issuer",
      issues: ["USD", "EUR"],
      accounts: [
        { owner: "Ada", unit: "USD", balance: 10_000 },
        { owner: "Bo", unit: "USD", balance: 700, closed: true },
      ],
    },
    {
      name: "Branch",
      accounts: [
        { owner: "Ada", unit: "EUR", balance: 3_000 },
        { owner: "Shop", unit: "USD", balance: 5_000 },
      ],
    },
  ],
  cardIssuers: [{ name: "Cards", cards: [card("4000000000000001", "Ada")] }],
  merchants: [
    {
      name: "Shop",
      bank: "Branch",
      devices: [{ USD: 1_000 }, { USD: 4_000 }],
      offers: [{ direction: "buy", unit: "USD", accountUnit: "USD" }],
    },
  ],
  people: [{ name: "Ada" }, { name: "Bo" }, { name: "Cy", bank: "Branch" }],
  actions: [],
};

const account = (
  kind: "withdraw" | "deposit",
  who: string,
  amount: number,
  more: { unit?: string; bank?: string; account?: string } = {},
): EconomyAction => ({ do: kind, who, amount, unit: "USD", ...more });

async function balance(world: World, bank: string, name: string): Promise<number | undefined> {
  return (await world.base.ledger.account(bank, name))?.balanceMinor;
}

describe("accounts", () => {
  it("give electronic money and take it back, at any bank, for people and merchants", () =>
    story(
      ECONOMY,
      [
        account("withdraw", "Ada", 6_000),
        account("withdraw", "Ada", 2_500, { unit: "EUR" }),
        { do: "pay", from: "Ada", to: "Cy", amount: 1_500, unit: "USD" },
        account("deposit", "Cy", 1_200),
        account("deposit", "Ada", 300, { bank: "Branch", account: "Cy:USD" }),
        account("withdraw", "Shop", 2_000),
        account("deposit", "Shop", 5_500),
      ],
      async (outcomes, world) => {
        expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(7).fill("ok"));
        expect(outcomes[0]).toMatchObject({
          kind: "withdraw",
          bank: "Issuer",
          account: "Ada:USD",
          amount: 6_000,
          received: 6_000,
        });
        expect(outcomes[1]).toMatchObject({ bank: "Branch", unit: "EUR" });
        expect(await balance(world, "Issuer", "Ada:USD")).toBe(4_000);
        expect(await balance(world, "Branch", "Ada:EUR")).toBe(500);
        expect(await balance(world, "Branch", "Cy:USD")).toBe(1_500);
        expect(await balance(world, "Branch", "Shop:USD")).toBe(5_000 - 2_000 + 5_500);
        expect(await heldBy(world, "Ada")).toEqual({ USD: 4_200, EUR: 2_500 });
        expect((await tills(world, "Shop", "USD")).reduce((a, b) => a + b)).toBe(1_500);
      },
    ));

  it("refuse in one sentence, and nothing is moved", () =>
    story(
      ECONOMY,
      [
        account("withdraw", "Ada", 10_001),
        account("withdraw", "Ada", 100, { account: "Shop:USD", bank: "Branch" }),
        account("withdraw", "Cy", 1, { bank: "Issuer" }),
        account("withdraw", "Bo", 100),
        account("deposit", "Bo", 1),
        account("deposit", "Shop", 5_001),
        { do: "refresh", who: "Ada", unit: "USD", amount: 5 },
        account("withdraw", "Ada", 500),
        account("deposit", "Ada", 500, { account: "Bo:USD", bank: "Issuer" }),
        account("deposit", "Ada", 500, { account: "Nobody:USD", bank: "Issuer" }),
      ],
      async (outcomes, world) => {
        const reasons = outcomes.map((o) => (o.outcome === "refused" ? (o.reason ?? "") : "ok"));
        expect(reasons).toEqual([
          expect.stringMatching(/account/),
          expect.stringMatching(/account/),
          "Cy has no account in USD at Issuer",
          expect.stringMatching(/account/),
          expect.stringMatching(/not enough electronic money/),
          expect.stringMatching(/not enough electronic money/),
          expect.stringMatching(/not enough electronic money/),
          "ok",
          expect.stringMatching(/account/),
          expect.stringMatching(/account/),
        ]);
        expect(await balance(world, "Issuer", "Ada:USD")).toBe(9_500);
        expect(await balance(world, "Issuer", "Bo:USD")).toBe(700);
        expect(await heldBy(world, "Ada")).toEqual({ USD: 500 });
      },
    ));

  it("take expired money for thirty days more, and nobody else takes it", () =>
    story(
      ECONOMY,
      [
        account("withdraw", "Ada", 3_000),
        { do: "wait", days: 91 },
        { do: "pay", from: "Ada", to: "Cy", amount: 1_000, unit: "USD" },
        account("deposit", "Ada", 1_000),
        { do: "wait", days: 30 },
        account("deposit", "Ada", 1_000),
      ],
      async (outcomes, world) => {
        const states = outcomes.map(({ outcome }) => outcome);
        expect(states).toEqual(["ok", "ok", "refused", "ok", "ok", "refused"]);
        expect(await balance(world, "Issuer", "Ada:USD")).toBe(8_000);
        const totals = (await world.banks[0]!.service.report()).totals;
        expect(totals.find(({ unit }) => unit === "USD")).toMatchObject({ redeemedMinor: 1_000 });
      },
    ));

  it("make old money fresh: all of it, or as much as is named, for people and merchants", () =>
    story(
      ECONOMY,
      [
        account("withdraw", "Ada", 3_000),
        account("withdraw", "Ada", 200, { unit: "EUR" }),
        { do: "wait", days: 91 },
        { do: "refresh", who: "Ada", unit: "USD", amount: 1_100 },
        { do: "pay", from: "Ada", to: "Cy", amount: 1_101, unit: "USD" },
        { do: "pay", from: "Ada", to: "Cy", amount: 1_100, unit: "USD" },
        { do: "refresh", who: "Ada", bank: "Branch" },
        { do: "refresh", who: "Shop" },
        { do: "refresh", who: "Bo" },
      ],
      async (outcomes, world) => {
        const [, , , some, tooMuch, paid, all, shop, nothing] = outcomes;
        expect(some).toMatchObject({ kind: "refresh", bank: "Issuer", refreshed: { USD: 1_100 } });
        expect(tooMuch?.outcome === "refused" && tooMuch.reason).toMatch(/USD 19.00 must be refr/);
        expect(paid).toMatchObject({ outcome: "ok" });
        expect(all).toMatchObject({ bank: "Branch", refreshed: { USD: 1_900, EUR: 200 } });
        expect(shop).toMatchObject({ bank: "Branch", refreshed: { USD: 5_000 } });
        expect(nothing).toMatchObject({ outcome: "ok", refreshed: {} });
        expect(await heldBy(world, "Ada")).toEqual({ USD: 1_900, EUR: 200 });
        expect(await tills(world, "Shop", "USD")).toEqual([1_000, 4_000]);
      },
    ));

  it.each([
    ["server", true],
    ["none", false],
  ] as const)("are reached by the network: %s", async (network, isByServer) => {
    const seen: number[] = [];
    const stop = onStep((_who, step) => seen.push(step));
    try {
      const actions = [account("withdraw", "Ada", 100), { do: "wait", days: 2 } as const];
      await story(
        { ...ECONOMY, network },
        [...actions, account("deposit", "Ada", 100)],
        (outcomes) => {
          // An access ends after a day; the module signs on anew.
          expect(outcomes.map(({ outcome }) => outcome)).toEqual(["ok", "ok", "ok"]);
        },
      );
    } finally {
      stop();
    }
    expect([1472, 1474, 1478].every((step) => seen.includes(step))).toBe(isByServer);
  });
});
