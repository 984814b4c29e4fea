// SPDX-License-Identifier: Apache-2.0
// What a schema cannot say of an economy's actions: that those they name take part, that their
// units circulate, that an exchange comes to something.
import type { EconomyAction, ExchangeAction } from "./economyActions.ts";
import type { Economy } from "./economyFile.ts";
import { nameProblem } from "./economyText.ts";
import { counterAmountOf } from "./exchangeTerms.ts";

/** Longest name of an account in notes and requests, in UTF-8. */
const ACCOUNT_BYTES = 64;

/** What is wrong with an action, under which of its keys. */
interface UnsoundAction {
  key: string;
  problem: string;
}

/** The first thing that makes an action unsound; undefined when there is none. */
export function checkAction(economy: Economy, action: EconomyAction): UnsoundAction | undefined {
  return checkUnits(economy, action) ?? checkParties(economy, action) ?? checkTerms(action);
}

function checkUnits({ units }: Economy, action: EconomyAction): UnsoundAction | undefined {
  const named = action as { unit?: string; counterUnit?: string };
  for (const key of ["unit", "counterUnit"] as const) {
    const unit = named[key];
    if (unit !== undefined && !units.includes(unit)) {
      return { key, problem: `${unit} is not among the economy's units` };
    }
  }
  return undefined;
}

function checkParties(economy: Economy, action: EconomyAction): UnsoundAction | undefined {
  const { people, merchants, banks } = economy;
  const check = (key: string, name: string | undefined, list: { name: string }[], what: string) =>
    name === undefined || list.some((entry) => entry.name === name)
      ? undefined
      : { key, problem: `"${name}" is not ${what} of this economy` };
  switch (action.do) {
    case "buy":
    case "sell":
      return (
        check("who", action.who, people, "a person") ??
        check("merchant", action.merchant, merchants, "a merchant")
      );
    case "pay":
    case "exchange":
      return (
        check("from", action.from, people, "a person") ?? check("to", action.to, people, "a person")
      );
    case "withdraw":
    case "deposit":
    case "refresh":
      return (
        check("who", action.who, [...people, ...merchants], "a person or merchant") ??
        check("bank", action.bank, banks, "a bank")
      );
    case "wait":
      return undefined;
  }
}

function checkTerms(action: EconomyAction): UnsoundAction | undefined {
  const { account } = action as { account?: string };
  const problem = account === undefined ? undefined : nameProblem(account, ACCOUNT_BYTES);
  if (problem !== undefined) return { key: "account", problem };
  if ((action.do === "pay" || action.do === "exchange") && action.from === action.to) {
    const verb = action.do === "pay" ? "pays themselves" : "exchanges with themselves";
    return { key: "to", problem: `is the same person: nobody ${verb}` };
  }
  if (action.do === "refresh" && action.amount !== undefined && action.unit === undefined) {
    return { key: "amount", problem: "needs a unit beside it" };
  }
  return action.do === "exchange" ? checkExchange(action) : undefined;
}

function checkExchange(action: ExchangeAction): UnsoundAction | undefined {
  const { unit, counterUnit, counterAmount, rate } = action;
  if (unit === counterUnit) return { key: "counterUnit", problem: `is ${unit} too: pay instead` };
  if ((counterAmount === undefined) === (rate === undefined)) {
    return { key: "do", problem: "exchange takes either counterAmount or rate" };
  }
  return counterAmountOf(action) === undefined
    ? { key: "rate", problem: "is no rate, or the counter amount comes to nothing or too much" }
    : undefined;
}
