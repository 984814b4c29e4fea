// SPDX-License-Identifier: Apache-2.0
// The books in memory: plain state for simulated worlds, which are cloned, compared and replayed.
import {
  type Account,
  type ApplyResult,
  type Entry,
  isAssetKind,
  LOSS_LEG,
  type LedgerBatch,
  type LedgerStore,
  type PaymentRecord,
  type UnitTotals,
} from "./ledger.ts";
import { judgeBatch, touchedAccounts } from "./ledgerRules.ts";
import type {
  AbortedFinding,
  AbortedStatement,
  Conviction,
  IndexedTransfer,
  NoteKeys,
  RedeemedLeaf,
  RedeemedNote,
  RelatedNotes,
} from "./redeemedNotes.ts";

/** The books of one bank. */
export interface BankBooks {
  readonly accounts: Record<string, Account>;
  /** By "transaction/leg". */
  readonly entries: Record<string, Entry>;
  /** By "module/pay id". */
  readonly payments: Record<string, PaymentRecord>;
  /** By leaf. */
  readonly leaves: Record<string, RedeemedLeaf>;
  /** By hash. */
  readonly transfers: Record<string, IndexedTransfer>;
  readonly convictions: Conviction[];
  /** By hash. */
  readonly aborted: Record<string, AbortedStatement>;
}

/** The books of all banks that share the store, by bank. */
export type LedgerState = Record<string, BankBooks>;

function emptyBooks(): BankBooks {
  return {
    accounts: {},
    entries: {},
    payments: {},
    leaves: {},
    transfers: {},
    convictions: [],
    aborted: {},
  };
}

/** Applies a batch to the state, or leaves it untouched. */
export function applyToState(state: LedgerState, batch: LedgerBatch): ApplyResult {
  const books = state[batch.bank] ?? emptyBooks();
  const { payment, entry, redeemed } = batch;
  const paymentKey = payment && `${payment.record.module}/${payment.record.payId}`;
  const entryKey = entry && `${entry.transaction}/${entry.leg}`;
  const verdict = judgeBatch(batch, {
    accounts: new Map(
      touchedAccounts(batch).flatMap((name) => {
        const account = books.accounts[name];
        return account ? [[name, account]] : [];
      }),
    ),
    payment: paymentKey === undefined ? undefined : books.payments[paymentKey],
    entry: entryKey === undefined ? undefined : books.entries[entryKey],
    isLeafKnown: redeemed !== undefined && books.leaves[redeemed.leaf.leaf] !== undefined,
  });
  if (!verdict.ok) return verdict.result;
  state[batch.bank] = books;
  for (const account of verdict.accounts) books.accounts[account.account] = account;
  if (payment && paymentKey) books.payments[paymentKey] = payment.record;
  if (entry && entryKey) books.entries[entryKey] = entry;
  if (redeemed) index(books, redeemed);
  if (batch.aborted) note(books, batch.aborted);
  return { status: "applied" };
}

function index(books: BankBooks, { leaf, transfers, convictions }: RedeemedNote): void {
  books.leaves[leaf.leaf] = leaf;
  for (const transfer of transfers) books.transfers[transfer.hash] ??= transfer;
  convict(books, convictions);
}

function convict(books: BankBooks, convictions: readonly Conviction[]): void {
  for (const conviction of convictions) {
    const isKnown = books.convictions.some(
      ({ first, second }) => first === conviction.first && second === conviction.second,
    );
    if (!isKnown) books.convictions.push(conviction);
  }
}

function note(books: BankBooks, { statement, convictions, acquitting }: AbortedFinding): void {
  books.aborted[statement.hash] = statement;
  const isLeft = ({ first, second }: Conviction) =>
    !acquitting.includes(first) && !acquitting.includes(second);
  const left = books.convictions.filter(isLeft);
  books.convictions.splice(0, books.convictions.length, ...left);
  convict(books, convictions);
}

/** Applies all of the batches, or leaves the state untouched. */
function applyTogether(state: LedgerState, batches: readonly LedgerBatch[]): ApplyResult {
  const draft = structuredClone(state);
  for (const batch of batches) {
    const result = applyToState(draft, batch);
    if (result.status !== "applied") return result;
  }
  Object.assign(state, draft);
  return { status: "applied" };
}

