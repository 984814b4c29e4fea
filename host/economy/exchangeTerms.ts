// SPDX-License-Identifier: Apache-2.0
// What an exchange of two units comes to (par. 4, 77): the counter amount that its owners named, or
// amount times rate, rounded down to the minor unit of the counter unit.
import { rateFraction } from "../network/rates.ts";
import { LARGEST_AMOUNT_MINOR } from "../trust/shapes.ts";
import type { ExchangeAction } from "./economyActions.ts";

export interface CounterAmount {
  counterMinor: number;
  rounding: "exact" | "down";
}

/** The counter amount of an exchange; undefined where it is nothing or beyond all amounts. */
export function counterAmountOf(action: ExchangeAction): CounterAmount | undefined {
  const { amount, unit, counterUnit, counterAmount, rate } = action;
  if (counterAmount !== undefined) return { counterMinor: counterAmount, rounding: "exact" };
  const fraction = rateFraction(rate ?? "", unit, counterUnit);
  if (fraction === undefined) return undefined;
  // The product exceeds what a number carries exactly.
  const product = BigInt(amount) * BigInt(fraction.numerator);
  const denominator = BigInt(fraction.denominator);
  const counter = product / denominator;
  if (counter === 0n || counter > LARGEST_AMOUNT_MINOR) return undefined;
  const rounding = product % denominator === 0n ? "exact" : "down";
  return { counterMinor: Number(counter), rounding };
}
