// SPDX-License-Identifier: Apache-2.0
// The merchants of an economy (Fig. 5: merchant network 134): devices with funds drawn from the
// merchant's bank, credentials from the registry, offers at the gateway, a link to the card
// network.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { CredentialKind } from "../application/hostPort.ts";
import { type CardSettlement, MerchantService } from "../application/merchant.ts";
import { MerchantFunds } from "../application/merchantFunds.ts";
import type { AccountFunds } from "../application/topUp.ts";
import { Wallet } from "../application/wallet.ts";
import { AuthorityService } from "../network/authority/authority.ts";
import { Acquirer } from "../network/authorization/acquirer.ts";
import { ownAccount } from "../network/bank/chart.ts";
import { sqlIssuerStore } from "../network/bank/sqlIssuerStore.ts";
import type { RateFraction } from "../network/rates.ts";
import { formatAmount } from "../network/currencies.ts";
import { Rights, Role } from "../trust/certificates.ts";
import { admitOwner } from "./accounts.ts";
import { accountName, type Bank, withdraw } from "./banks.ts";
import { acquirerId, type CardNetwork, linkKey } from "./cards.ts";
import type { Economy, EconomyMerchant, EconomyOffer } from "./economyFile.ts";
import type { CertifiedParty, Foundations } from "./foundations.ts";
import { publishOffers } from "./offers.ts";
import { LOCAL_HOST } from "./partyDevice.ts";

const MERCHANT_CREDENTIAL_SECONDS = 365 * 24 * 3600;
const NO_ACCOUNT = { isClosed: true, balanceMinor: 0 };
const REGISTRY_NAME = "Merchant Registry";

/** One device of a merchant, in service. */
export interface MerchantDevice {
  party: CertifiedParty;
  service: MerchantService;
}

export interface Merchant {
  name: string;
  bank: Bank;
  devices: MerchantDevice[];
  /** Devices that do not open; the merchant goes on without them. */
  closed: CertifiedParty[];
  /** What it offers on all its devices; a merchant may change its terms. */
  offers: readonly EconomyOffer[];
  /** Its open accounts in one unit, at any bank, that are not empty. */
  accounts(unit: string): Promise<AccountFunds[]>;
  /** The money of all its devices and accounts. */
  funds: MerchantFunds;
  /** The authorization network's rate of a money unit in an account unit. */
  networkRate(moneyUnit: string, accountUnit: string): RateFraction | undefined;
  close(): Promise<void>;
}

export interface Merchants {
  all: Merchant[];
  close(): Promise<void>;
}

export async function openMerchants(
  base: Foundations,
  economy: Economy,
  banks: readonly Bank[],
  cards: CardNetwork,
): Promise<Merchants> {
  const registry = await openRegistry(base);
  const all: Merchant[] = [];
  for (const entry of economy.merchants) {
    const bank = banks.find(({ name }) => name === entry.bank);
    if (bank === undefined) throw new Error(`${entry.name} has no bank ${entry.bank}`);
    base.settings.progress(`merchant ${entry.name}`);
    all.push(await openMerchant({ base, economy, banks, bank, cards, registry }, entry));
  }
  return {
    all,
    close: async () => {
      for (const merchant of all) await merchant.close();
      registry.authority.close();
      await registry.device.close();
    },
  };
}

interface Registry {
  device: CertifiedParty;
  authority: AuthorityService;
}

async function openRegistry(base: Foundations): Promise<Registry> {
  const rights = Rights.MERCHANT_CREDENTIALS;
  const device = await base.makeDevice(
    REGISTRY_NAME,
    { agent: "authority-agent" },
    { agent: { role: Role.AUTHORITY, organisation: REGISTRY_NAME, rights, hasCounter: true } },
  );
  const { register } = base;
  const authority = new AuthorityService({
    device: device.device,
    name: REGISTRY_NAME,
    register,
    onAlarm: base.settings.alarm,
  });
  if (device.closures.length === 0) await authority.open();
  return { device, authority };
}

