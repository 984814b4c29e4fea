// SPDX-License-Identifier: Apache-2.0
// Economies that nobody wrote, from seeds: other banks, accounts, merchants, devices, fees,
// currencies and cards, and every kind of action. Who holds what is checked against a plain model
// of what each outcome says, and the audit holds to the last unit.
import { describe, expect, it } from "vitest";
import { runAction } from "../../host/economy/actions.ts";
import { audit } from "../../host/economy/audit.ts";
import type { EconomyAction } from "../../host/economy/economyActions.ts";
import { type Economy, parseEconomy } from "../../host/economy/economyFile.ts";
import type { ActionOutcome } from "../../host/economy/report.ts";
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
  const people = ["Ann", "Ben", "Cem"].map((name) => ({ name, bank: pick(["Alpha", "Beta"]) }));
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
    // One to three devices, so that one is short where the others can help.
    devices: Array.from({ length: 1 + next(3) }, () =>
      Object.fromEntries(units.map((unit) => [unit, next(20_000)])),
    ),
    offers: units.flatMap((unit) =>
      units.flatMap((accountUnit) =>
        (["buy", "sell"] as const).map((direction) => ({
          direction,
          unit,
          accountUnit,
          feeMinor: next(300),
          feeBasisPoints: next(400),
          rate: pick(["1", "0.875", "1.0001", "13.7"]),
        })),
      ),
    ),
  }));
  const owners = [...people, ...merchants].map(({ name }) => name);
  const accounts = () =>
    owners.flatMap((owner) =>
      units.flatMap((unit) =>
        next(2) === 0 ? [] : [{ owner, unit, balance: next(30_000), closed: next(6) === 0 }],
      ),
    );
  const banks = [
    { name: "Alpha", issues: units, accounts: accounts() },
    { name: "Beta", accounts: accounts() },
  ];
  const actions = Array.from({ length: 14 }, (): EconomyAction => {
    const who = pick(people).name;
    const to = pick(people.filter(({ name }) => name !== who)).name;
    const unit = pick(units);
    const amount = 1 + next(9_000);
    const number = cards.find(({ holder }) => holder === who)?.number ?? "";
    const counterUnit = units.find((other) => other !== unit);
    switch (next(10)) {
      case 0:
        return { do: "pay", from: who, to, amount, unit };
      case 1:
        return { do: "pay", from: who, to, amount, unit, request: true };
      case 2:
        return { do: "sell", who, amount, unit, card: number };
      case 3:
        return { do: "deposit", who: pick([who, "North"]), amount, unit };
      case 4:
        return { do: "refresh", who: pick([who, "South"]), unit };
      case 5:
        if (counterUnit === undefined) return { do: "wait", days: 1 };
        return { do: "exchange", from: who, to, amount, unit, counterUnit, rate: "0.777" };
      case 6:
      case 7:
        return { do: "withdraw", who: pick([who, who, "East"]), amount, unit };
      default:
        return { do: "buy", who, amount: 3 * amount, unit, card: number };
    }
  });
  return {
    units,
    banks,
    cardIssuers: [{ name: "Gamma", cards }],
    merchants,
    people,
    actions,
  };
}

/** What an outcome moved, told to `move`. */
function bookOutcome(
  outcome: ActionOutcome,
  move: (name: string, unit: string, amount: number) => void,
): void {
  switch (outcome.kind) {
    case "buy":
      expect(outcome.received).toBe(outcome.amount);
      move(outcome.customer, outcome.unit, outcome.amount);
      break;
    case "sell":
      move(outcome.customer, outcome.unit, -outcome.amount);
      break;
    case "pay":
      move(outcome.from, outcome.unit, -outcome.amount);
      move(outcome.to, outcome.unit, outcome.amount);
      break;
    case "exchange":
      move(outcome.from, outcome.unit, -outcome.amount);
      move(outcome.to, outcome.unit, outcome.amount);
      move(outcome.to, outcome.counterUnit, -outcome.counterAmount);
      move(outcome.from, outcome.counterUnit, outcome.counterAmount);
      break;
    case "withdraw":
      move(outcome.who, outcome.unit, outcome.amount);
      break;
    case "deposit":
      move(outcome.who, outcome.unit, -outcome.amount);
  }
}

describe("a random economy", () => {
  it.each([1, 2, 3, 4])("of seed %i keeps every unit", async (seed) => {
    const economy = parseEconomy(JSON.stringify(randomEconomy(seed)), `seed ${seed}`);
    const world = await openWorld(economy, memoryWorld(String(seed)));
    try {
      const money = new Map<string, number>();
      const has = (name: string, unit: string) => money.get(`${name} ${unit}`) ?? 0;
      const move = (name: string, unit: string, amount: number) => {
        money.set(`${name} ${unit}`, has(name, unit) + amount);
      };
      for (const action of economy.actions) {
        const outcome = await runAction(world, action);
        if (outcome.outcome === "ok") {
          bookOutcome(outcome, move);
          continue;
        }
        expect(outcome.reason).toBeTruthy();
        // A payment is refused for lack of money alone.
        if (outcome.kind === "pay") {
          expect(has(outcome.from, outcome.unit)).toBeLessThan(outcome.amount);
        }
      }
      for (const { name, wallet } of world.people) {
        for (const { unit, spendableMinor } of await wallet.balances()) {
          expect([name, unit, spendableMinor]).toEqual([name, unit, has(name, unit)]);
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
