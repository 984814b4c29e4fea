// SPDX-License-Identifier: Apache-2.0
// Shopping for electronic money: what an offer costs to the last cent, and which offer is the best.
// The arithmetic is that of docs/protocol.cddl section 7, which firmware checks on the receipt.
import type { Direction, MerchantOffer, OfferTerms } from "../trust/merchantOffer.ts";
import { isWhole, LARGEST_AMOUNT_MINOR } from "../trust/shapes.ts";

const BASIS_POINTS = 10_000n;

/** What an exchange comes to. The amounts are minor units of the offer's account unit. */
export interface Cost {
  /** The money at the offer's rate, rounded against the customer. */
  readonly convertedMinor: number;
  readonly feeMinor: number;
  /** Buy: charged to the card, fee included. Sell: credited to it, after the fee. */
  readonly accountMinor: number;
}

/**
 * The cost of buying, or the proceeds of selling, `amountMinor` of the offer's money unit.
 * Undefined when the amount is outside the offer's limits, or the fee would eat it all.
 */
export function totalCost(terms: OfferTerms, amountMinor: number): Cost | undefined {
  if (!isWhole(amountMinor) || amountMinor === 0) return undefined;
  if (amountMinor < terms.minimumMinor || amountMinor > terms.maximumMinor) return undefined;
  // The products exceed what a number carries exactly.
  const product = BigInt(amountMinor) * BigInt(terms.rateNumerator);
  const denominator = BigInt(terms.rateDenominator);
  const isBuy = terms.direction === "buy";
  const converted = isBuy ? ceilingOf(product, denominator) : product / denominator;
  const share = ceilingOf(converted * BigInt(terms.feeBasisPoints), BASIS_POINTS);
  const fee = BigInt(terms.feeMinor) + share;
  const account = isBuy ? converted + fee : converted - fee;
  if (account <= 0n || converted > LARGEST_AMOUNT_MINOR || account > LARGEST_AMOUNT_MINOR) {
    return undefined;
  }
  return {
    convertedMinor: Number(converted),
    feeMinor: Number(fee),
    accountMinor: Number(account),
  };
}

function ceilingOf(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/** What a customer wants; amounts in two account units cannot be compared, so one is named. */
export interface Wish {
  readonly direction: Direction;
  readonly moneyUnit: string;
  readonly accountUnit: string;
  readonly amountMinor: number;
}

export interface Quote {
  readonly offer: MerchantOffer;
  readonly cost: Cost;
}

/**
 * The offers that fit the wish, best first: buying, the least that is charged; selling, the most
 * that is credited. Equal ones are in order of the merchants' ids, so that the order is always the
 * same. The offers must have been verified (`verifyOffer`), whoever they came from.
 */
export function rankOffers(
  offers: readonly MerchantOffer[],
  wish: Wish,
  nowSeconds: number,
): Quote[] {
  const sign = wish.direction === "buy" ? 1 : -1;
  return offers
    .filter(({ terms }) => isFitting(terms, wish) && nowSeconds < terms.expires)
    .flatMap((offer) => {
      const cost = totalCost(offer.terms, wish.amountMinor);
      return cost === undefined ? [] : [{ offer, cost }];
    })
    .sort(
      (a, b) =>
        sign * (a.cost.accountMinor - b.cost.accountMinor) ||
        compareIds(a.offer.terms.merchant, b.offer.terms.merchant),
    );
}

/** The best offer for the wish; undefined when none fits. */
export function cheapest(
  offers: readonly MerchantOffer[],
  wish: Wish,
  nowSeconds: number,
): Quote | undefined {
  return rankOffers(offers, wish, nowSeconds)[0];
}

function isFitting(terms: OfferTerms, wish: Wish): boolean {
  return (
    terms.direction === wish.direction &&
    terms.moneyUnit === wish.moneyUnit &&
    terms.accountUnit === wish.accountUnit
  );
}

function compareIds(a: Uint8Array, b: Uint8Array): number {
  const index = a.findIndex((byte, at) => byte !== b[at]);
  return index < 0 ? 0 : a[index]! - b[index]!;
}
