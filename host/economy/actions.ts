// SPDX-License-Identifier: Apache-2.0
// What people and merchants do in an economy. Each action gives an outcome; a refusal names its
// reason and moves nothing.
import { refresh, useAccount } from "./bankActions.ts";
import { settleClaims } from "./claims.ts";
import { releaseLapsedHolds } from "./cards.ts";
import { settleSales } from "./withheldSales.ts";
import type { EconomyAction, WaitAction } from "./economyActions.ts";
import { publishOffers } from "./offers.ts";
import { exchange, pay } from "./payments.ts";
import type { ActionOutcome, WaitOutcome } from "./report.ts";
import { trade } from "./trades.ts";
import type { World } from "./world.ts";

/** Does one action of an economy file. @throws {UnknownNameError} when a name is wrong */
export function runAction(world: World, action: EconomyAction): Promise<ActionOutcome> {
  switch (action.do) {
    case "buy":
    case "sell":
      return trade(world, action);
    case "pay":
      return pay(world, action);
    case "exchange":
      return exchange(world, action);
    case "withdraw":
    case "deposit":
      return useAccount(world, action);
    case "refresh":
      return refresh(world, action);
    case "wait":
      return wait(world, action);
  }
}

/** Lets days pass; all offers have expired then and are signed anew. */
async function wait(world: World, { days }: WaitAction): Promise<WaitOutcome> {
  const { clock, passDays } = world.base.settings;
  passDays?.(days);
  const date = new Date(clock.epochMs()).toISOString().slice(0, 10);
  const outcome = { kind: "wait" as const, days, date };
  if (passDays === undefined) {
    return { ...outcome, outcome: "refused", reason: "this economy has the computer's date" };
  }
  await settleClaims(world, world.devices());
  await releaseLapsedHolds(world.cards);
  await settleSales(world);
  for (const merchant of world.merchants) await publishOffers(world.base, merchant);
  return { ...outcome, outcome: "ok" };
}