interface MerchantSetting {
  base: Foundations;
  economy: Economy;
  banks: readonly Bank[];
  bank: Bank;
  cards: CardNetwork;
  registry: Registry;
}

async function openMerchant(setting: MerchantSetting, entry: EconomyMerchant): Promise<Merchant> {
  const { base, economy, bank, cards } = setting;
  const acquirer = new Acquirer({
    config: {
      acquirerId: acquirerId(economy, entry.name),
      terminalId: "FLORIN01",
      linkKey: linkKey(base, entry.name),
      firstRetryMs: 2_000,
      longestRetryMs: 15_000,
      holdPatienceMs: 20_000,
    },
    host: LOCAL_HOST,
    port: cards.switch.port,
    firstTrace: base.nowSeconds() % 1_000_000,
  });
  const devices: MerchantDevice[] = [];
  const closed: CertifiedParty[] = [];
  const funds = new MerchantFunds({
    clock: base.settings.clock,
    accounts: (unit) => accountsOf(setting, entry.name, unit),
    withdraw: async (number, { source, amountMinor, unit }) => {
      const party = devices[number]?.party;
      if (party === undefined || source.type !== "account") return;
      const from = setting.banks.find(({ name }) => name === source.bank);
      if (from === undefined) throw new Error(`there is no bank ${source.bank}`);
      const { account } = source;
      await withdraw(base, from, { party, account, amountMinor, unit });
    },
    onTopUp: ({ to, from, amount, unit, outcome, reason }) => {
      const end = outcome === "ok" ? "" : `, which failed: ${reason}`;
      base.settings.detail(`${to} gets ${formatAmount(amount, unit)} from ${from}${end}`);
    },
  });
  for (const [index, held] of entry.devices.entries()) {
    const name = entry.devices.length === 1 ? entry.name : `${entry.name} ${index + 1}`;
    const party = await base.makeDevice(
      name,
      { agent: "merchant-agent", module: "transaction-module" },
      {
        agent: { role: Role.MERCHANT, hasCounter: true },
        module: { role: Role.TRANSACTION, hasCounter: true },
      },
    );
    if (party.closures.length > 0) {
      closed.push(party);
      continue;
    }
    await acquireCredential(setting, entry.name, party);
    const units = [...entry.devices.flatMap(Object.keys), ...entry.offers.map(({ unit }) => unit)];
    await admitOwner(setting, { name: entry.name, bank: entry.bank, units }, party);
    for (const [unit, amountMinor] of Object.entries(held)) {
      await fund(setting, entry.name, party, unit, amountMinor);
    }
    const service = new MerchantService({
      device: party.device,
      clock: base.settings.clock,
      acquirer,
      agentId: agentId(party),
      onSettled: (settlement) => bookSettlement(base, bank, entry.name, settlement),
      onShort: (tag, missingMinor, unit) => funds.short(index, tag, missingMinor, unit),
      onReceived: (payId) => funds.arrived(index, payId),
      onServed: (tag) => funds.gone(tag),
      onAlarm: (text) => base.settings.alarm(`${name}: ${text}`),
    });
    await service.open();
    devices.push({ party, service });
    funds.add({ name, url: party.url, device: party.device, service });
  }
  const merchant: Merchant = {
    name: entry.name,
    bank,
    devices,
    closed,
    offers: entry.offers,
    accounts: (unit) => accountsOf(setting, entry.name, unit),
    funds,
    networkRate: (moneyUnit, accountUnit) => cards.switch.publishedRate(moneyUnit, accountUnit),
    close: async () => {
      funds.close();
      acquirer.close();
      for (const { party, service } of devices) {
        service.close();
        await party.close();
      }
      for (const party of closed) await party.close();
    },
  };
  await publishOffers(base, merchant);
  return merchant;
}

/** Hexadecimal id of a party's trusted agent. */
export function agentId(party: CertifiedParty): string {
  const id = party.certified.agent?.subject;
  if (id === undefined) throw new Error(`${party.name} has no trusted agent`);
  return bytesToHex(id);
}

