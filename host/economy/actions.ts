// SPDX-License-Identifier: Apache-2.0
// What people do in an economy: buy electronic money by card from the cheapest merchant, pay
// another person. Each action gives an outcome; a refusal names its reason and moves nothing.
import type { PurchaseResult } from "../application/customerApplication.ts";
import { rankOffers } from "../application/shop.ts";
import type { CardCredential, Receipt } from "../application/tickets.ts";
import { readTicket } from "../application/tickets.ts";
import { responseCodeMeaning } from "../network/authorization/responseCodes.ts";
import { formatAmount } from "../network/currencies.ts";
import { step } from "../patent/step.ts";
import { cardExpirySeconds } from "./cards.ts";
import type { BuyAction, EconomyAction, PayAction } from "./economyFile.ts";
import { publishOffers } from "./merchants.ts";
import type { Person } from "./people.ts";
import type { ActionOutcome, BuyOutcome, PayOutcome, ReceiptReport } from "./report.ts";
import type { World } from "./world.ts";

/** An order that names somebody or something that is not in this economy; nothing was begun. */
export class UnknownNameError extends Error {
  override readonly name = "UnknownNameError";
}

/** Finds a person. @throws {UnknownNameError} */
export function personNamed(world: World, name: string): Person {
  const person = world.people.find((candidate) => candidate.name === name);
  if (person !== undefined) return person;
  const names = world.people.map((candidate) => candidate.name).join(", ");
  throw new UnknownNameError(`nobody here is named "${name}"; there are ${names}`);
}

/** Does one action of an economy file. */
export function runAction(world: World, action: EconomyAction): Promise<ActionOutcome> {
  return action.do === "buy" ? buy(world, action) : pay(world, action);
}

/**
 * Buys electronic money with a card, from the merchant named or the cheapest one.
 * @param atMostMinor most that the owner lets the card be charged, minor units of its account
 * @throws {UnknownNameError} when a name is wrong
 */
export async function buy(
  world: World,
  action: BuyAction,
  atMostMinor = Number.MAX_SAFE_INTEGER,
): Promise<BuyOutcome> {
  const { wallet } = personNamed(world, action.who);
  const { settings, gateway, agentRoot, nowSeconds } = world.base;
  if (action.merchant !== undefined && !world.merchants.some((m) => m.name === action.merchant)) {
    const names = world.merchants.map(({ name }) => name).join(", ");
    throw new UnknownNameError(`no merchant is named "${action.merchant}"; there are ${names}`);
  }
  const refused = (reason: string, accountUnit: string, merchant: string | null): BuyOutcome => ({
    kind: "buy",
    outcome: "refused",
    customer: action.who,
    merchant,
    unit: action.unit,
    amount: action.amount,
    authorized: 0,
    accountUnit,
    fee: 0,
    received: 0,
    receipt: null,
    reason,
  });
  const named = action.merchant ?? null;
  const card = (await wallet.cards()).find(({ account }) => account === action.card);
  if (card === undefined) return refused(whyNoCard(world, action), action.unit, named);
  step(`${action.who} host`, 700);
  settings.detail(`${action.who} asks the gateway who sells ${action.unit}`);
  const offers = await gateway.query("buy", action.unit, agentRoot(), nowSeconds());
  const wish = {
    direction: "buy" as const,
    moneyUnit: action.unit,
    accountUnit: card.unit,
    amountMinor: action.amount,
  };
  const open = offers.filter(({ terms }) => named === null || terms.name === named);
  const [quote] = rankOffers(open, wish, nowSeconds());
  if (quote === undefined) return refused(whyNoOffer(action, card), card.unit, named);
  const { terms } = quote.offer;
  step(`${action.who} host`, 702);
  settings.detail(
    `${terms.name} is the cheapest of ${open.length}: ` +
      `${formatAmount(quote.cost.accountMinor, card.unit)} in all`,
  );
  const result = await wallet.buy({
    amountMinor: action.amount,
    unit: action.unit,
    offer: quote.offer.bytes,
    merchantName: terms.name,
    endpoint: terms.endpoint,
    card,
    // Step 784: the receipt must say what the owner was shown, and no more than the owner allows.
    confirm: async ({ authorizedMinor, feeMinor }) =>
      authorizedMinor === quote.cost.accountMinor &&
      feeMinor === quote.cost.feeMinor &&
      authorizedMinor <= atMostMinor,
    progress: settings.detail,
  });
  await world.settled();
  const merchant = world.merchants.find(({ name }) => name === terms.name);
  if (merchant !== undefined) await publishOffers(world.base, merchant);
  if (result.state !== "committed") return refused(whyRefused(result), card.unit, terms.name);
  const receipt = result.ticket === null ? undefined : readTicket(result.ticket);
  if (receipt?.type !== "receipt") return refused("the receipt is missing", card.unit, terms.name);
  return {
    kind: "buy",
    outcome: "ok",
    customer: action.who,
    merchant: terms.name,
    unit: receipt.moneyUnit,
    amount: action.amount,
    authorized: receipt.authorizedMinor,
    accountUnit: receipt.accountUnit,
    fee: receipt.feeMinor,
    received: receipt.moneyMinor,
    receipt: receiptReport(receipt),
  };
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

/** A receipt as reports show it. */
export function receiptReport(receipt: Receipt): ReceiptReport {
  return {
    ticketId: receipt.identifier.ticketId,
    transactionId: receipt.transactionId,
    merchant: receipt.identifier.issuer,
    account: receipt.account,
    accountUnit: receipt.accountUnit,
    authorized: receipt.authorizedMinor,
    fee: receipt.feeMinor,
    unit: receipt.moneyUnit,
    received: receipt.moneyMinor,
    rate: { numerator: receipt.rateNumerator, denominator: receipt.rateDenominator },
    date: new Date(receipt.date * 1000).toISOString(),
  };
}

function whyRefused({ responseCode, reason }: PurchaseResult): string {
  if (responseCode === null || responseCode === "00") return reason;
  return `${reason}: ${responseCodeMeaning(responseCode)} (response code ${responseCode})`;
}

function whyNoCard(world: World, action: BuyAction): string {
  const cards = world.economy.cardIssuers.flatMap((issuer) => issuer.cards);
  const card = cards.find(({ number }) => number === action.card);
  if (card === undefined) return `no card ${action.card} was ever issued`;
  if (card.holder !== action.who) return `card ${action.card} is not ${action.who}'s`;
  if (cardExpirySeconds(card.expires) <= world.base.nowSeconds()) {
    return `card ${action.card} has expired (${card.expires})`;
  }
  return `${action.who}'s device holds no credential for card ${action.card}`;
}

function whyNoOffer(action: BuyAction, card: CardCredential): string {
  const seller = action.merchant ?? "no merchant";
  const verb = action.merchant === undefined ? "offers" : "does not offer";
  const amount = formatAmount(action.amount, action.unit);
  return `${seller} ${verb} ${amount} for a card account in ${card.unit}`;
}
