// SPDX-License-Identifier: Apache-2.0
// Options of a request as they come over the control socket: checked before anything is begun, and
// refused in one sentence that names the option.
import type { World } from "../economy/world.ts";
import { CommandFailure } from "./output.ts";

export type Options = Record<string, unknown>;

export function textOf(options: Options, key: string): string {
  const value = options[key];
  if (typeof value === "string" && value !== "") return value;
  throw new CommandFailure(`--${key} is missing`);
}

/** The option as an object's key and value, or an empty object where it is absent. */
export function optionalText<Key extends string>(
  options: Options,
  key: Key,
): Partial<Record<Key, string>> {
  if (options[key] === undefined) return {};
  return { [key]: textOf(options, key) } as Record<Key, string>;
}

/** How each amount is named on the command line. */
const AMOUNT_OPTIONS = {
  amount: "--amount",
  atMost: "--at-most",
  atLeast: "--at-least",
  counterAmount: "--counter-amount",
} as const;

export function amountOf(options: Options, key: keyof typeof AMOUNT_OPTIONS = "amount"): number {
  const value = Number(options[key]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  const name = AMOUNT_OPTIONS[key];
  throw new CommandFailure(
    `${name} takes minor units, a whole number above 0, not "${String(options[key])}"`,
  );
}

export function checkUnit(world: World, unit: string): void {
  if (world.economy.units.includes(unit)) return;
  const units = world.economy.units.join(", ");
  throw new CommandFailure(`"${unit}" does not circulate here; there are ${units}`);
}
