// SPDX-License-Identifier: Apache-2.0
// What a schema cannot say of an economy: names that must exist or be unique, units that someone
// must issue, rates that firmware can compute with.
import { currencyByCode } from "../network/currencies.ts";
import { NETWORK_RATE, publishedRate, rateFraction } from "../network/rates.ts";
import { checkAction } from "./actionCheck.ts";
import type { Economy } from "./economyFile.ts";
import { nameProblem } from "./economyText.ts";
const UNFIT_RATE = "is zero, or has more digits than firmware can compute with";

/** Where in the file, and what is wrong there. */
export interface Unsound {
  path: (string | number)[];
  problem: string;
}

/** The first thing that makes an economy unsound; undefined when there is none. */
export function checkEconomy(economy: Economy): Unsound | undefined {
  return (
    checkUnits(economy) ??
    checkRates(economy) ??
    checkNames(economy) ??
    checkBanks(economy) ??
    checkCards(economy) ??
    checkMerchants(economy) ??
    checkPeople(economy) ??
    checkActions(economy)
  );
}

function checkUnits(economy: Economy): Unsound | undefined {
  for (const [index, unit] of economy.units.entries()) {
    const wrong = knownCurrency(unit, ["units", index]);
    if (wrong !== undefined) return wrong;
    if (!economy.banks.some((bank) => bank.issues?.includes(unit))) {
      return { path: ["units", index], problem: `${unit} is issued by none of the banks` };
    }
  }
  return undefined;
}

function checkRates({ networkRates = {} }: Economy): Unsound | undefined {
  for (const [pair, rate] of Object.entries(networkRates)) {
    const path = ["networkRates", pair];
    const [unit = "", other = ""] = pair.split("/");
    const wrong = knownCurrency(unit, path) ?? knownCurrency(other, path);
    if (wrong !== undefined) return wrong;
    if (unit === other) return { path, problem: "is a rate of a unit in itself" };
    if (rateFraction(rate, unit, other) === undefined) return { path, problem: UNFIT_RATE };
    if (networkRates[`${other}/${unit}`] !== undefined) {
      return { path, problem: `is the inverse of ${other}/${unit}, which is there too` };
    }
  }
  return undefined;
}

function checkNames(economy: Economy): Unsound | undefined {
  const lists = ["banks", "cardIssuers", "merchants", "people"] as const;
  const seen = new Map<string, string>();
  for (const list of lists) {
    for (const [index, { name }] of economy[list].entries()) {
      const problem = nameProblem(name);
      if (problem !== undefined) return { path: [list, index, "name"], problem };
      const key = name.normalize("NFKC").toLowerCase();
      const other = seen.get(key);
      if (other !== undefined) {
        return { path: [list, index, "name"], problem: `"${name}" is taken in ${other} already` };
      }
      seen.set(key, list);
    }
  }
  return undefined;
}

function checkBanks(economy: Economy): Unsound | undefined {
  for (const [index, bank] of economy.banks.entries()) {
    for (const [place, unit] of (bank.issues ?? []).entries()) {
      const path = ["banks", index, "issues", place];
      if (!economy.units.includes(unit)) {
        return { path, problem: `${unit} is not among the economy's units` };
      }
    }
    const seen = new Set<string>();
    for (const [place, account] of (bank.accounts ?? []).entries()) {
      const path = ["banks", index, "accounts", place];
      const wrong = knownCurrency(account.unit, [...path, "unit"]);
      if (wrong !== undefined) return wrong;
      const problem = nameProblem(account.owner);
      if (problem !== undefined) return { path: [...path, "owner"], problem };
      const key = `${account.owner}\0${account.unit}`;
      if (seen.has(key)) {
        return { path, problem: `${account.owner} has an account in ${account.unit} here already` };
      }
      seen.add(key);
    }
  }
  return undefined;
}

function checkCards(economy: Economy): Unsound | undefined {
  const numbers = new Set<string>();
  for (const [index, issuer] of economy.cardIssuers.entries()) {
    for (const [place, card] of issuer.cards.entries()) {
      const path = ["cardIssuers", index, "cards", place];
      const wrong = knownCurrency(card.unit, [...path, "unit"]);
      if (wrong !== undefined) return wrong;
      if (numbers.has(card.number)) {
        return { path: [...path, "number"], problem: `card ${card.number} is there twice` };
      }
      numbers.add(card.number);
      if (!economy.people.some((person) => person.name === card.holder)) {
        const problem = `"${card.holder}" is not a person of this economy`;
        return { path: [...path, "holder"], problem };
      }
    }
  }
  return undefined;
}

function checkMerchants(economy: Economy): Unsound | undefined {
  for (const [index, merchant] of economy.merchants.entries()) {
    const path = ["merchants", index];
    if (!economy.banks.some((bank) => bank.name === merchant.bank)) {
      return { path: [...path, "bank"], problem: `"${merchant.bank}" is not a bank here` };
    }
    for (const [place, device] of merchant.devices.entries()) {
      const unit = Object.keys(device).find((key) => !economy.units.includes(key));
      if (unit !== undefined) {
        const problem = `${unit} is not among the economy's units`;
        return { path: [...path, "devices", place, unit], problem };
      }
    }
    for (const [place, offer] of merchant.offers.entries()) {
      const at = [...path, "offers", place];
      const wrong = knownCurrency(offer.accountUnit, [...at, "accountUnit"]);
      if (wrong !== undefined) return wrong;
      if (!economy.units.includes(offer.unit)) {
        const problem = `${offer.unit} is not among the economy's units`;
        return { path: [...at, "unit"], problem };
      }
      const { rate = "1", unit, accountUnit } = offer;
      const problem = rateProblem(economy, rate, unit, accountUnit);
      if (problem !== undefined) return { path: [...at, "rate"], problem };
    }
  }
  return undefined;
}

/** What is wrong with an offer's rate; undefined where nothing is. */
export function rateProblem(
  { networkRates = {} }: Pick<Economy, "networkRates">,
  rate: string,
  unit: string,
  accountUnit: string,
): string | undefined {
  if (rate !== NETWORK_RATE) {
    return rateFraction(rate, unit, accountUnit) === undefined ? UNFIT_RATE : undefined;
  }
  return publishedRate(networkRates, unit, accountUnit) === undefined
    ? `is the network's, but networkRates has neither ${unit}/${accountUnit} nor its inverse`
    : undefined;
}

function checkPeople({ people, banks }: Economy): Unsound | undefined {
  for (const [index, { bank }] of people.entries()) {
    if (bank !== undefined && !banks.some(({ name }) => name === bank)) {
      return { path: ["people", index, "bank"], problem: `"${bank}" is not a bank here` };
    }
  }
  return undefined;
}

function checkActions(economy: Economy): Unsound | undefined {
  for (const [index, action] of economy.actions.entries()) {
    const unsound = checkAction(economy, action);
    if (unsound !== undefined) {
      return { path: ["actions", index, unsound.key], problem: unsound.problem };
    }
  }
  return undefined;
}

function knownCurrency(unit: string, path: (string | number)[]): Unsound | undefined {
  if (currencyByCode(unit) !== undefined) return undefined;
  return { path, problem: `${unit} is not an ISO 4217 code that Florin knows` };
}
