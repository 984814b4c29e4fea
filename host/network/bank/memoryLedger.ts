// SPDX-License-Identifier: Apache-2.0
// The books in memory: plain state for simulated worlds, which are cloned, compared and replayed.
import {
  type Account,
  type ApplyResult,
  type Entry,
  isAssetKind,
  type LedgerBatch,
  type LedgerStore,
  type PaymentRecord,
  type Redemption,
  type UnitTotals,
} from "./ledger.ts";
import { judgeBatch, touchedAccounts } from "./ledgerRules.ts";

/** The books of one bank. */
export interface BankBooks {
  readonly accounts: Record<string, Account>;
  /** By "transaction/leg". */
  readonly entries: Record<string, Entry>;
  /** By "module/pay id". */
  readonly payments: Record<string, PaymentRecord>;
  /** By leaf. */
  readonly redemptions: Record<string, Redemption>;
}

/** The books of all banks that share the store, by bank. */
export type LedgerState = Record<string, BankBooks>;

function emptyBooks(): BankBooks {
  return { accounts: {}, entries: {}, payments: {}, redemptions: {} };
}

/** Applies a batch to the state, or leaves it untouched. */
export function applyToState(state: LedgerState, batch: LedgerBatch): ApplyResult {
  const books = state[batch.bank] ?? emptyBooks();
  const { payment, entry, redemptions = [] } = batch;
  const paymentKey = payment && `${payment.record.module}/${payment.record.payId}`;
  const entryKey = entry && `${entry.transaction}/${entry.leg}`;
  const leaves = redemptions.map(({ leaf }) => leaf);
  const verdict = judgeBatch(batch, {
    accounts: new Map(
      touchedAccounts(batch).flatMap((name) => {
        const account = books.accounts[name];
        return account ? [[name, account]] : [];
      }),
    ),
    payment: paymentKey === undefined ? undefined : books.payments[paymentKey],
    entry: entryKey === undefined ? undefined : books.entries[entryKey],
    redeemedLeaves: new Set(
      leaves.filter((leaf, at) => books.redemptions[leaf] || leaves.indexOf(leaf) !== at),
    ),
  });
  if (!verdict.ok) return verdict.result;
  state[batch.bank] = books;
  for (const account of verdict.accounts) books.accounts[account.account] = account;
  if (payment && paymentKey) books.payments[paymentKey] = payment.record;
  if (entry && entryKey) books.entries[entryKey] = entry;
  for (const redemption of redemptions) books.redemptions[redemption.leaf] = redemption;
  return { status: "applied" };
}

/** Adds up what the lines say, unit by unit. */
function totals(books: BankBooks): UnitTotals[] {
  const accounts = Object.values(books.accounts);
  const units = [...new Set(accounts.map(({ unit }) => unit))].sort();
  const lines = Object.values(books.entries).flatMap((entry) => entry.lines);
  return units.map((unit) => {
    const own = lines.filter(({ account }) => books.accounts[account]!.unit === unit);
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    const ofKind = (kind: Account["kind"]) => {
      const debits = own.filter(({ account }) => books.accounts[account]!.kind === kind);
      const debitMinor = sum(debits.map((line) => line.debitMinor));
      return debitMinor === 0 || isAssetKind(kind) ? debitMinor : -debitMinor;
    };
    return {
      unit,
      debitMinor: sum(own.map(({ debitMinor }) => Math.max(debitMinor, 0))),
      creditMinor: sum(own.map(({ debitMinor }) => Math.max(-debitMinor, 0))),
      issuedMinor: ofKind("money-issued"),
      redeemedMinor: sum(
        Object.values(books.redemptions).map((note) => (note.unit === unit ? note.amountMinor : 0)),
      ),
      onHandMinor: ofKind("notes-on-hand"),
      inTransitMinor: ofKind("in-transit"),
    };
  });
}

/** The store over state that the caller keeps, and may clone between two calls. */
export function memoryLedgerStore(state: LedgerState): LedgerStore {
  const books = (bank: string) => state[bank] ?? emptyBooks();
  return {
    apply: (batch) => applyToState(state, batch),
    account: (bank, account) => books(bank).accounts[account],
    accounts: (bank) =>
      Object.values(books(bank).accounts).sort((a, b) => (a.account < b.account ? -1 : 1)),
    payment: (bank, module, payId) => books(bank).payments[`${module}/${payId}`],
    openPayments: (bank) =>
      Object.values(books(bank).payments).filter(({ state }) => state === "held"),
    entries: (bank, transaction) =>
      Object.values(books(bank).entries).filter((entry) => entry.transaction === transaction),
    trialBalance: (bank) => totals(books(bank)),
  };
}
