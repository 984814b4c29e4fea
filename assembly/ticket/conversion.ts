// SPDX-License-Identifier: Apache-2.0
// What a purchase or sale costs in the account's unit: the offer's rate and fee applied to an
// amount of electronic money (paragraph 43, docs/protocol.cddl section 7). Integers throughout:
// merchant and customer must come to the same minor unit, or the receipt is refused.

/** Largest amount in minor units: every host reads it without loss (2^53 - 1). */
export const AMOUNT_MAX: u64 = 9007199254740991;

/** Returned where a result leaves the range of amounts. */
export const NO_AMOUNT: u64 = u64.MAX_VALUE;

/** Basis points in one whole. */
const BASIS_POINTS: u64 = 10000;

/** The terms that decide a price; the units are those of the offer. */
export class Rate {
  direction: i32 = 0;
  feeMinor: u64 = 0;
  feeBasisPoints: u64 = 0;
  numerator: u64 = 1;
  denominator: u64 = 1;
}

/** Seen from the customer. */
export namespace Direction {
  export const BUY: i32 = 1;
  export const SELL: i32 = 2;
}

/**
 * `value` times `numerator` divided by `denominator`, rounded up or down; NO_AMOUNT beyond the
 * range. `value` is at most AMOUNT_MAX, the factors 1 to 10^9 (numerator may be 0), so the product
 * takes up to 83 bits: it is formed and divided in 32-bit digits.
 */
export function scale(value: u64, numerator: u64, denominator: u64, roundUp: bool): u64 {
  const low = (value & 0xffffffff) * numerator;
  const high = (value >> 32) * numerator + (low >> 32);
  // Each partial remainder is below 2^30, so remainder and next digit fit 64 bits.
  const top = high >> 32;
  let remainder = top % denominator;
  const upper = (remainder << 32) | (high & 0xffffffff);
  const upperQuotient = upper / denominator;
  remainder = upper % denominator;
  const lower = (remainder << 32) | (low & 0xffffffff);
  const lowerQuotient = lower / denominator;
  remainder = lower % denominator;
  if (top / denominator > 0 || upperQuotient >> 21 > 0) return NO_AMOUNT;
  const quotient = (upperQuotient << 32) + lowerQuotient + u64(roundUp && remainder > 0);
  return quotient > AMOUNT_MAX ? NO_AMOUNT : quotient;
}

/** What `money` is worth in the account's unit: rounded against the customer both ways. */
function converted(rate: Rate, money: u64): u64 {
  return scale(money, rate.numerator, rate.denominator, rate.direction == Direction.BUY);
}

/** The merchant's fee on `money`, in the account's unit; NO_AMOUNT beyond the range. */
export function feeFor(rate: Rate, money: u64): u64 {
  const value = converted(rate, money);
  if (value == NO_AMOUNT) return NO_AMOUNT;
  const share = scale(value, rate.feeBasisPoints, BASIS_POINTS, true);
  if (share == NO_AMOUNT || rate.feeMinor > AMOUNT_MAX - share) return NO_AMOUNT;
  return rate.feeMinor + share;
}

/**
 * The amount to authorize (field 52): what is received plus the fee in a purchase, what is sent
 * minus the fee in a sale. NO_AMOUNT where it leaves the range or nothing would be left.
 */
export function authorizationFor(rate: Rate, money: u64): u64 {
  const value = converted(rate, money);
  const fee = feeFor(rate, money);
  if (value == NO_AMOUNT || fee == NO_AMOUNT) return NO_AMOUNT;
  if (rate.direction == Direction.BUY) {
    const total = value + fee;
    return total > 0 && total <= AMOUNT_MAX ? total : NO_AMOUNT;
  }
  return value > fee ? value - fee : NO_AMOUNT;
}