/** Adds up what the lines of one bank's books say, in order of the units. */
export function trialBalance(books: BankBooks): UnitTotals[] {
  const accounts = Object.values(books.accounts);
  const units = [...new Set(accounts.map(({ unit }) => unit))].sort();
  const lines = Object.values(books.entries).flatMap(({ leg, lines }) =>
    lines.map((line) => ({ leg, ...line })),
  );
  const leaves = Object.values(books.leaves);
  return units.map((unit) => {
    const own = lines.filter(({ account }) => books.accounts[account]!.unit === unit);
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    const linesOf = (kind: Account["kind"]) =>
      own.filter(({ account }) => books.accounts[account]!.kind === kind);
    const ofKind = (kind: Account["kind"]) => {
      const debitMinor = sum(linesOf(kind).map((line) => line.debitMinor));
      return debitMinor === 0 || isAssetKind(kind) ? debitMinor : -debitMinor;
    };
    const issuedMinor = sum(
      linesOf("money-issued").map(({ leg, debitMinor }) =>
        leg === LOSS_LEG ? 0 : Math.max(-debitMinor, 0),
      ),
    );
    return {
      unit,
      debitMinor: sum(own.map(({ debitMinor }) => Math.max(debitMinor, 0))),
      creditMinor: sum(own.map(({ debitMinor }) => Math.max(-debitMinor, 0))),
      issuedMinor,
      redeemedMinor: issuedMinor - ofKind("money-issued"),
      reconciledMinor: sum(leaves.map((leaf) => (leaf.unit === unit ? leaf.amountMinor : 0))),
      lostMinor: ofKind("losses"),
      onHandMinor: ofKind("notes-on-hand"),
      inTransitMinor: ofKind("in-transit"),
    };
  });
}

/** What the index of one bank's books knows beside a note that is about to be entered. */
export function relatedNotes(books: BankBooks, keys: NoteKeys): RelatedNotes {
  const leaves = Object.values(books.leaves);
  const sameIssue = leaves.filter(
    ({ generator, issuePayId }) => generator === keys.generator && issuePayId === keys.issuePayId,
  );
  return {
    leaves: leaves.filter(({ body }) => body === keys.body),
    transfers: Object.values(books.transfers).filter(({ parent }) => keys.parents.includes(parent)),
    otherBody: sameIssue.find(({ body }) => body !== keys.body)?.body,
    aborted: Object.values(books.aborted),
  };
}

function ofPayment(books: BankBooks, payId: string): IndexedTransfer[] {
  const all = Object.values(books.transfers);
  const own = all.filter((transfer) => transfer.payId === payId);
  const hashes = own.map(({ hash }) => hash);
  return [...own, ...all.filter(({ parent }) => hashes.includes(parent))];
}

/** The store over state that the caller keeps, and may clone between two calls. */
export function memoryLedgerStore(state: LedgerState): LedgerStore {
  const books = (bank: string) => state[bank] ?? emptyBooks();
  return {
    apply: (batch) => applyToState(state, batch),
    applyTogether: (batches) => applyTogether(state, batches),
    account: (bank, account) => books(bank).accounts[account],
    accounts: (bank) =>
      Object.values(books(bank).accounts).sort((a, b) => (a.account < b.account ? -1 : 1)),
    payment: (bank, module, payId) => books(bank).payments[`${module}/${payId}`],
    openPayments: (bank) =>
      Object.values(books(bank).payments).filter(({ state }) => state === "held"),
    payments: (bank) => Object.values(books(bank).payments),
    entries: (bank, transaction) =>
      Object.values(books(bank).entries).filter((entry) => entry.transaction === transaction),
    journal: (bank, { account, limit }) =>
      Object.values(books(bank).entries)
        .filter(({ lines }) => !account || lines.some((line) => line.account === account))
        .slice(-limit),
    trialBalance: (bank) => trialBalance(books(bank)),
    relatedTo: (bank, keys) => relatedNotes(books(bank), keys),
    leaves: (bank) => Object.values(books(bank).leaves),
    aborted: (bank) => Object.values(books(bank).aborted),
    transfersOf: (bank, payId) => ofPayment(books(bank), payId),
    convictions: (bank) => books(bank).convictions,
  };
}
