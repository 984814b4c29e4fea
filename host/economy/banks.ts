// SPDX-License-Identifier: Apache-2.0
// The banks of an economy (Fig. 5: bank network 200): a ledger, a teller module each, and at
// issuers a generator module; stock is bought from the issuer before it is given out.
import { bytesToHex } from "@noble/hashes/utils.js";
import { randomBytes } from "node:crypto";
import { ask, runCommand } from "../application/commandRunner.ts";
import { HostMessage, hostBody, RequestKind } from "../application/hostPort.ts";
import { PeerLines } from "../application/peerLines.ts";
import { type Balance, readBalances } from "../application/wallet.ts";
import { BankService } from "../network/bank/bankService.ts";
import { correspondentBatches } from "../network/bank/chart.ts";
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

/** What a module draws from its account at a bank. */
export interface Withdrawal {
  party: CertifiedParty;
  account: string;
  amountMinor: number;
  unit: string;
  commandId?: Uint8Array;
}

/** Name of the account of an owner in a unit, at any bank. */
export function accountName(owner: string, unit: string): string {
  return `${owner}:${unit}`;
}

export async function openBanks(base: Foundations, economy: Economy): Promise<Bank[]> {
  const devices: { bank: EconomyBank; teller: CertifiedParty; generator?: CertifiedParty }[] = [];
  for (const bank of economy.banks) {
    const organisation = bank.name;
    const teller = await base.makeDevice(
      `${bank.name} teller`,
      { module: "teller-module" },
      { module: { role: Role.TELLER, organisation, hasCounter: true } },
    );
    if ((bank.issues ?? []).length === 0) {
      devices.push({ bank, teller });
      continue;
    }
    const generator = await base.makeDevice(
      `${bank.name} generator`,
      { module: "generator-module" },
      { module: { role: Role.GENERATOR, organisation, hasCounter: true } },
    );
    devices.push({ bank, teller, generator });
  }
  const banks: Bank[] = [];
  for (const { bank, teller, generator } of devices) {
    const others = devices.filter((other) => other.bank !== bank);
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
      },
      base.ledger,
      { nowSeconds: base.nowSeconds, onAlarm: base.settings.alarm },
    );
    await service.open(unitsOf(economy), depositsOf(bank));
    const stops = [await service.attach(moduleId(teller), teller.device)];
    if (generator !== undefined) {
      stops.push(await service.attach(moduleId(generator), generator.device));
    }
    banks.push({
      name: bank.name,
      issues: bank.issues ?? [],
      service,
      teller,
      generator,
      close: async () => {
        for (const stop of stops) stop();
        await service.settled();
        await teller.close();
        await generator?.close();
      },
    });
  }
  return banks;
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

/** Hexadecimal id of a party's money module. */
export function moduleId(party: CertifiedParty): string {
  const id = party.certified.module?.subject;
  if (id === undefined) throw new Error(`${party.name} has no money module`);
  return bytesToHex(id);
}

/** Money in a teller's stock, by unit. */
export async function moduleBalances(party: CertifiedParty): Promise<Balance[]> {
  return readBalances(await ask(party.device, "module", HostMessage.BALANCE));
}

/**
 * Has the bank's module pay out against the account; the teller buys new notes first where its
 * stock does not suffice (nested payments commit inside out: protocol section 4).
 * @throws {Error} in one sentence when the bank refuses
 */
export async function withdraw(
  base: Foundations,
  banks: readonly Bank[],
  bank: Bank,
  withdrawal: Withdrawal,
): Promise<void> {
  const { party, account, amountMinor, unit } = withdrawal;
  const stock = (await moduleBalances(bank.teller)).find((balance) => balance.unit === unit);
  const missing = amountMinor - (stock?.spendableMinor ?? 0);
  if (missing > 0) await restock(base, banks, bank, missing, unit);
  const { device } = party;
  const { clock } = base.settings;
  const commandId = withdrawal.commandId ?? new Uint8Array(randomBytes(16));
  const result = await new PeerLines(device, clock).use(bank.teller.url, (connection) =>
    runCommand({ device, target: "module", clock, connection, commandId }, (id) =>
      hostBody(HostMessage.BANK, id, RequestKind.WITHDRAW, amountMinor, unit, account),
    ),
  );
  if (result.state !== "committed") throw new Error(`${bank.name} did not pay: ${result.reason}`);
}

async function restock(
  base: Foundations,
  banks: readonly Bank[],
  bank: Bank,
  amountMinor: number,
  unit: string,
): Promise<void> {
  const issuer = bank.issues.includes(unit)
    ? bank
    : banks.find((other) => other.issues.includes(unit));
  if (issuer?.generator === undefined) throw new Error(`no bank here issues ${unit}`);
  if (issuer !== bank) await fundCorrespondent(base, bank, issuer, amountMinor, unit);
  const { device } = bank.teller;
  const { clock } = base.settings;
  const result = await new PeerLines(device, clock).use(issuer.generator.url, (connection) =>
    runCommand({ device, target: "module", clock, connection }, (id) =>
      hostBody(HostMessage.BANK, id, RequestKind.ISSUE, amountMinor, unit, null),
    ),
  );
  if (result.state !== "committed") {
    throw new Error(`${issuer.name} did not issue ${unit}: ${result.reason}`);
  }
  await bank.service.settled();
  await issuer.service.settled();
}

/** The bank pays into its deposit at the issuer what the new notes will cost it there. */
async function fundCorrespondent(
  base: Foundations,
  bank: Bank,
  issuer: Bank,
  amountMinor: number,
  unit: string,
): Promise<void> {
  const payment = `restock:${bytesToHex(new Uint8Array(randomBytes(16)))}`;
  const parties = { bank: bank.name, issuer: issuer.name, unit };
  for (const batch of correspondentBatches(payment, parties, amountMinor, base.nowSeconds())) {
    const result = await base.ledger.apply(batch);
    if (result.status !== "applied") throw new Error(`${bank.name} could not fund its restock`);
  }
}
