// SPDX-License-Identifier: Apache-2.0
// Orders of people to a running economy: buy, sell, pay, exchange, and what they do at banks. A
// refused order is a failure of the command, with the reason as its sentence.
import { reasonSentence } from "../application/reasons.ts";
import { refresh, useAccount } from "../economy/bankActions.ts";
import { agentId } from "../economy/merchants.ts";
import { personNamed } from "../economy/names.ts";
import { exchange, pay } from "../economy/payments.ts";
import type { Person } from "../economy/people.ts";
import { trade } from "../economy/trades.ts";
import type { World } from "../economy/world.ts";
import { CommandFailure, ExitCode } from "./output.ts";
import { amountOf, checkUnit, optionalText, type Options, textOf } from "./requestOptions.ts";

/** The reason of an owner who did not agree (docs/protocol.cddl section 9). */
const OWNER_REFUSED = 19;

type Order = (world: World, options: Options) => Promise<unknown>;

/** By the name of the command. */
export const WALLET_ORDERS: Readonly<Record<string, Order>> = {
  buy: (world, options) => orderTrade(world, "buy", options),
  sell: (world, options) => orderTrade(world, "sell", options),
  pay: orderPayment,
  request: orderRequest,
  accept,
  exchange: orderExchange,
  withdraw: (world, options) => orderAccount(world, "withdraw", options),
  deposit: (world, options) => orderAccount(world, "deposit", options),
  refresh: orderRefresh,
};

async function orderTrade(world: World, direction: "buy" | "sell", options: Options) {
  const person = personOf(world, options);
  const unit = textOf(options, "unit");
  checkUnit(world, unit);
  const amount = amountOf(options);
  const cards = await person.wallet.cards();
  const [only] = cards;
  const wanted = options.card === undefined ? undefined : textOf(options, "card");
  if (wanted === undefined && (cards.length !== 1 || only === undefined)) {
    const numbers = cards.map(({ account }) => account).join(", ") || "none";
    throw new CommandFailure(`name a card with --card; ${person.name} has ${numbers}`);
  }
  const card = wanted ?? only?.account ?? "";
  const merchant = options.merchant === undefined ? {} : { merchant: textOf(options, "merchant") };
  const limit = {
    ...(options.atMost === undefined ? {} : { atMostMinor: amountOf(options, "atMost") }),
    ...(options.atLeast === undefined ? {} : { atLeastMinor: amountOf(options, "atLeast") }),
  };
  const action = { do: direction, who: person.name, amount, unit, card, ...merchant };
  return refusable(await trade(world, action, limit));
}

/** With --request the payee's device asks: the order is the payer's agreement. */
async function orderPayment(world: World, options: Options) {
  const from = personOf(world, options).name;
  const to = otherOf(from, options, "to");
  const request = options.request === true;
  return refusable(await pay(world, { do: "pay", from, to, ...moneyOf(world, options), request }));
}

/** The payee's order: the payer must have agreed before (`accept`). */
async function orderRequest(world: World, options: Options) {
  const to = personOf(world, options).name;
  const from = otherOf(to, options, "from");
  const action = { do: "pay" as const, from, to, ...moneyOf(world, options), request: true };
  const outcome = await pay(world, action, options.agreed === true);
  return refusable(withHint(outcome, from));
}

/** Agrees once to pay what a peer will ask for. */
async function accept(world: World, options: Options) {
  const person = personOf(world, options);
  const peer = otherOf(person.name, options, "from");
  const { amount, unit } = moneyOf(world, options);
  const counterUnit = optionalText(options, "counterUnit").counterUnit;
  if ((counterUnit === undefined) !== (options.counterAmount === undefined)) {
    throw new CommandFailure("--counter-amount and --counter-unit go together");
  }
  if (counterUnit !== undefined) checkUnit(world, counterUnit);
  const gets =
    counterUnit === undefined
      ? null
      : { amountMinor: amountOf(options, "counterAmount"), unit: counterUnit };
  const pays = { amountMinor: amount, unit };
  person.acceptances.push({ peer: agentId(personNamed(world, peer).party), pays, gets });
  return { who: person.name, from: peer, amount, unit, gets };
}

async function orderExchange(world: World, options: Options) {
  const from = personOf(world, options).name;
  const to = otherOf(from, options, "with");
  const money = moneyOf(world, options);
  const counterUnit = textOf(options, "counterUnit");
  checkUnit(world, counterUnit);
  const { rate } = optionalText(options, "rate");
  if (counterUnit === money.unit) {
    throw new CommandFailure("both units are the same; pay instead");
  }
  if ((rate === undefined) === (options.counterAmount === undefined)) {
    throw new CommandFailure("name either --counter-amount or --rate");
  }
  const terms =
    rate === undefined ? { counterAmount: amountOf(options, "counterAmount") } : { rate };
  const action = { do: "exchange" as const, from, to, ...money, counterUnit, ...terms };
  const outcome = await exchange(world, action, options.agreed === true);
  return refusable(withHint(outcome, to));
}

/** Tells what the other owner would have had to do. */
function withHint<Outcome extends { outcome: "ok" | "refused"; reason?: string }>(
  outcome: Outcome,
  other: string,
): Outcome {
  if (outcome.outcome === "ok" || outcome.reason !== reasonSentence(OWNER_REFUSED)) return outcome;
  const hint = `${other} must agree before, with: florin wallet accept --as "${other}"`;
  return { ...outcome, reason: `${outcome.reason}; ${hint}` };
}

async function orderAccount(world: World, kind: "withdraw" | "deposit", options: Options) {
  const who = textOf(options, "as");
  const where = { ...optionalText(options, "bank"), ...optionalText(options, "account") };
  const action = { do: kind, who, ...moneyOf(world, options), ...where };
  return refusable(await useAccount(world, action));
}

async function orderRefresh(world: World, options: Options) {
  const who = textOf(options, "as");
  const { unit } = optionalText(options, "unit");
  if (unit !== undefined) checkUnit(world, unit);
  if (options.amount !== undefined && unit === undefined) {
    throw new CommandFailure("--amount needs --unit beside it");
  }
  return refusable(
    await refresh(world, {
      do: "refresh",
      who,
      ...(unit === undefined ? {} : { unit }),
      ...(options.amount === undefined ? {} : { amount: amountOf(options) }),
      ...optionalText(options, "bank"),
    }),
  );
}

function personOf(world: World, options: Options): Person {
  return personNamed(world, textOf(options, "as"));
}

/** The other one of a payment, which nobody makes to themselves. */
function otherOf(name: string, options: Options, key: string): string {
  const other = textOf(options, key);
  if (other === name) throw new CommandFailure(`nobody pays themselves; name another --${key}`);
  return other;
}

function moneyOf(world: World, options: Options): { amount: number; unit: string } {
  const unit = textOf(options, "unit");
  checkUnit(world, unit);
  return { amount: amountOf(options), unit };
}

/** A refused order is a failure of the command, with the reason as its sentence. */
function refusable<Outcome extends { outcome: "ok" | "refused"; reason?: string }>(
  outcome: Outcome,
): Outcome {
  if (outcome.outcome === "ok") return outcome;
  throw new CommandFailure(outcome.reason ?? "it was refused", ExitCode.REFUSED);
}
