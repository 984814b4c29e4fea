// SPDX-License-Identifier: Apache-2.0
// Decimal rates between two currencies as the fractions of minor units that offers carry
// (docs/protocol.cddl, offer-terms): account minor = money minor * numerator / denominator. Also
// the table of rates that an authorization network publishes (par. 4, 77).
import { currencyByCode } from "./currencies.ts";

/** A rate on minor units, in lowest terms. */
export interface RateFraction {
  readonly numerator: number;
  readonly denominator: number;
}

/** What an offer says in place of a rate when it follows the table of the network. */
export const NETWORK_RATE = "network";

/** Published rates by pair: "GBP/USD": "1.25" says that one pound costs 1.25 dollars. */
export type RateTable = Readonly<Record<string, string>>;

/** Largest numerator and denominator of an offer. */
const LARGEST = 1_000_000_000n;

/**
 * Turns "1.25" (units of account money for one unit of electronic money) into a fraction in
 * lowest terms that applies to minor units, so that currencies of different decimals fit.
 * @returns undefined when the rate is zero or malformed, or does not fit an offer
 */
export function rateFraction(
  rate: string,
  moneyUnit: string,
  accountUnit: string,
): RateFraction | undefined {
  const money = currencyByCode(moneyUnit);
  const account = currencyByCode(accountUnit);
  const match = /^(\d+)(?:\.(\d+))?$/.exec(rate);
  if (money === undefined || account === undefined || match === null) return undefined;
  const decimals = match[2] ?? "";
  let numerator = BigInt(`${match[1]}${decimals}`);
  let denominator = 10n ** BigInt(decimals.length);
  const shift = account.exponent - money.exponent;
  if (shift > 0) numerator *= 10n ** BigInt(shift);
  else denominator *= 10n ** BigInt(-shift);
  if (numerator === 0n) return undefined;
  const divisor = greatestCommonDivisor(numerator, denominator);
  numerator /= divisor;
  denominator /= divisor;
  if (numerator > LARGEST || denominator > LARGEST) return undefined;
  return { numerator: Number(numerator), denominator: Number(denominator) };
}

/**
 * The published rate of `moneyUnit` in `accountUnit`: that of the pair, else the inverse of the
 * pair the other way round, exactly; 1 where both are the same unit.
 * @returns undefined when the table has neither, or what it says does not fit an offer
 */
export function publishedRate(
  table: RateTable,
  moneyUnit: string,
  accountUnit: string,
): RateFraction | undefined {
  if (moneyUnit === accountUnit) return { numerator: 1, denominator: 1 };
  const direct = table[`${moneyUnit}/${accountUnit}`];
  if (direct !== undefined) return rateFraction(direct, moneyUnit, accountUnit);
  const opposite = table[`${accountUnit}/${moneyUnit}`];
  const fraction =
    opposite === undefined ? undefined : rateFraction(opposite, accountUnit, moneyUnit);
  if (fraction === undefined) return undefined;
  return { numerator: fraction.denominator, denominator: fraction.numerator };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}
