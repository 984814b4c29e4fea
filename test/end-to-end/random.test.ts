// SPDX-License-Identifier: Apache-2.0
// Economies that nobody wrote, from seeds: other banks, merchants, fees, currencies and cards. What
// is bought and refused is checked against a plain model of cards and prices, and the audit holds.
import { describe, expect, it } from "vitest";
import { runAction } from "../../host/economy/actions.ts";
import { audit } from "../../host/economy/audit.ts";
import { type Economy, parseEconomy } from "../../host/economy/economyFile.ts";
import { openWorld } from "../../host/economy/world.ts";
import { memoryWorld } from "../../host/economy/worldSettings.ts";

/** Whole numbers from a seed (xorshift32, Marsaglia 2003). */
function numbers(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const UNITS = ["USD", "EUR", "JPY", "KWD", "MXN"];

function randomEconomy(seed: number): Economy {
  const next = numbers(seed);
  const pick = <Item>(list: readonly Item[]): Item => list[next(list.length)]!;
  const units = [pick(UNITS), pick(UNITS)].filter(
    (unit, index, all) => all.indexOf(unit) === index,
  );
  const people = ["Ann", "Ben", "Cem"].map((name) => ({ name }));
  const cards = people.map(({ name }, index) => ({
    number: `40000000${seed}${index}`.padEnd(16, "7"),
    holder: name,
    kind: pick(["credit", "debit"] as const),
    unit: pick(units),
    balance: next(40_000),
    limit: next(3) === 0 ? 0 : 20_000 + next(60_000),
    expires: pick(["2099-01", "2031-12", "2019-07"]),
    blocked: next(5) === 0,
  }));
  const merchants = ["North", "South", "East"].map((name) => ({
    name,
    bank: pick(["Alpha", "Beta"]),
    devices: [Object.fromEntries(units.map((unit) => [unit, next(90_000)]))],
    offers: units.flatMap((unit) =>
      units.map((accountUnit) => ({
        direction: "buy" as const,
        unit,
        accountUnit,
        feeMinor: next(300),
        feeBasisPoints: next(400),
        rate: pick(["1", "0.875", "1.0001", "13.7"]),
      })),
    ),
  }));
  const actions = Array.from({ length: 8 }, () => {
    const who = pick(people).name;
    const others = people.filter(({ name }) => name !== who);
    return next(2) === 0
      ? {
          do: "pay" as const,
          from: who,
          to: pick(others).name,
          amount: 1 + next(5_000),
          unit: pick(units),
        }
      : {
          do: "buy" as const,
          who,
          amount: 1 + next(30_000),
          unit: pick(units),
          card: cards.find(({ holder }) => holder === who)?.number ?? "",
        };
  });
  return {
    units,
    banks: [{ name: "Alpha", issues: units }, { name: "Beta" }],
    cardIssuers: [{ name: "Gamma", cards }],
    merchants,
    people,
    actions,
  };
}

describe("a random economy", () => {
  it.each([1, 2, 3, 4])("of seed %i keeps every unit", async (seed) => {
    const economy = parseEconomy(JSON.stringify(randomEconomy(seed)), `seed ${seed}`);
    const world = await openWorld(economy, memoryWorld(String(seed)));
    try {
      const money = new Map<string, number>();
      const move = (name: string, unit: string, amount: number) => {
        money.set(`${name} ${unit}`, (money.get(`${name} ${unit}`) ?? 0) + amount);
      };
      for (const action of economy.actions) {
        const outcome = await runAction(world, action);
        if (outcome.outcome === "refused") {
          expect(outcome.reason).toBeTruthy();
          if (outcome.kind === "pay") {
            expect(money.get(`${outcome.from} ${outcome.unit}`) ?? 0).toBeLessThan(outcome.amount);
          }
        } else if (outcome.kind === "pay") {
          move(outcome.from, outcome.unit, -outcome.amount);
          move(outcome.to, outcome.unit, outcome.amount);
        } else if (outcome.kind === "buy") {
          expect(outcome.received).toBe(outcome.amount);
          move(outcome.customer, outcome.unit, outcome.received);
        }
      }
      for (const { name, wallet } of world.people) {
        for (const { unit, spendableMinor } of await wallet.balances()) {
          expect([name, unit, spendableMinor]).toEqual([name, unit, money.get(`${name} ${unit}`)]);
        }
      }
      const closing = await audit(world);
      expect(closing.problems).toEqual([]);
      expect(closing.ok).toBe(true);
    } finally {
      await world.close();
    }
  });
});
