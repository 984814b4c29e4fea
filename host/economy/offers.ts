// SPDX-License-Identifier: Apache-2.0
// A merchant's offers, signed anew by each of its devices and published at the gateway (step 700):
// as much as all its devices and accounts can give, for ten minutes, at its own rate or the one
// that the authorization network publishes (par. 4, 77).
import { NETWORK_RATE, type RateFraction, rateFraction } from "../network/rates.ts";
import type { EconomyOffer } from "./economyFile.ts";
import type { Foundations } from "./foundations.ts";
import type { Merchant } from "./merchants.ts";

/** Seconds that an offer is good for (protocol section 3, defaults). */
const OFFER_SECONDS = 600;
/** Most that a merchant takes in one sale, minor units. */
const LARGEST_SALE_MINOR = 1_000_000_000_000;

/** Signs every offer anew and publishes it, in the name of each device. */
export async function publishOffers(base: Foundations, merchant: Merchant): Promise<void> {
  for (const offer of merchant.offers) {
    const { direction, unit } = offer;
    const maximumMinor =
      direction === "buy" ? await merchant.funds.largestSaleMinor(unit) : LARGEST_SALE_MINOR;
    const rate = rateOf(merchant, offer);
    if (rate === undefined || maximumMinor === 0) continue;
    for (const { party, service } of merchant.devices) {
      const bytes = await service.signOffer({
        direction,
        moneyUnit: unit,
        accountUnit: offer.accountUnit,
        feeMinor: offer.feeMinor ?? 0,
        feeBasisPoints: offer.feeBasisPoints ?? 0,
        rateNumerator: rate.numerator,
        rateDenominator: rate.denominator,
        minimumMinor: 1,
        maximumMinor,
        expires: base.nowSeconds() + OFFER_SECONDS,
        endpoint: party.url,
      });
      const result = await base.gateway.publish(bytes);
      if (result !== "accepted" && result !== "superseded") {
        base.settings.alarm(`the gateway does not take an offer of ${merchant.name}: ${result}`);
      }
    }
  }
}

function rateOf(merchant: Merchant, offer: EconomyOffer): RateFraction | undefined {
  const { unit, accountUnit, rate = "1" } = offer;
  return rate === NETWORK_RATE
    ? merchant.networkRate(unit, accountUnit)
    : rateFraction(rate, unit, accountUnit);
}
