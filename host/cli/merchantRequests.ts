// SPDX-License-Identifier: Apache-2.0
// What merchants ask of a running economy: their offers, which they may change, the money of their
// devices, the devices themselves and their logs.
import { join } from "node:path";
import { writeWholeFile } from "../wholeFile.ts";
import { rateProblem } from "../economy/economyCheck.ts";
import type { EconomyOffer } from "../economy/economyFile.ts";
import { deviceReport, fundsReport, logReport } from "../economy/merchantReports.ts";
import type { Merchant } from "../economy/merchants.ts";
import { merchantNamed } from "../economy/names.ts";
import { publishOffers } from "../economy/offers.ts";
import type { World } from "../economy/world.ts";
import { currencyByCode } from "../network/currencies.ts";
import { CommandFailure } from "./output.ts";
import { checkUnit, optionalText, type Options, textOf } from "./requestOptions.ts";

type Question = (world: World, options: Options) => Promise<unknown>;

/** By the name of the command. */
export const MERCHANT_REQUESTS: Readonly<Record<string, Question>> = {
  "merchant offers": (world, options) => offers(world, options),
  "merchant funds": (world, options) =>
    Promise.all(chosen(world, options).map((merchant) => fundsReport(world, merchant))),
  "merchant devices": async (world, options) =>
    chosen(world, options).flatMap((merchant) =>
      merchant.devices.map((device) => deviceReport(merchant, device)),
    ),
  "merchant log": async (world, options) =>
    (await Promise.all(chosen(world, options).map(logReport))).flat(),
};

/** The merchant named, or all of them. */
function chosen(world: World, options: Options): Merchant[] {
  const { name } = optionalText(options, "name");
  return name === undefined ? world.merchants : [merchantNamed(world, name)];
}

/** With --direction: signs that offer with new terms first. */
async function offers(world: World, options: Options) {
  if (options.direction !== undefined) await changeOffer(world, options);
  const { gateway, agentRoot, nowSeconds } = world.base;
  const listed = [];
  for (const merchant of chosen(world, options)) {
    for (const direction of ["buy", "sell"] as const) {
      for (const unit of world.economy.units) {
        const found = await gateway.query(direction, unit, agentRoot(), nowSeconds());
        for (const { terms } of found.filter((offer) => offer.terms.name === merchant.name)) {
          listed.push({
            merchant: merchant.name,
            direction,
            unit,
            accountUnit: terms.accountUnit,
            fee: terms.feeMinor,
            feeBasisPoints: terms.feeBasisPoints,
            rate: { numerator: terms.rateNumerator, denominator: terms.rateDenominator },
            minimum: terms.minimumMinor,
            maximum: terms.maximumMinor,
            issued: new Date(terms.issued * 1000).toISOString(),
            expires: new Date(terms.expires * 1000).toISOString(),
            endpoint: terms.endpoint,
          });
        }
      }
    }
  }
  return listed;
}

/** Puts an offer in the place of the one for the same direction and units, for good. */
async function changeOffer(world: World, options: Options): Promise<void> {
  const merchant = merchantNamed(world, textOf(options, "name"));
  const offer = offerOf(world, options);
  const isOther = ({ direction, unit, accountUnit }: EconomyOffer) =>
    direction !== offer.direction || unit !== offer.unit || accountUnit !== offer.accountUnit;
  merchant.offers = [...merchant.offers.filter(isOther), offer];
  const { economy } = world;
  const entry = economy.merchants.find(({ name }) => name === merchant.name);
  if (entry !== undefined) entry.offers = [...merchant.offers];
  const { directory } = world.base.settings;
  if (directory !== undefined) {
    const text = `${JSON.stringify(economy, null, 2)}\n`;
    writeWholeFile(join(directory, "economy.json"), text, 0o644);
  }
  await publishOffers(world.base, merchant);
}

function offerOf(world: World, options: Options): EconomyOffer {
  const { direction } = options;
  if (direction !== "buy" && direction !== "sell") {
    throw new CommandFailure(`--direction takes buy or sell, not "${String(direction)}"`);
  }
  const unit = textOf(options, "unit");
  checkUnit(world, unit);
  const accountUnit = textOf(options, "accountUnit");
  if (currencyByCode(accountUnit) === undefined) {
    throw new CommandFailure(`"${accountUnit}" is not an ISO 4217 code that Florin knows`);
  }
  const rate = options.rate === undefined ? "1" : textOf(options, "rate");
  const problem = rateProblem(world.economy, rate, unit, accountUnit);
  if (problem !== undefined) throw new CommandFailure(`--rate ${problem}`);
  return {
    direction,
    unit,
    accountUnit,
    feeMinor: wholeOf(options, "fee", "--fee", Number.MAX_SAFE_INTEGER),
    feeBasisPoints: wholeOf(options, "basisPoints", "--basis-points", 10_000),
    rate,
  };
}

/** A whole number from 0; 0 if absent. */
function wholeOf(options: Options, key: string, name: string, largest: number): number {
  const value = Number(options[key] ?? 0);
  if (Number.isSafeInteger(value) && value >= 0 && value <= largest) return value;
  throw new CommandFailure(`${name} takes a whole number up to ${largest}`);
}
