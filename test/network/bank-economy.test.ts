// SPDX-License-Identifier: Apache-2.0
// Banks over the real images: money that people bring back goes from the teller to its issuer's
// generator by itself, is reconciled there, and every book agrees (docs/protocol.md section 6).
import { describe, expect, it } from "vitest";
import { RequestKind } from "../../host/application/hostPort.ts";
import { audit } from "../../host/economy/audit.ts";
import { accountName, askBank, type Bank, moduleId, withdraw } from "../../host/economy/banks.ts";
import { parseEconomy } from "../../host/economy/economyFile.ts";
import { openWorld, type World } from "../../host/economy/world.ts";
import { memoryWorld } from "../../host/economy/worldSettings.ts";

/** One bank that issues and one that does not, and a person with an account at the latter. */
const ECONOMY = {
  units: ["EUR"],
  banks: [
    { name: "Issuer", issues: ["EUR"], accounts: [{ owner: "Ann", unit: "EUR", balance: 50_000 }] },
    { name: "Other", accounts: [{ owner: "Ann", unit: "EUR", balance: 70_000 }] },
  ],
  cardIssuers: [],
  merchants: [],
  people: [{ name: "Ann" }, { name: "Ben" }],
  actions: [],
};

const ANN = accountName("Ann", "EUR");

async function inWorld(work: (world: World, issuer: Bank, other: Bank) => Promise<void>) {
  const alarms: string[] = [];
  const settings = memoryWorld("banks", { alarm: (text) => alarms.push(text) });
  const world = await openWorld(parseEconomy(JSON.stringify(ECONOMY), "test"), settings);
  try {
    const [issuer, other] = world.banks as [Bank, Bank];
    const [ann] = world.people;
    for (const bank of world.banks) await bank.service.admit(ANN, moduleId(ann!.party));
    await work(world, issuer, other);
    expect(alarms).toEqual([]);
    const closing = await audit(world);
    expect(closing.problems).toEqual([]);
    expect(closing.ok).toBe(true);
  } finally {
    await world.close();
  }
}

async function balanceOf(bank: Bank, account: string): Promise<number> {
  const { accounts } = await bank.service.report();
  return accounts.find((each) => each.account === account)?.balanceMinor ?? 0;
}

async function euro(bank: Bank) {
  return (await bank.service.report()).totals.find(({ unit }) => unit === "EUR")!;
}