async function acquireCredential(
  { base, registry }: MerchantSetting,
  merchant: string,
  party: CertifiedParty,
): Promise<void> {
  const wallet = new Wallet(party.name, party.device, base.settings.clock);
  if ((await wallet.tickets()).some((ticket) => ticket.type === "merchant")) return;
  const now = base.nowSeconds();
  registry.authority.order(agentId(party), {
    kind: "merchant",
    merchant,
    owner: base.settings.secretFor(`owner/${merchant}`).slice(0, 8),
    validFrom: now - (now % 86_400),
    expires: now + MERCHANT_CREDENTIAL_SECONDS,
  });
  const result = await wallet.acquire(registry.device.url, CredentialKind.MERCHANT);
  if (result.state !== "committed") {
    throw new Error(`${party.name} got no merchant credential: ${result.reason}`);
  }
}

/** 740: what the merchant has in a unit, at any bank. */
async function accountsOf(
  { base, banks }: MerchantSetting,
  owner: string,
  unit: string,
): Promise<AccountFunds[]> {
  const account = accountName(owner, unit);
  const found: AccountFunds[] = [];
  for (const { name: bank } of banks) {
    const { isClosed, balanceMinor } = (await base.ledger.account(bank, account)) ?? NO_ACCOUNT;
    if (!isClosed && balanceMinor > 0) found.push({ bank, account, balanceMinor });
  }
  return found;
}

/**
 * Gives a device the money that the economy file says it has: cash is paid into the merchant's
 * account, and the device's module draws it as electronic money.
 */
async function fund(
  { base, bank }: MerchantSetting,
  owner: string,
  party: CertifiedParty,
  unit: string,
  amountMinor: number,
): Promise<void> {
  const account = accountName(owner, unit);
  const step = `fund/${party.name}/${unit}`;
  if (amountMinor === 0) return;
  await base.once(step, async () => {
    const result = await base.ledger.apply({
      bank: bank.name,
      entry: {
        transaction: step,
        leg: account,
        atSeconds: base.nowSeconds(),
        lines: [
          { account: ownAccount("reserve", unit), debitMinor: amountMinor },
          { account, debitMinor: -amountMinor },
        ],
      },
    });
    if (result.status === "refused") {
      throw new Error(`${bank.name} cannot fund ${party.name}: ${result.reason}`);
    }
    // The same command id after a restart: the module answers with that withdrawal's outcome.
    const commandId = sha256(utf8ToBytes(`${agentId(party)}/${step}`)).slice(0, 16);
    await withdraw(base, bank, { party, account, amountMinor, unit, commandId });
  });
}

/** The card issuer's clearing record becomes the merchant's credit (or debit, for a sale). */
export async function bookSettlement(
  base: Pick<Foundations, "database" | "ledger" | "register">,
  bank: Pick<Bank, "name" | "service">,
  owner: string,
  settlement: CardSettlement,
): Promise<void> {
  if (!settlement.isPosted) return;
  const mandateHash = bytesToHex(settlement.mandateHash);
  const { cardNumber } = settlement;
  const { transaction } = await sqlIssuerStore(base.database).load({ cardNumber, mandateHash });
  if (transaction?.state !== "posted") {
    throw new Error(`the card issuer's books do not show ${mandateHash} as posted`);
  }
  const { unit, amountMinor, direction } = transaction;
  const credential = base.register.of(transaction.customerAgentId);
  const card = credential.find(({ subject }) => subject === cardNumber);
  const merchantAccount = accountName(owner, unit);
  // Opened when first credited; one that is there stays as it is.
  await base.ledger.apply({
    bank: bank.name,
    open: [{ account: merchantAccount, owner, unit, kind: "deposit", drawers: [] }],
  });
  await bank.service.bookCardPosting({
    mandateHash,
    cardIssuer: card?.authority ?? "card network",
    merchantAccount,
    direction,
    amountMinor,
    unit,
  });
}
