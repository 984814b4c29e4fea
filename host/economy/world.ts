// SPDX-License-Identifier: Apache-2.0
// A whole economy, running (Fig. 5): agencies, banks, card network, gateway, merchants and people,
// each a device or server of its own, talking over the real link, WebSocket and TCP.
import { ask } from "../application/commandRunner.ts";
import { HostMessage } from "../application/hostPort.ts";
import { closeAccounts } from "./accounts.ts";
import { type Bank, moduleBalances, openBanks } from "./banks.ts";
import { type CardNetwork, openCardNetwork, releaseLapsedHolds } from "./cards.ts";
import { openClaims, settleClaims } from "./claims.ts";
import type { Economy } from "./economyFile.ts";
import type { ClaimsDesk } from "../network/agency/claimsDesk.ts";
import { type CertifiedParty, type Foundations, layFoundations } from "./foundations.ts";
import { isModuleClosed } from "./heldMoney.ts";
import { type Mailboxes, openMailboxes } from "./mail.ts";
import { type Merchant, openMerchants } from "./merchants.ts";
import { openPeople, type Person } from "./people.ts";
import { settleSales } from "./withheldSales.ts";
import type { WorldSettings } from "./worldSettings.ts";

const SETTLE_PATIENCE_MS = 20_000;
const SETTLE_PAUSE_MS = 20;

export interface World {
  economy: Economy;
  base: Foundations;
  banks: Bank[];
  cards: CardNetwork;
  /** The Certification Agency's desk for lost money. */
  claims: ClaimsDesk;
  merchants: Merchant[];
  people: Person[];
  /** The banks' mailboxes. */
  mail: Mailboxes;
  /** Every device, for audits, exports and figures. */
  devices(): CertifiedParty[];
  /**
   * Waits until payees, card postings and ledgers have caught up; false if they have not in 20 s.
   */
  settled(): Promise<boolean>;
  close(): Promise<void>;
}

/** Builds an economy, or switches on one that its directory holds already. */
export async function openWorld(economy: Economy, settings: WorldSettings): Promise<World> {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <Part extends { close(): Promise<void> }>(part: Part): Part => {
    opened.push(part);
    return part;
  };
  // Whoever was opened last may rely on those before, so they end in the opposite order.
  const close = async () => {
    for (const part of opened.splice(0).reverse()) await part.close();
  };
  try {
    settings.progress("agencies, books and gateway");
    const base = keep(await layFoundations(settings, economy.network !== "none"));
    settings.progress("banks");
    const banks = await openBanks(base, economy);
    for (const bank of banks) keep(bank);
    settings.progress("card network");
    const cards = keep(await openCardNetwork(base, economy));
    const merchants = keep(await openMerchants(base, economy, banks, cards)).all;
    const people = await openPeople(base, economy, banks, cards);
    for (const person of people) keep(person);
    await closeAccounts(economy, banks);
    const mail = keep(await openMailboxes(base, economy));
    const devices = [
      ...banks.flatMap(({ teller, generator }) => (generator ? [teller, generator] : [teller])),
      ...merchants.flatMap(({ devices }) => devices.map(({ party }) => party)),
      ...merchants.flatMap(({ closed }) => closed),
      ...people.map(({ party }) => party),
    ];
    for (const bank of banks) {
      await mail.serve(bank.teller, bank.name);
      if (bank.generator !== undefined) await mail.serve(bank.generator, bank.name);
    }
    for (const { bank, devices } of merchants) {
      for (const { party } of devices) await mail.serve(party, bank.name);
    }
    for (const { name, party } of people) {
      const own = economy.people.find((person) => person.name === name)?.bank;
      await mail.serve(party, own ?? banks[0]?.name ?? "");
    }
    const claims = openClaims(base, banks);
    await settleClaims({ base, claims }, devices);
    await releaseLapsedHolds(cards);
    await settleSales({ base, cards, merchants, mail });
    return {
      economy,
      base,
      banks,
      cards,
      claims,
      merchants,
      people,
      mail,
      devices: () => devices,
      settled: () => waitSettled(merchants, banks, devices),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function waitSettled(
  merchants: readonly Merchant[],
  banks: readonly Bank[],
  devices: readonly CertifiedParty[],
): Promise<boolean> {
  const endMs = performance.now() + SETTLE_PATIENCE_MS;
  // What ends at one place may begin something at another that was looked at before: a deposit that
  // a teller committed, the redemption of its notes. So nothing must be open twice in a row.
  for (let cleanRounds = 0; cleanRounds < 2; ) {
    cleanRounds = (await countOpen(merchants, banks, devices)) === 0 ? cleanRounds + 1 : 0;
    if (cleanRounds > 0) continue;
    if (performance.now() > endMs) return false;
    await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE_MS));
  }
  return true;
}

/** Card postings, payments in doubt and holds that are open; the banks have worked off all else. */
async function countOpen(
  merchants: readonly Merchant[],
  banks: readonly Bank[],
  devices: readonly CertifiedParty[],
): Promise<number> {
  let open = 0;
  for (const { devices } of merchants) {
    for (const { party } of devices) {
      const answer = await ask(party.device, "agent", HostMessage.OBLIGATIONS);
      open += Number(answer.fields[0]);
    }
  }
  for (const party of devices) {
    if (isModuleClosed(party)) continue;
    // The payee's acknowledgement may still be on its way when the payer is done.
    for (const { inDoubtMinor } of await moduleBalances(party)) if (inDoubtMinor > 0) open += 1;
  }
  for (const { service } of banks) {
    open += (await service.report()).open.length;
    await service.settled();
  }
  return open;
}
