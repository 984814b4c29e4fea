// SPDX-License-Identifier: Apache-2.0
// What people and merchants do in an economy. Each action gives an outcome; a refusal names its
// reason and moves nothing.
import type { EconomyAction, PayAction } from "./economyActions.ts";
import { personNamed } from "./names.ts";
import type { ActionOutcome, PayOutcome } from "./report.ts";
import { trade, whyRefused } from "./trades.ts";
import type { World } from "./world.ts";

/** Does one action of an economy file. @throws {UnknownNameError} when a name is wrong */
export function runAction(world: World, action: EconomyAction): Promise<ActionOutcome> {
  switch (action.do) {
    case "buy":
    case "sell":
      return trade(world, action);
    case "pay":
      return pay(world, action);
  }
}

/** Pays another person. @throws {UnknownNameError} when a name is wrong */
export async function pay(world: World, action: PayAction): Promise<PayOutcome> {
  const payer = personNamed(world, action.from);
  const payee = personNamed(world, action.to);
  const { from, to, unit, amount } = action;
  const result = await payer.wallet.pay(payee.party.url, amount, unit);
  // The payer is done first; the payee may spend only what it has the signatures for.
  await world.settled();
  const outcome = { kind: "pay" as const, from, to, unit, amount };
  if (result.state === "committed") return { ...outcome, outcome: "ok" };
  return { ...outcome, outcome: "refused", reason: whyRefused(result) };
}
