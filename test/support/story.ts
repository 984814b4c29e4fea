// SPDX-License-Identifier: Apache-2.0
// Whole economies for tests: actions run in a fresh world with the release images, then the audit
// must hold to the last unit.
import { expect } from "vitest";
import { runAction } from "../../host/economy/actions.ts";
import { audit } from "../../host/economy/audit.ts";
import { moduleBalances } from "../../host/economy/banks.ts";
import type { EconomyAction } from "../../host/economy/economyActions.ts";
import { type Economy, type EconomyCard, parseEconomy } from "../../host/economy/economyFile.ts";
import type { ActionOutcome } from "../../host/economy/report.ts";
import { openWorld, type World } from "../../host/economy/world.ts";
import { memoryWorld } from "../../host/economy/worldSettings.ts";

/** A debit card with plenty on it, but for what is changed. */
export function card(number: string, holder: string, more: Partial<EconomyCard> = {}): EconomyCard {
  return {
    number,
    holder,
    kind: "debit",
    unit: "USD",
    balance: 100_000,
    limit: 0,
    expires: "2099-12",
    blocked: false,
    ...more,
  };
}

/** Opens an economy, hands the world over, and audits it at the end. */
export async function inWorld(
  economy: Economy,
  work: (world: World) => Promise<void>,
): Promise<void> {
  const world = await openWorld(parseEconomy(JSON.stringify(economy), "story"), memoryWorld("7"));
  try {
    await work(world);
    const closing = await audit(world);
    expect(closing.problems).toEqual([]);
    expect(closing.ok).toBe(true);
  } finally {
    await world.close();
  }
}

/** Runs actions in a fresh economy and hands over the outcomes and the world. */
export function story(
  economy: Economy,
  actions: readonly EconomyAction[],
  check: (outcomes: ActionOutcome[], world: World) => Promise<void> | void,
): Promise<void> {
  return inWorld(economy, async (world) => {
    const outcomes: ActionOutcome[] = [];
    for (const action of actions) outcomes.push(await runAction(world, action));
    await check(outcomes, world);
  });
}

/** Spendable money of a person by unit, minor units. */
export async function heldBy(world: World, name: string): Promise<Record<string, number>> {
  const person = world.people.find((candidate) => candidate.name === name);
  const balances = (await person?.wallet.balances()) ?? [];
  return Object.fromEntries(balances.map(({ unit, spendableMinor }) => [unit, spendableMinor]));
}

/** Spendable money of a merchant's devices in one unit, in their order. */
export async function tills(world: World, name: string, unit: string): Promise<number[]> {
  const merchant = world.merchants.find((candidate) => candidate.name === name);
  const devices = merchant?.devices ?? [];
  return Promise.all(
    devices.map(async ({ party }) => {
      const balances = await moduleBalances(party);
      return balances.find((balance) => balance.unit === unit)?.spendableMinor ?? 0;
    }),
  );
}
