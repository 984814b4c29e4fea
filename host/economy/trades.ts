// SPDX-License-Identifier: Apache-2.0
// Buying electronic money with a card and selling it to have the card credited (Fig. 7), from the
// merchant named or the one with the best total over fee and rate (par. 50, 77).
import type { PurchaseResult } from "../application/customerApplication.ts";
import { type Quote, rankOffers } from "../application/shop.ts";
import { type CardCredential, type Receipt, readTicket } from "../application/tickets.ts";
import { responseCodeMeaning } from "../network/authorization/responseCodes.ts";
import { formatAmount } from "../network/currencies.ts";
import { step } from "../patent/step.ts";
import { cardExpirySeconds } from "./cards.ts";
import type { TradeAction } from "./economyActions.ts";
import { merchantNamed, personNamed } from "./names.ts";
import { publishOffers } from "./offers.ts";
import type { ReceiptReport, TradeOutcome } from "./report.ts";
import type { World } from "./world.ts";

/** What the owner allows the card account to be changed by, minor units of its unit. */
export interface OwnerLimit {
  /** Most that a purchase may charge. */
  atMostMinor?: number;
  /** Least that a sale must credit. */
  atLeastMinor?: number;
}

/**
 * Buys or sells electronic money by card.
 * @throws {UnknownNameError} when a name is wrong
 */
export async function trade(
  world: World,
  action: TradeAction,
  limit: OwnerLimit = {},
): Promise<TradeOutcome> {
  const { wallet } = personNamed(world, action.who);
  if (action.merchant !== undefined) merchantNamed(world, action.merchant);
  const refused = (reason: string, accountUnit: string, merchant: string | null): TradeOutcome => ({
    kind: action.do,
    outcome: "refused",
    customer: action.who,
    merchant,
    unit: action.unit,
    amount: action.amount,
    authorized: 0,
    accountUnit,
    fee: 0,
    rate: null,
    received: 0,
    receipt: null,
    topUps: [],
    reason,
  });
  const named = action.merchant ?? null;
  const card = (await wallet.cards()).find(({ account }) => account === action.card);
  if (card === undefined) return refused(whyNoCard(world, action), action.unit, named);
  const quote = await bestQuote(world, action, card);
  if (quote === undefined) return refused(whyNoOffer(action, card), card.unit, named);
  const { terms } = quote.offer;
  const merchant = world.merchants.find(({ name }) => name === terms.name);
  const topUpsBefore = merchant?.funds.topUps.length ?? 0;
  const result = await wallet.trade({
    amountMinor: action.amount,
    unit: action.unit,
    offer: quote.offer.bytes,
    merchantName: terms.name,
    endpoint: terms.endpoint,
    card,
    // Step 784: the receipt must say what the owner was shown, and keep to what the owner allows.
    confirm: async (receipt) => isAsShown(receipt, quote) && isAllowed(receipt, limit),
    progress: world.base.settings.detail,
  });
  await world.settled();
  if (merchant !== undefined) await publishOffers(world.base, merchant);
  const topUps = (merchant?.funds.topUps ?? []).slice(topUpsBefore);
  const failed = (reason: string) => ({ ...refused(reason, card.unit, terms.name), topUps });
  if (result.state !== "committed") return failed(whyRefused(result));
  const receipt = result.ticket === null ? undefined : readTicket(result.ticket);
  if (receipt?.type !== "receipt") return failed("the receipt is missing");
  return {
    kind: action.do,
    outcome: "ok",
    customer: action.who,
    merchant: terms.name,
    unit: receipt.moneyUnit,
    amount: action.amount,
    authorized: receipt.authorizedMinor,
    accountUnit: receipt.accountUnit,
    fee: receipt.feeMinor,
    rate: { numerator: receipt.rateNumerator, denominator: receipt.rateDenominator },
    received: action.do === "buy" ? receipt.moneyMinor : receipt.authorizedMinor,
    receipt: receiptReport(receipt),
    topUps,
  };
}

