// SPDX-License-Identifier: Apache-2.0
// What an offer costs, by hand-worked sums and by the inequalities that define the rounding, and
// which of several offers is the best.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cheapest, rankOffers, totalCost, type Wish } from "../../host/application/shop.ts";
import {
  type MerchantOffer,
  type OfferTerms,
  verifyOffer,
} from "../../host/trust/merchantOffer.ts";
import { agentRoot, NOW, newMerchant } from "./gateway-merchant.ts";

const merchants = ["One", "Two", "Three"].map((name) => newMerchant(name));
const terms = merchants[0]!.terms;

function offer(index: number, change: Partial<OfferTerms>): MerchantOffer {
  const result = verifyOffer(merchants[index]!.offer(change), agentRoot, NOW);
  if (!result.ok) throw new Error(result.reason);
  return result.offer;
}

describe("the cost of an offer", () => {
  // 100.00 at 1.0855 with 0.50 and 1 %: worked by hand.
  const dollars = { accountUnit: "USD", rateNumerator: 10_855, rateDenominator: 10_000 };
  it.each<[string, Partial<OfferTerms>, number, number, number, number]>([
    ["same unit", {}, 10_000, 10_000, 150, 10_150],
    ["a fee that does not come out even", {}, 10_001, 10_001, 151, 10_152],
    ["another unit", dollars, 10_000, 10_855, 159, 11_014],
    ["a conversion that does not come out even", dollars, 10_001, 10_857, 159, 11_016],
    ["sale", { direction: "sell" }, 10_000, 10_000, 150, 9_850],
    ["sale, rounded down", { ...dollars, direction: "sell" }, 10_001, 10_856, 159, 10_697],
    ["no fee", { feeMinor: 0, feeBasisPoints: 0 }, 777, 777, 0, 777],
  ])("%s", (_what, change, amount, convertedMinor, feeMinor, accountMinor) => {
    expect(totalCost(terms(change), amount)).toEqual({ convertedMinor, feeMinor, accountMinor });
  });

  it("has limits", () => {
    expect(totalCost(terms(), 99)).toBeUndefined();
    expect(totalCost(terms(), 100)).toBeDefined();
    expect(totalCost(terms(), 100_000)).toBeDefined();
    expect(totalCost(terms(), 100_001)).toBeUndefined();
    expect(totalCost(terms(), 100.5)).toBeUndefined();
    expect(totalCost(terms({ minimumMinor: 0 }), 0)).toBeUndefined();
    // 50 and 1 % of 50 is more than 50.
    expect(totalCost(terms({ direction: "sell", minimumMinor: 0 }), 50)).toBeUndefined();
    const huge = { maximumMinor: Number.MAX_SAFE_INTEGER, rateNumerator: 2 };
    expect(totalCost(terms(huge), Number.MAX_SAFE_INTEGER)).toBeUndefined();
  });

  it("rounds against the customer by less than one unit each time", () => {
    const part = fc.integer({ min: 1, max: 1_000_000_000 });
    const amounts = fc.integer({ min: 1, max: 9_000_000_000 });
    const basisPoints = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(
        part,
        part,
        amounts,
        basisPoints,
        fc.boolean(),
        (top, bottom, amount, bp, buys) => {
          const change: Partial<OfferTerms> = {
            direction: buys ? "buy" : "sell",
            feeMinor: 0,
            feeBasisPoints: bp,
            rateNumerator: top,
            rateDenominator: bottom,
            minimumMinor: 1,
            maximumMinor: Number.MAX_SAFE_INTEGER,
          };
          const cost = totalCost(terms(change), amount);
          if (cost === undefined) return;
          const exact = BigInt(amount) * BigInt(top);
          const converted = BigInt(cost.convertedMinor) * BigInt(bottom);
          const gap = buys ? converted - exact : exact - converted;
          expect(gap >= 0n && gap < BigInt(bottom)).toBe(true);
          const share = BigInt(cost.convertedMinor) * BigInt(bp);
          const over = BigInt(cost.feeMinor) * 10_000n - share;
          expect(over >= 0n && over < 10_000n).toBe(true);
          const sign = buys ? 1 : -1;
          expect(cost.accountMinor).toBe(cost.convertedMinor + sign * cost.feeMinor);
        },
      ),
      { seed: 3, numRuns: 500 },
    );
  });
});

describe("the choice among offers", () => {
  const wish: Wish = {
    direction: "buy",
    moneyUnit: "EUR",
    accountUnit: "EUR",
    amountMinor: 10_000,
  };
  const name = (offers: MerchantOffer[], change: Partial<Wish> = {}, now = NOW) =>
    cheapest(offers, { ...wish, ...change }, now)?.offer.terms.name;

  it("depends on the amount: a fixed fee or a share", () => {
    const offers = [
      offer(0, { feeMinor: 100, feeBasisPoints: 0 }),
      offer(1, { feeMinor: 0, feeBasisPoints: 200 }),
    ];
    expect(name(offers, { amountMinor: 4_000 })).toBe("Two");
    expect(name(offers, { amountMinor: 6_000 })).toBe("One");
    const ranked = rankOffers(offers, wish, NOW);
    expect(ranked.map(({ cost }) => cost.accountMinor)).toEqual([10_100, 10_200]);
  });

  it("takes the highest credit in a sale", () => {
    const offers = [
      offer(0, { direction: "sell", feeMinor: 300 }),
      offer(1, { direction: "sell", feeMinor: 20 }),
      offer(2, { direction: "buy", feeMinor: 0 }),
    ];
    expect(name(offers, { direction: "sell" })).toBe("Two");
  });

  it("leaves out other units, other amounts and what has expired", () => {
    const offers = [
      offer(0, { accountUnit: "USD", feeMinor: 0 }),
      offer(1, { maximumMinor: 9_999, feeMinor: 0 }),
      offer(2, { feeMinor: 9_000 }),
    ];
    expect(name(offers)).toBe("Three");
    expect(name(offers, { moneyUnit: "USD" })).toBeUndefined();
    expect(name(offers, {}, NOW + 600)).toBeUndefined();
    expect(name([])).toBeUndefined();
  });

  it("does not depend on the order in which equal offers came", () => {
    const offers = [offer(0, {}), offer(1, {}), offer(2, {})];
    expect(name(offers)).toBe(name([...offers].reverse()));
  });
});
