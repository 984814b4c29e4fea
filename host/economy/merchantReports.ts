// SPDX-License-Identifier: Apache-2.0
// What a merchant can know of its own devices: their money and what they are promised to give,
// where money came from, what they offer, and their agents' logs with the receipts' ids.
import { agentLog, type ModuleLogEntry, moduleLog } from "../application/deviceLogs.ts";
import { PaymentState } from "../application/hostPort.ts";
import { promisedMinor } from "../application/merchantApplication.ts";
import { reasonSentence } from "../application/reasons.ts";
import { moduleBalances, moduleId } from "./banks.ts";
import { agentId, type Merchant, type MerchantDevice } from "./merchants.ts";
import type { World } from "./world.ts";

/** Money of one device in one unit, minor units. */
export interface DeviceFundsReport {
  unit: string;
  spendable: number;
  /** Part of `spendable` that customers who are being served will get. */
  promised: number;
  inDoubt: number;
  refresh: number;
}

/** Money that came without a customer: from another device of the merchant, or from a bank. */
export interface TopUpReport {
  date: string;
  from: string;
  amount: number;
  unit: string;
  outcome: string;
}

export interface FundsReport {
  merchant: string;
  devices: { name: string; money: DeviceFundsReport[]; topUps: TopUpReport[] }[];
  accounts: { bank: string; account: string; unit: string; balance: number }[];
}

export async function fundsReport(world: World, merchant: Merchant): Promise<FundsReport> {
  const sources = sourceNames(world, merchant);
  const devices = [];
  for (const { party, service } of merchant.devices) {
    const money = (await moduleBalances(party)).map((balance) => ({
      unit: balance.unit,
      spendable: balance.spendableMinor,
      promised: promisedMinor(service.state, balance.unit),
      inDoubt: balance.inDoubtMinor,
      refresh: balance.refreshMinor,
    }));
    const log = await moduleLog(party.device);
    devices.push({ name: party.name, money, topUps: log.flatMap(topUpReport(sources)) });
  }
  const accounts = [];
  for (const unit of world.economy.units) {
    for (const { balanceMinor, ...account } of await merchant.accounts(unit)) {
      accounts.push({ ...account, unit, balance: balanceMinor });
    }
  }
  return { merchant: merchant.name, devices, accounts };
}

/** By id of a money module: the name of the device or bank that it belongs to. */
function sourceNames({ banks }: World, merchant: Merchant): ReadonlyMap<string, string> {
  return new Map([
    ...banks.map(({ name, teller }) => [moduleId(teller), name] as const),
    ...merchant.devices.map(({ party }) => [moduleId(party), party.name] as const),
  ]);
}

function topUpReport(sources: ReadonlyMap<string, string>) {
  return (entry: ModuleLogEntry): TopUpReport[] => {
    const from = sources.get(entry.peer);
    if (entry.isPayer || from === undefined) return [];
    const { amountMinor: amount, unit, state, reason } = entry;
    const date = new Date(entry.atSeconds * 1000).toISOString();
    return [{ date, from, amount, unit, outcome: outcomeOf(state, reason) }];
  };
}

export interface DeviceReport {
  name: string;
  merchant: string;
  /** Where customers and the other devices reach it. */
  endpoint: string;
  agent: string;
  module: string;
  /** Card settlements that are not finished. */
  unsettled: number;
}

export function deviceReport({ name: merchant }: Merchant, device: MerchantDevice): DeviceReport {
  const { party, service } = device;
  return {
    name: party.name,
    merchant,
    endpoint: party.url,
    agent: agentId(party),
    module: moduleId(party),
    unsettled: service.state.waitingForSettlement.length,
  };
}

export interface LogReport {
  device: string;
  date: string;
  what: string;
  outcome: string;
  amount: number;
  unit: string | null;
  /** The customer's or peer's agent. */
  peer: string;
  transactionId: string | null;
  receipt: string | null;
}

/** Kinds of entries in an agent's log (docs/protocol.cddl section 8). */
const LOG_KINDS: Readonly<Record<number, string>> = {
  2: "paid another device",
  3: "paid by another device",
  4: "credential received",
  6: "customer served",
  7: "card settled",
};
const CARD_SETTLED = 7;
/** Those whose ticket is a receipt, not a credential. */
const RECEIPT_KINDS = [6, CARD_SETTLED];
/** State of a settled card in an entry of that kind (docs/protocol.cddl, posting). */
const POSTINGS: Readonly<Record<number, string>> = { 1: "posted", 2: "voided", 3: "refused" };

export async function logReport({ devices }: Merchant): Promise<LogReport[]> {
  const entries = [];
  for (const { party } of devices) {
    for (const entry of await agentLog(party.device)) entries.push({ device: party.name, entry });
  }
  return entries
    .sort((a, b) => a.entry.atMs - b.entry.atMs)
    .map(({ device, entry }) => ({
      device,
      date: new Date(entry.atMs).toISOString(),
      what: LOG_KINDS[entry.kind] ?? `kind ${entry.kind}`,
      outcome:
        entry.kind === CARD_SETTLED
          ? (POSTINGS[entry.state] ?? "")
          : outcomeOf(entry.state, entry.reason),
      amount: entry.amountMinor,
      unit: entry.unit,
      peer: entry.peer,
      transactionId: entry.transactionId,
      receipt: RECEIPT_KINDS.includes(entry.kind) ? entry.ticketId : null,
    }));
}

function outcomeOf(state: number, reason: number): string {
  if (state === PaymentState.COMMITTED) return "ok";
  return state === PaymentState.IN_DOUBT ? "in doubt" : `refused: ${reasonSentence(reason)}`;
}
