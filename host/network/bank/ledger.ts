// SPDX-License-Identifier: Apache-2.0
// A bank's books in double entry: what is kept and what a change of it looks like. One rule set
// (ledgerRules.ts) serves both stores; docs/protocol.md, "Ledger": it is a teller's own side.
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

/**
 * What an account is for. Of the first five the bank has, is owed or has lost the balance, of the
 * others it owes it; `balanceMinor` counts in that direction, so that it is never negative in a
 * healthy bank.
 */
export type AccountKind =
  /** Cash and central bank money, against which the books were opened. */
  | "reserve"
  /**
   * Electronic money in the bank's teller modules. The account's owner is the issuer: the bank
   * itself, or another bank on which the notes are a claim.
   */
  | "notes-on-hand"
  /** Owed by a card issuer for posted card authorizations. */
  | "settlement"
  /** The bank's own deposit at another bank, which issues the money it gives out. */
  | "deposit-at-correspondent"
  /** What reconciliation found to have been redeemed without, or twice for, one issue. */
  | "losses"
  /** A customer's or merchant's money at this bank. */
  | "deposit"
  /** Another bank's money at this bank, which issues what that bank gives out. */
  | "deposit-of-correspondent"
  /** Electronic money issued by this bank's generator and not yet redeemed. */
  | "money-issued"
  /** Held for payments that a module has not finished; zero when none is open. */
  | "in-transit";

const ASSET_KINDS: readonly AccountKind[] = [
  "reserve",
  "notes-on-hand",
  "settlement",
  "deposit-at-correspondent",
  "losses",
];

export function isAssetKind(kind: AccountKind): boolean {
  return ASSET_KINDS.includes(kind);
}

export interface Account {
  /** Unique within the bank; what a customer names in a withdrawal. */
  readonly account: string;
  readonly owner: string;
  readonly unit: string;
  readonly kind: AccountKind;
  /** Ids (16 hexadecimal digits) of the money modules that may draw on it. */
  readonly drawers: readonly string[];
  /** A closed account is neither drawn on nor paid into by anything new. */
  readonly isClosed: boolean;
  readonly balanceMinor: number;
}

/** An account as it is opened: empty. */
export type AccountOpening = Omit<Account, "balanceMinor" | "isClosed">;

/** One line of an entry. Positive is a debit, negative a credit, in minor units of the account. */
export interface Line {
  readonly account: string;
  readonly debitMinor: number;
}

/** A balanced set of lines. (transaction, leg) is its unique key within the bank. */
export interface Entry {
  /** Pay id, mandate hash or another name, e.g. "opening". */
  readonly transaction: string;
  readonly leg: string;
  readonly atSeconds: number;
  readonly lines: readonly Line[];
}

/**
 * Of a teller: withdrawal, from an account out of the stock; deposit, the reverse; refresh, old
 * notes into the stock for fresh ones out of it; restock, new notes from another bank's generator;
 * return, notes that go back there. Of a generator: issue, new notes for a teller; redemption,
 * notes that come back from one.
 */
export type PaymentKind =
  | "withdrawal"
  | "deposit"
  | "refresh"
  | "restock"
  | "return"
  | "issue"
  | "redemption";
/** Held: agreed to, outcome unknown. Settled: the module committed. Released: it aborted. */
export type PaymentRecordState = "held" | "settled" | "released";

/** A payment of one of the bank's modules, as the bank's books see it. Ids are hexadecimal. */
export interface PaymentRecord {
  /** The bank's own teller or generator. */
  readonly module: string;
  readonly payId: string;
  readonly kind: PaymentKind;
  readonly peer: string;
  readonly account: string | null;
  readonly amountMinor: number;
  readonly unit: string;
  readonly state: PaymentRecordState;
}

