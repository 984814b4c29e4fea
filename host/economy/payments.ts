// SPDX-License-Identifier: Apache-2.0
// Payments between people (Fig. 12 without a ticket): ordered by the payer, asked for by the payee
// (par. 128), or an exchange of two units in one commit. The other owner's word is asked; here each
// owner accepts what was accepted before, by an action of a file or an order of that owner.
import type { PurchaseResult } from "../application/customerApplication.ts";
import { Rounding } from "../application/personPayments.ts";
import { formatAmount } from "../network/currencies.ts";
import { type Acceptance, withdrawAcceptance } from "./acceptances.ts";
import type { ExchangeAction, PayAction } from "./economyActions.ts";
import { counterAmountOf } from "./exchangeTerms.ts";
import { agentId } from "./merchants.ts";
import { personNamed } from "./names.ts";
import type { Person } from "./people.ts";
import type { ExchangeOutcome, PayOutcome } from "./report.ts";
import { whyRefused } from "./trades.ts";
import type { World } from "./world.ts";

/** The reason of a payer that has too little (docs/protocol.cddl section 9). */
const INSUFFICIENT_FUNDS = 29;

/**
 * Pays another person.
 * @param isAgreed false where a requested payment needs an agreement that the payer gave before
 * @throws {UnknownNameError} when a name is wrong
 */
export async function pay(world: World, action: PayAction, isAgreed = true): Promise<PayOutcome> {
  const payer = personNamed(world, action.from);
  const payee = personNamed(world, action.to);
  const { from, to, unit, amount, request = false } = action;
  const agreed = { peer: agentId(payee.party), pays: { amountMinor: amount, unit }, gets: null };
  const result = request
    ? await agreeing(payer, isAgreed ? agreed : null, () =>
        payee.wallet.request(payer.party.url, amount, unit),
      )
    : await payer.wallet.pay(payee.party.url, amount, unit);
  // The payer is done first; the payee may spend only what it has the signatures for.
  await world.settled();
  const outcome = { kind: "pay" as const, from, to, unit, amount, request };
  if (result.state === "committed") return { ...outcome, outcome: "ok" };
  const reason = `${whyRefused(result)}${await staleHint(payer, unit, result)}`;
  return { ...outcome, outcome: "refused", reason };
}

/** What the payer has of a unit that only a bank still takes, where money was not enough. */
async function staleHint(
  { wallet }: Person,
  unit: string,
  { reasonNumber }: PurchaseResult,
): Promise<string> {
  if (reasonNumber !== INSUFFICIENT_FUNDS) return "";
  const stale = (await wallet.balances()).find((balance) => balance.unit === unit)?.refreshMinor;
  if (stale === undefined || stale === 0) return "";
  return `; ${formatAmount(stale, unit)} must be refreshed at a bank first`;
}

/**
 * Has two people exchange two units.
 * @param isAgreed false where it needs an agreement that the other one gave before
 * @throws {UnknownNameError} when a name is wrong
 */
export async function exchange(
  world: World,
  action: ExchangeAction,
  isAgreed = true,
): Promise<ExchangeOutcome> {
  const decider = personNamed(world, action.from);
  const other = personNamed(world, action.to);
  const { from, to, unit, amount, counterUnit } = action;
  const counter = counterAmountOf(action);
  const outcome = {
    kind: "exchange" as const,
    from,
    to,
    unit,
    amount,
    counterUnit,
    counterAmount: counter?.counterMinor ?? 0,
    rounding: counter?.rounding ?? ("exact" as const),
  };
  const refused = (reason: string): ExchangeOutcome => ({ ...outcome, outcome: "refused", reason });
  if (counter === undefined) return refused("the counter amount comes to nothing or too much");
  const { counterMinor, rounding } = counter;
  const agreed = {
    peer: agentId(decider.party),
    pays: { amountMinor: counterMinor, unit: counterUnit },
    gets: { amountMinor: amount, unit },
  };
  const result = await agreeing(other, isAgreed ? agreed : null, () =>
    decider.wallet.exchange(other.party.url, {
      amountMinor: amount,
      unit,
      counterMinor,
      counterUnit,
      rounding: rounding === "down" ? Rounding.DOWN : Rounding.EXACT,
    }),
  );
  await world.settled();
  return result.state === "committed" ? { ...outcome, outcome: "ok" } : refused(whyRefused(result));
}

/** Does something while a person agrees to what it will be asked, where `agreed` is not null. */
async function agreeing<Result>(
  { acceptances }: Person,
  agreed: Acceptance | null,
  work: () => Promise<Result>,
): Promise<Result> {
  if (agreed === null) return work();
  acceptances.push(agreed);
  try {
    return await work();
  } finally {
    withdrawAcceptance(acceptances, agreed);
  }
}
