// SPDX-License-Identifier: Apache-2.0
// The bank accounts of people and merchants: those of the economy file, and one at the owner's own
// bank for each unit. Every device of an owner may draw on all of its accounts.
import { accountName, type Bank, moduleId } from "./banks.ts";
import type { Economy } from "./economyFile.ts";
import type { CertifiedParty, Foundations } from "./foundations.ts";

export interface AccountSetting {
  base: Foundations;
  economy: Economy;
  banks: readonly Bank[];
}

/** A person or merchant as the file has it; `bank` is where it has an account in each unit. */
export interface AccountOwner {
  name: string;
  bank: string | undefined;
  units: readonly string[];
}

/** Opens the owner's accounts and lets one of its devices draw on them. It may be repeated. */
export async function admitOwner(
  { base, economy, banks }: AccountSetting,
  { name: owner, bank: home, units }: AccountOwner,
  party: CertifiedParty,
): Promise<void> {
  for (const { name, service } of banks) {
    const entry = economy.banks.find((candidate) => candidate.name === name);
    const held = (entry?.accounts ?? []).filter((account) => account.owner === owner);
    const there = new Set(held.map(({ unit }) => unit));
    for (const unit of new Set(name === home ? units : [])) {
      if (there.has(unit)) continue;
      there.add(unit);
      const account = accountName(owner, unit);
      const open = [{ account, owner, unit, kind: "deposit" as const, drawers: [] }];
      await base.ledger.apply({ bank: name, open });
    }
    for (const unit of there) await service.admit(accountName(owner, unit), moduleId(party));
  }
}

/** Closes what the economy file has as closed. It may be repeated. */
export async function closeAccounts(economy: Economy, banks: readonly Bank[]): Promise<void> {
  for (const { name, accounts = [] } of economy.banks) {
    const service = banks.find((bank) => bank.name === name)?.service;
    for (const { owner, unit, closed } of accounts) {
      if (closed === true) await service?.closeAccount(accountName(owner, unit));
    }
  }
}