describe("banks over the real images", () => {
  it("make notes on demand and take them back, each leaf once", async () => {
    await inWorld(async (world, issuer, other) => {
      const [ann, ben] = world.people as [World["people"][0], World["people"][0]];
      const take = (bank: Bank, amountMinor: number) =>
        withdraw(world.base, bank, { party: ann.party, account: ANN, amountMinor, unit: "EUR" });
      await take(issuer, 5_000);
      await take(other, 7_000);
      expect(await euro(issuer)).toMatchObject({ issuedMinor: 12_000, redeemedMinor: 0 });
      await ann.wallet.pay(ben.party.url, 6_000, "EUR");
      await world.settled();
      // Any module pays into any open account, as with cash.
      for (const [party, amountMinor] of [
        [ben.party, 2_500],
        [ann.party, 6_000],
      ] as const) {
        const { DEPOSIT } = RequestKind;
        const order = { party, request: DEPOSIT, amountMinor, unit: "EUR", account: ANN };
        expect(await askBank(world.base, other, order)).toMatchObject({ state: "committed" });
        await world.settled();
      }
      expect(await balanceOf(other, ANN)).toBe(70_000 - 7_000 + 8_500);
      expect(await euro(issuer)).toMatchObject({
        issuedMinor: 12_000,
        redeemedMinor: 8_500,
        reconciledMinor: 8_500,
        lostMinor: 0,
      });
      expect(await euro(other)).toMatchObject({ onHandMinor: 0, inTransitMinor: 0 });
      expect(await balanceOf(other, "deposit-at-correspondent:Issuer:EUR")).toBe(8_500);
      expect(await balanceOf(issuer, "deposit-of-correspondent:Other:EUR")).toBe(8_500);
      const leaves = await world.base.ledger.leaves("Issuer");
      expect(leaves.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(8_500);
      expect(leaves.every(({ transferor }) => transferor === moduleId(other.teller))).toBe(true);
    });
  });

  it("make fresh notes for old ones in one commit, and send the old ones back", async () => {
    await inWorld(async (world, issuer, other) => {
      const [ann] = world.people as [World["people"][0]];
      const { party } = ann;
      await withdraw(world.base, issuer, { party, account: ANN, amountMinor: 5_000, unit: "EUR" });
      const { REFRESH } = RequestKind;
      const order = { party, request: REFRESH, amountMinor: 9_000, unit: "EUR", account: null };
      expect(await askBank(world.base, other, order)).toMatchObject({ state: "committed" });
      await world.settled();
      expect(await ann.wallet.balances()).toMatchObject([{ unit: "EUR", spendableMinor: 5_000 }]);
      expect(await euro(issuer)).toMatchObject({
        issuedMinor: 10_000,
        redeemedMinor: 5_000,
        reconciledMinor: 5_000,
      });
      // Nothing moved between accounts: what the fresh notes cost came back with the old ones.
      expect(await balanceOf(other, ANN)).toBe(70_000);
      expect(await balanceOf(other, "deposit-at-correspondent:Issuer:EUR")).toBe(5_000);
    });
  });

  it("have two customers at once, with an empty stock", async () => {
    await inWorld(async (world, issuer) => {
      const [ann, ben] = world.people as [World["people"][0], World["people"][0]];
      await issuer.service.admit(ANN, moduleId(ben.party));
      const order = { request: RequestKind.WITHDRAW, unit: "EUR", account: ANN } as const;
      const ends = await Promise.all(
        [
          { party: ann.party, amountMinor: 700 },
          { party: ben.party, amountMinor: 800 },
        ].map((what) => askBank(world.base, issuer, { ...order, ...what })),
      );
      await world.settled();
      // The teller has room for both of them and one order at a time.
      expect(ends.map(({ state }) => state)).toEqual(["committed", "committed"]);
      expect(await balanceOf(issuer, ANN)).toBe(50_000 - 1_500);
    });
  });

  it("and everybody else no longer deal with a module that is on the list", async () => {
    await inWorld(async (world, issuer) => {
      const [ann, ben] = world.people as [World["people"][0], World["people"][0]];
      const { party } = ann;
      await withdraw(world.base, issuer, { party, account: ANN, amountMinor: 900, unit: "EUR" });
      await world.base.distrustModule(party.certified.module!.subject);
      const paid = await ann.wallet.pay(ben.party.url, 100, "EUR");
      expect(paid).toMatchObject({ state: "aborted" });
      const order = { party, amountMinor: 5, unit: "EUR", account: ANN };
      await expect(withdraw(world.base, issuer, order)).rejects.toThrow(/Issuer did not pay/);
      // Told again, as at each start: nothing changes.
      await world.base.distrustModule(party.certified.module!.subject);
      expect(world.base.agencies.module.listVersion).toBe(2);
    });
  });

  it("refuse a deposit to an account that is closed or that they do not know", async () => {
    await inWorld(async (world, issuer) => {
      const [ann] = world.people as [World["people"][0]];
      const { party } = ann;
      await withdraw(world.base, issuer, { party, account: ANN, amountMinor: 900, unit: "EUR" });
      await issuer.service.closeAccount(ANN);
      for (const account of [ANN, "Nobody:EUR"]) {
        const { DEPOSIT } = RequestKind;
        const order = { party, request: DEPOSIT, amountMinor: 900, unit: "EUR", account };
        const result = await askBank(world.base, issuer, order);
        expect(result).toMatchObject({ state: "aborted", reasonNumber: 44 });
      }
      expect(await ann.wallet.balances()).toMatchObject([{ unit: "EUR", spendableMinor: 900 }]);
    });
  });
});
