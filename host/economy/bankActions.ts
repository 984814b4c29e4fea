// SPDX-License-Identifier: Apache-2.0
// What people and merchants do at a bank: withdraw, deposit, have old notes made fresh. The order
// goes from the owner's money module to the bank's teller; the ledger is the teller's own side.
import type { PurchaseResult } from "../application/customerApplication.ts";
import { RequestKind } from "../application/hostPort.ts";
import { moduleLog } from "../application/deviceLogs.ts";
import { formatAmount } from "../network/currencies.ts";
import { accountName, askBank, type Bank, moduleBalances } from "./banks.ts";
import type { AccountAction, RefreshAction } from "./economyActions.ts";
import type { CertifiedParty } from "./foundations.ts";
import { bankNamed, type Owner, ownerNamed } from "./names.ts";
import { publishOffers } from "./offers.ts";
import type { AccountOutcome, RefreshOutcome } from "./report.ts";
import { whyRefused } from "./trades.ts";
import type { World } from "./world.ts";

/** Most packets that one order to refresh takes; a device holds at most 64 notes. */
const REFRESH_ROUNDS = 64;

/** Withdraws or deposits. @throws {UnknownNameError} when a name is wrong */
export async function useAccount(world: World, action: AccountAction): Promise<AccountOutcome> {
  const { do: kind, unit, amount } = action;
  const owner = ownerNamed(world, action.who);
  if (action.bank !== undefined) bankNamed(world, action.bank);
  const { bank, account } = await findAccount(world, owner, action);
  const outcome = {
    kind,
    who: owner.name,
    unit,
    amount,
    bank: bank?.name ?? null,
    account,
    received: 0,
  };
  const refused = (reason: string, received = 0): AccountOutcome => {
    return { ...outcome, outcome: "refused", received, reason };
  };
  if (bank === undefined || account === null) return refused(whyNoAccount(owner, action));
  const parts =
    kind === "withdraw" ? firstDevice(owner, amount) : await depositParts(owner, unit, amount);
  if (parts.length === 0) {
    return refused(`there is not enough electronic money for ${formatAmount(amount, unit)}`);
  }
  const request = kind === "withdraw" ? RequestKind.WITHDRAW : RequestKind.DEPOSIT;
  let received = 0;
  for (const { party, amountMinor } of parts) {
    const order = { party, request, amountMinor, unit, account };
    const result = await askBank(world.base, bank, order);
    if (result.state !== "committed") {
      await finish(world, owner);
      return refused(whyRefused(result), received);
    }
    received += amountMinor;
  }
  await finish(world, owner);
  return { ...outcome, outcome: "ok", received };
}

/** Has notes made fresh at a bank. @throws {UnknownNameError} when a name is wrong */
export async function refresh(world: World, action: RefreshAction): Promise<RefreshOutcome> {
  const owner = ownerNamed(world, action.who);
  const bank =
    action.bank === undefined ? (owner.bank ?? world.banks[0]) : bankNamed(world, action.bank);
  const outcome = { kind: "refresh" as const, who: owner.name, bank: bank?.name ?? null };
  const refreshed: Record<string, number> = {};
  const refused = (reason: string): RefreshOutcome => {
    return { ...outcome, outcome: "refused", refreshed, reason };
  };
  if (bank === undefined) return refused("there is no bank");
  let left = action.amount ?? Number.POSITIVE_INFINITY;
  for (const party of owner.parties) {
    for (const { unit, spendableMinor, refreshMinor } of await moduleBalances(party)) {
      if (unit !== (action.unit ?? unit)) continue;
      const wanted = Math.min(left, spendableMinor + refreshMinor);
      const { doneMinor, result } = await refreshDevice(world, bank, { party, unit, wanted });
      left -= doneMinor;
      if (doneMinor > 0) refreshed[unit] = (refreshed[unit] ?? 0) + doneMinor;
      if (result !== undefined) {
        await finish(world, owner);
        return refused(whyRefused(result));
      }
    }
  }
  await finish(world, owner);
  const isShort = action.amount !== undefined && left > 0;
  return isShort
    ? refused("there is not enough electronic money for this amount")
    : { ...outcome, outcome: "ok", refreshed };
}

interface RefreshOrder {
  party: CertifiedParty;
  unit: string;
  wanted: number;
}

/**
 * As many packets as it takes: what the bank alone takes goes first, then the nearest expiry, so
 * that nothing is made fresh twice. `result` is there where the bank or a module refused.
 */
async function refreshDevice(
  world: World,
  bank: Bank,
  { party, unit, wanted }: RefreshOrder,
): Promise<{ doneMinor: number; result?: PurchaseResult }> {
  let doneMinor = 0;
  for (let round = 0; doneMinor < wanted && round < REFRESH_ROUNDS; round += 1) {
    const result = await askBank(world.base, bank, {
      party,
      request: RequestKind.REFRESH,
      amountMinor: wanted - doneMinor,
      unit,
      account: null,
    });
    if (result.state !== "committed") return { doneMinor, result };
    const log = await moduleLog(party.device);
    const entry = log.find(({ payId }) => payId === result.payId);
    if (entry === undefined) break;
    doneMinor += entry.amountMinor;
  }
  return { doneMinor };
}

/** The account named, or that of the owner: at the bank named, at its own, or at any. */
async function findAccount(
  world: World,
  owner: Owner,
  { unit, bank, account }: AccountAction,
): Promise<{ bank: Bank | undefined; account: string | null }> {
  const name = account ?? accountName(owner.name, unit);
  const named = world.banks.filter((candidate) => candidate.name === bank);
  const own = owner.bank === undefined ? [] : [owner.bank];
  const candidates = bank === undefined ? [...own, ...world.banks] : named;
  for (const candidate of candidates) {
    const found = await world.base.ledger.account(candidate.name, name);
    if (found !== undefined) return { bank: candidate, account: name };
  }
  // An account that somebody names is for the bank to refuse.
  const [first] = candidates;
  return { bank: first, account: account ?? null };
}

function whyNoAccount({ name }: Owner, { unit, bank }: AccountAction): string {
  return `${name} has no account in ${unit} at ${bank ?? "any bank"}`;
}

interface Part {
  party: CertifiedParty;
  amountMinor: number;
}

function firstDevice({ parties }: Owner, amountMinor: number): Part[] {
  return parties.slice(0, 1).map((party) => ({ party, amountMinor }));
}

/** What each device deposits, the richest first; nothing where all together have too little. */
async function depositParts(
  { parties }: Owner,
  unit: string,
  amountMinor: number,
): Promise<Part[]> {
  const held = await Promise.all(
    parties.map(async (party) => {
      const balance = (await moduleBalances(party)).find((entry) => entry.unit === unit);
      // Notes that only a bank still takes can be deposited too.
      return { party, heldMinor: (balance?.spendableMinor ?? 0) + (balance?.refreshMinor ?? 0) };
    }),
  );
  let left = amountMinor;
  const parts = held
    .sort((a, b) => b.heldMinor - a.heldMinor)
    .map(({ party, heldMinor }) => {
      const part = Math.min(left, heldMinor);
      left -= part;
      return { party, amountMinor: part };
    });
  return left > 0 ? [] : parts.filter((part) => part.amountMinor > 0);
}

/** What a merchant offers depends on what it has. */
async function finish(world: World, { merchant }: Owner): Promise<void> {
  await world.settled();
  if (merchant !== undefined) await publishOffers(world.base, merchant);
}
