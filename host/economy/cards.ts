// SPDX-License-Identifier: Apache-2.0
// The card side of an economy (Fig. 5: authorization network 208): card issuers with their
// accounts, the authorities that issue card credentials, and the switch between them.
import { ed25519 } from "@noble/curves/ed25519.js";
import { AuthorityService, type CardOrder } from "../network/authority/authority.ts";
import type { CardAccount } from "../network/authorization/issuerBooks.ts";
import { IssuerHost } from "../network/authorization/issuerHost.ts";
import { SwitchHost } from "../network/authorization/switchHost.ts";
import { sqlIssuerStore } from "../network/bank/sqlIssuerStore.ts";
import { Rights, Role } from "../trust/certificates.ts";
import type { Economy, EconomyCard } from "./economyFile.ts";
import type { CertifiedParty, Foundations } from "./foundations.ts";
import { LOCAL_HOST } from "./partyDevice.ts";

/** Seconds that a hold lasts. */
const HOLD_SECONDS = 7 * 24 * 3600;
const LARGEST_AMOUNT = Number.MAX_SAFE_INTEGER;

/** One running card issuer. */
export interface CardIssuer {
  name: string;
  host: IssuerHost;
  device: CertifiedParty;
  authority: AuthorityService;
  approvalKey: Uint8Array;
}

export interface CardNetwork {
  issuers: CardIssuer[];
  switch: SwitchHost;
  close(): Promise<void>;
}

/** Gives back what is held for orders that nobody settled in time; to be called now and then. */
export async function releaseLapsedHolds(network: CardNetwork): Promise<void> {
  for (const { host } of network.issuers) await host.releaseLapsed();
}

/** Key of the link between the switch and an issuer or acquirer, by name. */
export function linkKey(base: Foundations, name: string): Uint8Array {
  return base.settings.secretFor(`link/${name}`);
}

/** Digits that identify an acquirer in card messages. */
export function acquirerId(economy: Economy, merchant: string): string {
  const index = economy.merchants.findIndex(({ name }) => name === merchant);
  return String(100000 + index);
}

export async function openCardNetwork(base: Foundations, economy: Economy): Promise<CardNetwork> {
  const issuers: CardIssuer[] = [];
  for (const { name, cards } of economy.cardIssuers) {
    issuers.push(await openIssuer(base, name, cards));
  }
  const acquirers = economy.merchants.map(({ name }) => [
    name,
    { acquirerId: acquirerId(economy, name), linkKey: linkKey(base, name) },
  ]);
  const routes = economy.cardIssuers.map(({ name, cards }) => [
    name,
    // Whole numbers as prefixes: an economy file may give any number to any issuer.
    { prefixes: cards.map(({ number }) => number), linkKey: linkKey(base, name) },
  ]);
  const addresses = issuers.map(({ name, host }) => [name, { host: LOCAL_HOST, port: host.port }]);
  const network = await SwitchHost.start({
    config: { acquirers: Object.fromEntries(acquirers), issuers: Object.fromEntries(routes) },
    host: LOCAL_HOST,
    port: 0,
    issuerAddresses: Object.fromEntries(addresses),
    rates: economy.networkRates ?? {},
  });
  return {
    issuers,
    switch: network,
    close: async () => {
      await network.close();
      for (const issuer of issuers) {
        issuer.authority.close();
        await issuer.host.close();
        await issuer.device.close();
      }
    },
  };
}

async function openIssuer(
  base: Foundations,
  name: string,
  cards: readonly EconomyCard[],
): Promise<CardIssuer> {
  const device = await base.makeDevice(
    `${name} authority`,
    { agent: "authority-agent" },
    {
      agent: { role: Role.AUTHORITY, organisation: name, rights: Rights.CARDS, hasCounter: true },
    },
  );
  const onAlarm = base.settings.alarm;
  const { register } = base;
  const authority = new AuthorityService({ device: device.device, name, register, onAlarm });
  if (device.closures.length === 0) await authority.open();
  const approvalSeed = base.settings.secretFor(`approval/${name}`);
  const store = sqlIssuerStore(base.database);
  await base.once(`cards/${name}`, async () => {
    await store.apply(cards.map((card) => ({ kind: "putAccount", account: accountOf(card) })));
  });
  const host = await IssuerHost.start({
    config: {
      approvalSeed,
      holdS: HOLD_SECONDS,
      directory: register.directoryFor(name, base.agentKeyById),
      links: { [name]: linkKey(base, name) },
    },
    store,
    isOwnCard: (cardNumber) => cards.some(({ number }) => number === cardNumber),
    host: LOCAL_HOST,
    port: 0,
    nowS: base.nowSeconds,
  });
  return { name, host, device, authority, approvalKey: ed25519.getPublicKey(approvalSeed) };
}

function accountOf(card: EconomyCard): CardAccount {
  const isCredit = card.kind === "credit";
  const balance = card.balance ?? 0;
  const limit = card.limit ?? 0;
  return {
    cardNumber: card.number,
    kind: card.kind,
    unit: card.unit,
    expiry: card.expires.slice(2).replace("-", ""),
    standing: card.blocked === true ? "blocked" : "open",
    directions: ["buy", "sell"],
    balanceMinor: isCredit ? 0 - balance : balance,
    creditLimitMinor: isCredit ? limit : 0,
    transactionLimitMinor: isCredit || limit === 0 ? LARGEST_AMOUNT : limit,
    heldDebitMinor: 0,
    heldCreditMinor: 0,
  };
}

/** The first second after a card's last month, UTC. */
export function cardExpirySeconds(expires: string): number {
  const [year = 0, month = 1] = expires.split("-").map(Number);
  return Date.UTC(year, month, 1) / 1000;
}

/** What the issuer's authority writes into a card's credential. */
export function cardOrder(issuer: CardIssuer, card: EconomyCard, nowSeconds: number): CardOrder {
  return {
    kind: "card",
    bank: issuer.name,
    cardNumber: card.number,
    validFrom: nowSeconds - (nowSeconds % 86_400),
    expires: cardExpirySeconds(card.expires),
    customer: card.holder,
    cardKind: card.kind,
    unit: card.unit,
    approvalKey: issuer.approvalKey,
  };
}
