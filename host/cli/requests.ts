// SPDX-License-Identifier: Apache-2.0
// What a running economy does for other terminals: the wallet commands and the audit. Options come
// over a socket and are checked before anything is begun.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { ExportKind } from "../application/hostPort.ts";
import { exportCertificates, exportItems } from "../application/wallet.ts";
import { answeredStatements, askedStatements } from "../application/statementFile.ts";
import { rankOffers } from "../application/shop.ts";
import { audit } from "../economy/audit.ts";
import {
  anyPersonNamed,
  ClosedDeviceError,
  personNamed,
  UnknownNameError,
} from "../economy/names.ts";
import type { Person } from "../economy/people.ts";
import { receiptReport } from "../economy/trades.ts";
import type { World } from "../economy/world.ts";
import { agencyRoot } from "../network/agency/agency.ts";
import { BANK_REQUESTS } from "./bankRequests.ts";
import { CLAIM_REQUESTS } from "./claimRequests.ts";
import type { ControlRequest } from "./control.ts";
import { MERCHANT_REQUESTS } from "./merchantRequests.ts";
import { CommandFailure, ExitCode } from "./output.ts";
import { amountOf, checkUnit, type Options, textOf } from "./requestOptions.ts";
import { WALLET_ORDERS } from "./walletOrders.ts";

/**
 * Carries out one request.
 * @throws {CommandFailure} with one sentence for the person who asked
 */
export async function answerRequest(
  world: World,
  { command, options }: ControlRequest,
): Promise<unknown> {
  try {
    const order = WALLET_ORDERS[command];
    if (order !== undefined) return await order(world, options);
    const question =
      MERCHANT_REQUESTS[command] ?? BANK_REQUESTS[command] ?? CLAIM_REQUESTS[command];
    if (question !== undefined) return await question(world, options);
    switch (command) {
      case "balance":
        return await balance(personOf(world, options));
      case "offers":
        return await offers(world, options);
      case "receipts":
        return await receipts(personOf(world, options));
      case "export":
        return await exportKind(world, options);
      case "statements export":
        return await statementsOf(world, options);
      case "statements import":
        return await takeStatements(world, options);
      case "audit":
        return await audit(world);
      default:
        throw new CommandFailure(`this economy does not know the command "${command}"`);
    }
  } catch (error) {
    if (error instanceof UnknownNameError) throw new CommandFailure(error.message);
    if (error instanceof ClosedDeviceError) {
      throw new CommandFailure(error.message, ExitCode.REFUSED);
    }
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

async function receipts({ wallet }: Person) {
  return (await wallet.receipts()).map(receiptReport);
}

async function exportKind(world: World, options: Options) {
  // A device that does not open still reads out what it has.
  const { party } = anyPersonNamed(world, textOf(options, "as"));
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
          ...(await exportCertificates(party.device, "agent")),
          ...(await exportCertificates(party.device, "module")),
        ].map(bytesToHex),
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

async function statementsOf(world: World, options: Options) {
  const { device } = personOf(world, options).party;
  return { statements: (await askedStatements(device)).map(bytesToHex) };
}

async function takeStatements(world: World, options: Options) {
  const { device } = personOf(world, options).party;
  const { statements } = options;
  const isHex = (item: unknown): item is string =>
    typeof item === "string" && /^(?:[0-9a-f]{2})+$/.test(item);
  if (!Array.isArray(statements) || !statements.every(isHex)) {
    throw new CommandFailure("the file holds no statements; make one with: statements export");
  }
  const answers = await answeredStatements(device, statements.map(hexToBytes));
  return { statements: answers.map(bytesToHex) };
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
