// SPDX-License-Identifier: Apache-2.0
// What a running economy does for other terminals: the wallet commands and the audit. Options come
// over a socket and are checked before anything is begun.
import { bytesToHex } from "@noble/hashes/utils.js";
import { ExportKind } from "../application/hostPort.ts";
import { exportItems } from "../application/wallet.ts";
import { rankOffers } from "../application/shop.ts";
import { pay } from "../economy/actions.ts";
import { audit } from "../economy/audit.ts";
import { personNamed, UnknownNameError } from "../economy/names.ts";
import type { Person } from "../economy/people.ts";
import { receiptReport, trade } from "../economy/trades.ts";
import type { World } from "../economy/world.ts";
import { agencyRoot } from "../network/agency/agency.ts";
import { decodeCbor, encodeCbor } from "../trust/cbor.ts";
import type { ControlRequest } from "./control.ts";
import { CommandFailure, ExitCode } from "./output.ts";

type Options = Record<string, unknown>;

/**
 * Carries out one request.
 * @throws {CommandFailure} with one sentence for the person who asked
 */
export async function answerRequest(
  world: World,
  { command, options }: ControlRequest,
): Promise<unknown> {
  try {
    switch (command) {
      case "balance":
        return await balance(personOf(world, options));
      case "offers":
        return await offers(world, options);
      case "buy":
      case "sell":
        return await orderTrade(world, command, options);
      case "pay":
        return await orderPayment(world, options);
      case "receipts":
        return await receipts(personOf(world, options));
      case "export":
        return await exportKind(world, options);
      case "audit":
        return await audit(world);
      default:
        throw new CommandFailure(`this economy does not know the command "${command}"`);
    }
  } catch (error) {
    if (error instanceof UnknownNameError) throw new CommandFailure(error.message);
    throw error;
  }
}

async function balance({ name, wallet }: Person) {
  const money = await wallet.balances();
  const cards = await wallet.cards();
  return {
    name,
    money: money.map(({ unit, spendableMinor, inDoubtMinor, refreshMinor }) => ({
      unit,
      spendable: spendableMinor,
      inDoubt: inDoubtMinor,
      refresh: refreshMinor,
    })),
    cards: cards.map(({ account, kind, unit, bank }) => ({ number: account, kind, unit, bank })),
  };
}

async function offers(world: World, options: Options) {
  const unit = textOf(options, "unit");
  checkUnit(world, unit);
  const direction = options.sell === true ? "sell" : "buy";
  const amountMinor = options.amount === undefined ? undefined : amountOf(options);
  const { gateway, agentRoot, nowSeconds } = world.base;
  const found = await gateway.query(direction, unit, agentRoot(), nowSeconds());
  const accountUnits = [...new Set(found.map(({ terms }) => terms.accountUnit))].sort();
  // Best first within each account unit; amounts in two of them cannot be compared.
  type Listed = { offer: (typeof found)[number]; total: number | null };
  const listed = accountUnits.flatMap((accountUnit): Listed[] => {
    const offers = found.filter(({ terms }) => terms.accountUnit === accountUnit);
    if (amountMinor === undefined) return offers.map((offer) => ({ offer, total: null }));
    const wish = { direction, moneyUnit: unit, accountUnit, amountMinor } as const;
    const ranked = rankOffers(offers, wish, nowSeconds());
    return ranked.map(({ offer, cost }) => ({ offer, total: cost.accountMinor }));
  });
  return listed.map(({ offer: { terms }, total }) => ({
    merchant: terms.name,
    direction,
    unit,
    accountUnit: terms.accountUnit,
    fee: terms.feeMinor,
    feeBasisPoints: terms.feeBasisPoints,
    rate: { numerator: terms.rateNumerator, denominator: terms.rateDenominator },
    maximum: terms.maximumMinor,
    expires: new Date(terms.expires * 1000).toISOString(),
    cost: total,
  }));
}

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

async function orderPayment(world: World, options: Options) {
  const from = personOf(world, options).name;
  const to = textOf(options, "to");
  if (from === to) throw new CommandFailure("nobody pays themselves; name another --to");
  const unit = textOf(options, "unit");
  checkUnit(world, unit);
  return refusable(await pay(world, { do: "pay", from, to, unit, amount: amountOf(options) }));
}

/** A refused order is a failure of the command, with the reason as its sentence. */
function refusable<Outcome extends { outcome: "ok" | "refused"; reason?: string }>(
  outcome: Outcome,
): Outcome {
  if (outcome.outcome === "ok") return outcome;
  throw new CommandFailure(outcome.reason ?? "it was refused", ExitCode.REFUSED);
}

async function receipts({ wallet }: Person) {
  return (await wallet.receipts()).map(receiptReport);
}

async function exportKind(world: World, options: Options) {
  const { party } = personOf(world, options);
  const kind = textOf(options, "kind");
  const { agent, module } = world.base.agencies;
  const rootOf = (state: typeof agent) => {
    const { id, key } = agencyRoot(state);
    return { id: bytesToHex(id), key: bytesToHex(key) };
  };
  const fetch = async (number: number, target: "agent" | "module") =>
    (await exportItems(party.device, number, target)).map(bytesToHex);
  const exports: Record<string, () => Promise<string[]>> = {
    tickets: () => fetch(ExportKind.TICKETS, "agent"),
    notes: () => fetch(ExportKind.NOTES, "module"),
    certificates: async () => [
      ...new Set(
        [
          ...(await exportItems(party.device, ExportKind.CERTIFICATES, "agent")),
          ...(await exportItems(party.device, ExportKind.CERTIFICATES, "module")),
        ].flatMap((item) => certificatesIn(item).map(bytesToHex)),
      ),
    ],
  };
  const chosen = exports[kind];
  if (chosen === undefined) {
    throw new CommandFailure(`--kind takes notes, tickets or certificates, not "${kind}"`);
  }
  const roots = { agent: rootOf(agent), module: rootOf(module) };
  return { kind, holder: holderOf(party.certified), roots, items: await chosen() };
}

/** The certificates of one exported item: a device's own come as a chain of two. */
function certificatesIn(item: Uint8Array): Uint8Array[] {
  const value = decodeCbor(item);
  const isChain = Array.isArray(value) && value.length === 2;
  return isChain ? value.map((certificate) => encodeCbor(certificate)) : [item];
}

function holderOf(certified: Person["party"]["certified"]) {
  return {
    agent: certified.agent === undefined ? null : bytesToHex(certified.agent.subject),
    module: certified.module === undefined ? null : bytesToHex(certified.module.subject),
  };
}

function personOf(world: World, options: Options): Person {
  return personNamed(world, textOf(options, "as"));
}

function textOf(options: Options, key: string): string {
  const value = options[key];
  if (typeof value === "string" && value !== "") return value;
  throw new CommandFailure(`--${key} is missing`);
}

/** How each amount is named on the command line. */
const AMOUNT_OPTIONS = { amount: "--amount", atMost: "--at-most", atLeast: "--at-least" } as const;

function amountOf(options: Options, key: keyof typeof AMOUNT_OPTIONS = "amount"): number {
  const value = Number(options[key]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  const name = AMOUNT_OPTIONS[key];
  throw new CommandFailure(
    `${name} takes minor units, a whole number above 0, not "${String(options[key])}"`,
  );
}

function checkUnit(world: World, unit: string): void {
  if (world.economy.units.includes(unit)) return;
  const units = world.economy.units.join(", ");
  throw new CommandFailure(`"${unit}" does not circulate here; there are ${units}`);
}
