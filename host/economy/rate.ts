// SPDX-License-Identifier: Apache-2.0
// A decimal rate between two currencies as the fraction of minor units that offers carry
// (docs/protocol.cddl, offer-terms): account minor = money minor * numerator / denominator.
import { currencyByCode } from "../network/currencies.ts";

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
): { numerator: number; denominator: number } | undefined {
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

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}