/** A change of one bank's books; it is applied whole or not at all. */
export interface LedgerBatch {
  readonly bank: string;
  /** Accounts to open, with a balance of zero. Opening one again as it is changes nothing. */
  readonly open?: readonly AccountOpening[];
  /** A customer's account to close. */
  readonly close?: string;
  /** Lets one more module draw on an account, e.g. a customer's new device. */
  readonly admit?: { readonly account: string; readonly module: string };
  /** The payment's new record, and the state that it must have had; null: there was none. */
  readonly payment?: {
    readonly expected: PaymentRecordState | null;
    readonly record: PaymentRecord;
  };
  /** The account must be open, and the module one that may draw on it. */
  readonly drawnBy?: { readonly account: string; readonly module: string };
  /** Must be an open customer's account in this unit; whoever pays into it does not matter. */
  readonly paidInto?: { readonly account: string; readonly unit: string };
  readonly entry?: Entry;
  /** Accounts whose balance must not be below zero afterwards. */
  readonly mustCover?: readonly string[];
  /** A redeemed note for the issuer's index; the same leaf again is a repetition. */
  readonly redeemed?: RedeemedNote;
  /** What a signed `aborted` comes to; again, it changes nothing. */
  readonly aborted?: AbortedFinding;
}

export type LedgerRefusal =
  | "unknown account"
  | "account differs"
  | "account closed"
  | "other unit"
  | "not balanced"
  | "amount out of range"
  | "insufficient funds"
  | "module not permitted"
  | "entry differs";

export type ApplyResult =
  | { readonly status: "applied" }
  /** The very same entry or leaf was there already; nothing was changed. */
  | { readonly status: "repeated" }
  /** The payment was not in the expected state; nothing was changed. */
  | { readonly status: "conflict" }
  | { readonly status: "refused"; readonly reason: LedgerRefusal };

/** What the books add up to, for one unit. */
export interface UnitTotals {
  readonly unit: string;
  readonly debitMinor: number;
  readonly creditMinor: number;
  /** All that the bank's generators ever issued. */
  readonly issuedMinor: number;
  /** What came back of it, each issued unit once. */
  readonly redeemedMinor: number;
  /** Sum of the notes in the issuer's index; what was lost is among them twice. */
  readonly reconciledMinor: number;
  readonly lostMinor: number;
  readonly onHandMinor: number;
  readonly inTransitMinor: number;
}

/** Leg of an entry by which reconciliation books a loss. */
export const LOSS_LEG = "loss";

export type MaybePromise<Value> = Value | Promise<Value>;

/** Which entries to list. */
export interface EntryFilter {
  /** Only those with a line on this account. */
  readonly account?: string;
  /** The newest so many. */
  readonly limit: number;
}

/**
 * Where the books of one or more banks are kept. `apply` is atomic, and durable when it returns:
 * only then may anything be sent that relies on it.
 */
export interface LedgerStore {
  apply(batch: LedgerBatch): MaybePromise<ApplyResult>;
  /**
   * Applies one batch at each of several banks, all or none: money that goes from bank to bank.
   * The result is the first that is not "applied", if there is one.
   */
  applyTogether(batches: readonly LedgerBatch[]): MaybePromise<ApplyResult>;
  account(bank: string, account: string): MaybePromise<Account | undefined>;
  /** All accounts of a bank, by name. */
  accounts(bank: string): MaybePromise<readonly Account[]>;
  payment(bank: string, module: string, payId: string): MaybePromise<PaymentRecord | undefined>;
  /** The payments of a bank that are held, oldest first. */
  openPayments(bank: string): MaybePromise<readonly PaymentRecord[]>;
  /** All payments of a bank, oldest first. */
  payments(bank: string): MaybePromise<readonly PaymentRecord[]>;
  /** The entries that belong to one transaction, in the order they were made. */
  entries(bank: string, transaction: string): MaybePromise<readonly Entry[]>;
  /** The newest entries of a bank, oldest of them first. */
  journal(bank: string, filter: EntryFilter): MaybePromise<readonly Entry[]>;
  /** Totals by unit, in order of the units; computed from the lines, not from the balances. */
  trialBalance(bank: string): MaybePromise<readonly UnitTotals[]>;
  /** What the issuer's index knows beside a note that is about to be entered. */
  relatedTo(bank: string, note: NoteKeys): MaybePromise<RelatedNotes>;
  /** The redeemed notes of a bank, oldest first. */
  leaves(bank: string): MaybePromise<readonly RedeemedLeaf[]>;
  /** The statements that payments were aborted. */
  aborted(bank: string): MaybePromise<readonly AbortedStatement[]>;
  /** The indexed transfers of one payment, and those that follow them. */
  transfersOf(bank: string, payId: string): MaybePromise<readonly IndexedTransfer[]>;
  /** The modules that reconciliation convicted, oldest first. */
  convictions(bank: string): MaybePromise<readonly Conviction[]>;
}
