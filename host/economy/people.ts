// SPDX-License-Identifier: Apache-2.0
// The people of an economy: a wallet each, with a credential for every good card in their name.
import { type Acceptance, takeAcceptance } from "./acceptances.ts";
import { admitOwner } from "./accounts.ts";
import { CredentialKind } from "../application/hostPort.ts";
import { Wallet } from "../application/wallet.ts";
import { Role } from "../trust/certificates.ts";
import type { Bank } from "./banks.ts";
import { cardExpirySeconds, type CardNetwork, cardOrder } from "./cards.ts";
import type { Economy } from "./economyFile.ts";
import type { CertifiedParty, Foundations } from "./foundations.ts";
import { agentId } from "./merchants.ts";

export interface Person {
  name: string;
  party: CertifiedParty;
  wallet: Wallet;
  /** What the owner agreed to pay when a peer asks. */
  acceptances: Acceptance[];
  close(): Promise<void>;
}

export async function openPeople(
  base: Foundations,
  economy: Economy,
  banks: readonly Bank[],
  cards: CardNetwork,
): Promise<Person[]> {
  const people: Person[] = [];
  for (const { name, bank } of economy.people) {
    base.settings.progress(`wallet of ${name}`);
    const party = await base.makeDevice(
      name,
      { agent: "customer-agent", module: "transaction-module" },
      {
        agent: { role: Role.CUSTOMER, hasCounter: true },
        module: { role: Role.TRANSACTION, hasCounter: true },
      },
    );
    const wallet = new Wallet(name, party.device, base.settings.clock);
    const acceptances: Acceptance[] = [];
    people.push({ name, party, wallet, acceptances, close: () => party.close() });
    if (party.closures.length > 0) continue;
    // A wallet takes any payment; a shop's till would name the amount it expects (step 608).
    await wallet.expect(null, null);
    wallet.answerAsked(async (asked) => takeAcceptance(acceptances, asked));
    await acquireCards(base, economy, cards, party, wallet);
    await admitOwner({ base, economy, banks }, { name, bank, units: economy.units }, party);
  }
  return people;
}

/** Gets a credential for each card that the wallet does not hold yet. */
async function acquireCards(
  base: Foundations,
  economy: Economy,
  network: CardNetwork,
  party: CertifiedParty,
  wallet: Wallet,
): Promise<void> {
  const now = base.nowSeconds();
  const held = new Set((await wallet.cards()).map(({ account }) => account));
  for (const issuer of network.issuers) {
    const entry = economy.cardIssuers.find(({ name }) => name === issuer.name);
    for (const card of entry?.cards ?? []) {
      // For a card past its date no credential is issued; the wallet says so when it is asked.
      const isGood = cardExpirySeconds(card.expires) > now;
      if (card.holder !== party.name || held.has(card.number) || !isGood) continue;
      issuer.authority.order(agentId(party), cardOrder(issuer, card, now));
      const result = await wallet.acquire(issuer.device.url, CredentialKind.CARD);
      if (result.state !== "committed") {
        throw new Error(`${party.name} got no credential for a card: ${result.reason}`);
      }
    }
  }
}
