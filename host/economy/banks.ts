// SPDX-License-Identifier: Apache-2.0
// The banks of an economy (Fig. 5: bank network 200): a ledger, a teller module each, and at
// issuers a generator module. What a bank does is in host/network/bank; here it is wired up.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { ask, runCommand } from "../application/commandRunner.ts";
import type { PurchaseResult } from "../application/customerApplication.ts";
import { HostMessage, hostBody, RequestKind } from "../application/hostPort.ts";
import { closureSentence } from "../application/closedModule.ts";
import { PeerLines } from "../application/peerLines.ts";
import { type Balance, readBalances } from "../application/wallet.ts";
import type { TransactionDevice } from "../device/types.ts";
import { BankService } from "../network/bank/bankService.ts";
import type { Issuers } from "../network/bank/chart.ts";
import type { GeneratorLine } from "../network/bank/tellerStock.ts";
import { Role } from "../trust/certificates.ts";
import type { Economy, EconomyBank } from "./economyFile.ts";
import type { CertifiedParty, Foundations } from "./foundations.ts";

/** One running bank. */
export interface Bank {
  name: string;
  issues: readonly string[];
  service: BankService;
  teller: CertifiedParty;
  generator: CertifiedParty | undefined;
  close(): Promise<void>;
}

/** What a device's owner wants of a bank. */
export interface BankOrder {
  party: CertifiedParty;
  request:
    | typeof RequestKind.WITHDRAW
    | typeof RequestKind.DEPOSIT
    /** The amount is then the most: as much as fits in one packet is made fresh. */
    | typeof RequestKind.REFRESH;
  amountMinor: number;
  unit: string;
  /** Null for a refresh. */
  account: string | null;
  commandId?: Uint8Array;
}

/** What a module draws from its account at a bank. */
export type Withdrawal = Omit<BankOrder, "request" | "account"> & { account: string };

interface BankDevices {
  bank: EconomyBank;
  teller: CertifiedParty;
  generator: CertifiedParty | undefined;
}

/** Name of the account of an owner in a unit, at any bank. */
export function accountName(owner: string, unit: string): string {
  return `${owner}:${unit}`;
}

export async function openBanks(base: Foundations, economy: Economy): Promise<Bank[]> {
  const devices: BankDevices[] = [];
  for (const bank of economy.banks) devices.push(await openBankDevices(base, bank));
  const banks: Bank[] = [];
  for (const own of devices) banks.push(await openBank(base, economy, own, devices));
  return banks;
}

async function openBankDevices(base: Foundations, bank: EconomyBank): Promise<BankDevices> {
  const organisation = bank.name;
  const teller = await base.makeDevice(
    `${bank.name} teller`,
    { module: "teller-module" },
    { module: { role: Role.TELLER, organisation, hasCounter: true } },
  );
  if ((bank.issues ?? []).length === 0) return { bank, teller, generator: undefined };
  const generator = await base.makeDevice(
    `${bank.name} generator`,
    { module: "generator-module" },
    { module: { role: Role.GENERATOR, organisation, hasCounter: true } },
  );
  return { bank, teller, generator };
}

async function openBank(
  base: Foundations,
  economy: Economy,
  { bank, teller, generator }: BankDevices,
  all: readonly BankDevices[],
): Promise<Bank> {
  const others = all.filter((other) => other.bank !== bank);
  // Its own notes first, then those of the others in the order of the file.
  const preferred = [...all].sort((a, b) => Number(b.bank === bank) - Number(a.bank === bank));
  const service = new BankService(
    {
      bank: bank.name,
      tellers: [moduleId(teller)],
      generators: generator === undefined ? [] : [moduleId(generator)],
      correspondentTellers: Object.fromEntries(
        others.map((other) => [moduleId(other.teller), other.bank.name]),
      ),
      correspondentGenerators: Object.fromEntries(
        others.flatMap((other) =>
          other.generator === undefined ? [] : [[moduleId(other.generator), other.bank.name]],
        ),
      ),
      issuers: issuersOf(economy, preferred),
    },
    base.ledger,
    {
      nowSeconds: base.nowSeconds,
      clock: base.settings.clock,
      moduleRoot: base.moduleRoot(),
      onAlarm: (text) => base.settings.alarm(`${bank.name}: ${text}`),
      onConviction: ({ module }) => base.distrustModule(hexToBytes(module)),
      onAcquittal: async (module) => {
        // Another bank may have found it guilty of something else.
        for (const { bank: other } of all) {
          const guilty = await base.ledger.convictions(other.name);
          if (guilty.some((conviction) => conviction.module === module)) return;
        }
        await base.trustModule(hexToBytes(module));
      },
    },
  );
  await service.open(unitsOf(economy), depositsOf(bank));
  const generators = preferred.flatMap((other) => generatorLine(base, teller, other) ?? []);
  const stops: (() => void)[] = [];
  // A module that does not open serves nobody; the books stay open.
  if (teller.closures.length === 0) {
    stops.push(await service.attachTeller(moduleId(teller), teller.device, generators));
  }
  if (generator?.closures.length === 0) {
    stops.push(await service.attachGenerator(moduleId(generator), generator.device));
  }
  return {
    name: bank.name,
    issues: bank.issues ?? [],
    service,
    teller,
    generator,
    close: async () => {
      await service.settled();
      for (const stop of stops) stop();
      await teller.close();
      await generator?.close();
    },
  };
}