/** Steps 700 and 702: the best of the offers that the gateway knows; undefined where none fits. */
async function bestQuote(
  world: World,
  action: TradeAction,
  card: CardCredential,
): Promise<Quote | undefined> {
  const { settings, gateway, agentRoot, nowSeconds } = world.base;
  step(`${action.who} host`, 700);
  settings.detail(`${action.who} asks the gateway who ${verbOf(action)} ${action.unit}`);
  const offers = await gateway.query(action.do, action.unit, agentRoot(), nowSeconds());
  const wish = {
    direction: action.do,
    moneyUnit: action.unit,
    accountUnit: card.unit,
    amountMinor: action.amount,
  };
  const open = offers.filter(({ terms }) => (action.merchant ?? terms.name) === terms.name);
  const [quote] = rankOffers(open, wish, nowSeconds());
  if (quote === undefined) return undefined;
  step(`${action.who} host`, 702);
  const total = formatAmount(quote.cost.accountMinor, card.unit);
  const best = action.do === "buy" ? "is the cheapest" : "gives the most";
  settings.detail(`${quote.offer.terms.name} ${best} of ${open.length}: ${total} in all`);
  return quote;
}

function isAsShown(receipt: Receipt, { cost }: Quote): boolean {
  return receipt.authorizedMinor === cost.accountMinor && receipt.feeMinor === cost.feeMinor;
}

function isAllowed({ direction, authorizedMinor }: Receipt, limit: OwnerLimit): boolean {
  if (direction === "sell") return authorizedMinor >= (limit.atLeastMinor ?? 0);
  return authorizedMinor <= (limit.atMostMinor ?? Number.MAX_SAFE_INTEGER);
}

/** A receipt as reports show it. */
export function receiptReport(receipt: Receipt): ReceiptReport {
  return {
    ticketId: receipt.identifier.ticketId,
    transactionId: receipt.transactionId,
    direction: receipt.direction,
    merchant: receipt.identifier.issuer,
    account: receipt.account,
    accountUnit: receipt.accountUnit,
    authorized: receipt.authorizedMinor,
    fee: receipt.feeMinor,
    unit: receipt.moneyUnit,
    money: receipt.moneyMinor,
    received: receipt.direction === "buy" ? receipt.moneyMinor : receipt.authorizedMinor,
    rate: { numerator: receipt.rateNumerator, denominator: receipt.rateDenominator },
    date: new Date(receipt.date * 1000).toISOString(),
  };
}

/**
 * Why a transaction did not commit, in one sentence; with the card network's word if it had one.
 */
export function whyRefused({ responseCode, reason }: PurchaseResult): string {
  if (responseCode === null || responseCode === "00") return reason;
  return `${reason}: ${responseCodeMeaning(responseCode)} (response code ${responseCode})`;
}

function whyNoCard(world: World, action: TradeAction): string {
  const cards = world.economy.cardIssuers.flatMap((issuer) => issuer.cards);
  const card = cards.find(({ number }) => number === action.card);
  if (card === undefined) return `no card ${action.card} was ever issued`;
  if (card.holder !== action.who) return `card ${action.card} is not ${action.who}'s`;
  if (cardExpirySeconds(card.expires) <= world.base.nowSeconds()) {
    return `card ${action.card} has expired (${card.expires})`;
  }
  return `${action.who}'s device holds no credential for card ${action.card}`;
}

function whyNoOffer(action: TradeAction, card: CardCredential): string {
  const trader = action.merchant ?? "no merchant";
  const isNamed = action.merchant !== undefined;
  const verb = action.do === "buy" ? "offer" : "buy";
  const said = isNamed ? `does not ${verb}` : `${verb}s`;
  const amount = formatAmount(action.amount, action.unit);
  return `${trader} ${said} ${amount} for a card account in ${card.unit}`;
}

function verbOf(action: TradeAction): string {
  return action.do === "buy" ? "sells" : "buys";
}
