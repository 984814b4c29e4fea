// SPDX-License-Identifier: Apache-2.0
// The rules of the books, once for all stores: a batch is checked whole against the records that it
// touches and gives the records as they shall be. Nothing here reads or writes a store.
import {
  type Account,
  type AccountOpening,
  type ApplyResult,
  type Entry,
  isAssetKind,
  type LedgerBatch,
  type LedgerRefusal,
  type PaymentRecord,
} from "./ledger.ts";

/** The records that a batch touches, as the store has them now. */
export interface TouchedRecords {
  /** By account name; those that the batch opens or has lines on or conditions over. */
  readonly accounts: ReadonlyMap<string, Account>;
  /** The payment of the batch, if it is there. */
  readonly payment: PaymentRecord | undefined;
  /** The entry under the batch's key, if it is there. */
  readonly entry: Entry | undefined;
  /** Whether the batch's redeemed note is in the index. */
  readonly isLeafKnown: boolean;
}

export type Verdict =
  | { readonly ok: false; readonly result: ApplyResult }
  /** Accounts to write, new ones and changed ones; the rest of the batch is written as it is. */
  | { readonly ok: true; readonly accounts: readonly Account[] };

/** Names of all the accounts that a batch touches, in order and once each. */
export function touchedAccounts(batch: LedgerBatch): string[] {
  const names = [
    ...(batch.open ?? []).map(({ account }) => account),
    ...(batch.entry?.lines ?? []).map(({ account }) => account),
    ...(batch.mustCover ?? []),
    ...(batch.drawnBy ? [batch.drawnBy.account] : []),
    ...(batch.paidInto ? [batch.paidInto.account] : []),
    ...(batch.close === undefined ? [] : [batch.close]),
    ...(batch.admit ? [batch.admit.account] : []),
  ];
  return [...new Set(names)].sort();
}

function refused(reason: LedgerRefusal): Verdict {
  return { ok: false, result: { status: "refused", reason } };
}

/** Decides about a batch: what is to be written, or why nothing is. */
export function judgeBatch(batch: LedgerBatch, touched: TouchedRecords): Verdict {
  // The payment's state comes first: a repeated message must be seen as such, not as a refusal.
  const state = touched.payment?.state ?? null;
  if (batch.payment && batch.payment.expected !== state) {
    return { ok: false, result: { status: "conflict" } };
  }
  if (touched.isLeafKnown) return { ok: false, result: { status: "repeated" } };
  if (batch.entry && touched.entry) {
    return isSameEntry(batch.entry, touched.entry)
      ? { ok: false, result: { status: "repeated" } }
      : refused("entry differs");
  }
  const accounts = new Map(touched.accounts);
  const written = new Map<string, Account>();
  const put = (account: Account) => {
    accounts.set(account.account, account);
    written.set(account.account, account);
  };
  for (const opening of batch.open ?? []) {
    const existing = accounts.get(opening.account);
    if (existing === undefined) put({ ...opening, isClosed: false, balanceMinor: 0 });
    else if (!isSameAccount(opening, existing)) return refused("account differs");
  }
  const customers = (name: string) => {
    const account = accounts.get(name);
    return account?.kind === "deposit" ? account : undefined;
  };
  if (batch.close !== undefined) {
    const account = customers(batch.close);
    if (account === undefined) return refused("unknown account");
    put({ ...account, isClosed: true });
  }
  if (batch.admit) {
    const account = customers(batch.admit.account);
    if (account === undefined) return refused("unknown account");
    put({ ...account, drawers: [...new Set([...account.drawers, batch.admit.module])] });
  }
  if (batch.drawnBy) {
    const account = customers(batch.drawnBy.account);
    if (account === undefined) return refused("unknown account");
    if (account.isClosed) return refused("account closed");
    if (!account.drawers.includes(batch.drawnBy.module)) return refused("module not permitted");
  }
  if (batch.paidInto) {
    const account = customers(batch.paidInto.account);
    if (account === undefined) return refused("unknown account");
    if (account.isClosed) return refused("account closed");
    if (account.unit !== batch.paidInto.unit) return refused("other unit");
  }
  if (batch.entry) {
    const reason = post(batch.entry, accounts, put);
    if (reason !== undefined) return refused(reason);
  }
  for (const name of batch.mustCover ?? []) {
    const account = accounts.get(name);
    if (account === undefined) return refused("unknown account");
    if (account.balanceMinor < 0) return refused("insufficient funds");
  }
  return { ok: true, accounts: [...written.values()] };
}

/** Adds the lines to the balances; every unit of an entry must add up to zero. */
function post(
  entry: Entry,
  accounts: ReadonlyMap<string, Account>,
  put: (account: Account) => void,
): LedgerRefusal | undefined {
  const sums = new Map<string, bigint>();
  for (const { account: name, debitMinor } of entry.lines) {
    if (!Number.isSafeInteger(debitMinor) || debitMinor === 0) return "amount out of range";
    const account = accounts.get(name);
    if (account === undefined) return "unknown account";
    sums.set(account.unit, (sums.get(account.unit) ?? 0n) + BigInt(debitMinor));
    const balanceMinor = account.balanceMinor + (isAssetKind(account.kind) ? 1 : -1) * debitMinor;
    if (!Number.isSafeInteger(balanceMinor)) return "amount out of range";
    put({ ...account, balanceMinor });
  }
  return [...sums.values()].every((sum) => sum === 0n) ? undefined : "not balanced";
}

/** The time does not count: a repetition comes later. */
function isSameEntry(a: Entry, b: Entry): boolean {
  return JSON.stringify(a.lines.map(lineKey)) === JSON.stringify(b.lines.map(lineKey));
}

function lineKey({ account, debitMinor }: Entry["lines"][number]): [string, number] {
  return [account, debitMinor];
}

/** The drawers do not count: they may have grown since. */
function isSameAccount(a: AccountOpening, b: Account): boolean {
  return a.kind === b.kind && a.unit === b.unit && a.owner === b.owner;
}