function issuersOf(economy: Economy, preferred: readonly BankDevices[]): Issuers {
  const namesFor = (unit: string) =>
    preferred.filter(({ bank }) => bank.issues?.includes(unit)).map(({ bank }) => bank.name);
  return Object.fromEntries(economy.units.map((unit) => [unit, namesFor(unit)]));
}

/** The way from a bank's teller to a generator, its own bank's or another's. */
function generatorLine(
  base: Foundations,
  teller: CertifiedParty,
  { bank, generator }: BankDevices,
): GeneratorLine | undefined {
  if (generator === undefined) return undefined;
  return {
    bank: bank.name,
    units: bank.issues ?? [],
    order: async (request, amountMinor, unit) => {
      const { state, reason, reasonNumber } = await runBankCommand(base, teller, generator, [
        request,
        amountMinor,
        unit,
        null,
      ]);
      const isDone = state === "committed";
      return { isDone, reason: isDone ? "" : reason, reasonNumber };
    },
  };
}

/** Every unit that any account, card or note of the economy is in. */
export function unitsOf(economy: Economy): string[] {
  const units = new Set(economy.units);
  for (const bank of economy.banks) for (const { unit } of bank.accounts ?? []) units.add(unit);
  for (const merchant of economy.merchants) {
    for (const { accountUnit } of merchant.offers) units.add(accountUnit);
  }
  return [...units].sort();
}

function depositsOf(bank: EconomyBank) {
  return (bank.accounts ?? []).map(({ owner, unit, balance }) => ({
    account: accountName(owner, unit),
    owner,
    unit,
    drawers: [],
    openingMinor: balance,
  }));
}

/** Hexadecimal id of a party's money module. @throws {Error} where it cannot be told */
export function moduleId(party: CertifiedParty): string {
  const id = party.certified.module?.subject;
  const [closure] = party.closures;
  if (id === undefined && closure !== undefined) {
    throw new Error(closureSentence(party.name, closure));
  }
  if (id === undefined) throw new Error(`${party.name} has no money module`);
  return bytesToHex(id);
}

/** Money in a teller's stock, by unit. */
export async function moduleBalances(party: CertifiedParty): Promise<Balance[]> {
  return readBalances(await ask(party.device, "module", HostMessage.BALANCE));
}

/** Carries out an order at the bank's teller, and gives how it ended. */
export function askBank(base: Foundations, bank: Bank, order: BankOrder): Promise<PurchaseResult> {
  const { party, request, amountMinor, unit, account, commandId } = order;
  const fields = [request, amountMinor, unit, account];
  return runBankCommand(base, party, bank.teller, fields, commandId);
}

/**
 * Has the bank's teller pay out against the account.
 * @throws {Error} in one sentence when the bank refuses
 */
export async function withdraw(base: Foundations, bank: Bank, order: Withdrawal): Promise<void> {
  const result = await askBank(base, bank, { ...order, request: RequestKind.WITHDRAW });
  if (result.state !== "committed") throw new Error(`${bank.name} did not pay: ${result.reason}`);
}

/** Reason of docs/protocol.cddl section 9. */
const CONNECTION_LOST = 49;

/** Lines of each device to banks' modules; they stay open a while, for the next order. */
const lines = new WeakMap<TransactionDevice, PeerLines>();

/** Has a module carry out command 81 over a line to a bank's module. */
async function runBankCommand(
  base: Foundations,
  party: CertifiedParty,
  module: CertifiedParty,
  fields: readonly unknown[],
  commandId?: Uint8Array,
): Promise<PurchaseResult> {
  const { device } = party;
  const { clock } = base.settings;
  const ways = lines.get(device) ?? new PeerLines(device, clock);
  lines.set(device, ways);
  let way: string;
  try {
    way = await base.network.wayTo(party, module);
  } catch (error) {
    return unreachable(error);
  }
  return ways.use(way, (connection) =>
    runCommand(
      { device, target: "module", clock, connection, ...(commandId ? { commandId } : {}) },
      (id) => hostBody(HostMessage.BANK, id, ...fields),
    ),
  );
}

/** Nothing was begun: the network did not let the module through. */
function unreachable(error: unknown): PurchaseResult {
  const text = error instanceof Error ? error.message : String(error);
  return {
    state: "aborted",
    reason: text.replace(/\.$/, ""),
    reasonNumber: CONNECTION_LOST,
    responseCode: null,
    transactionId: null,
    payId: null,
    ticket: null,
  };
}
