// SPDX-License-Identifier: Apache-2.0
// A bank's books in double entry: what is kept and what a change of it looks like. One rule set
// (ledgerRules.ts) serves both stores; docs/protocol.md, "Ledger": it is a teller's own side.

/**
 * What an account is for. Of the first four the bank has or is owed the balance, of the others it
 * owes it; `balanceMinor` counts in that direction, so that it is positive in a healthy bank.
 */
export type AccountKind =
  /** Cash and central bank money, against which the books were opened. */
  | "reserve"
  /** Electronic money in the bank's teller modules. */
  | "notes-on-hand"
  /** Owed by a card issuer for posted card authorizations. */
  | "settlement"
  /** The bank's own deposit at another bank, which issues the money it gives out. */
  | "deposit-at-correspondent"
  /** A customer's, merchant's or correspondent bank's money at this bank. */
  | "deposit"
  /** Electronic money issued by this bank's generator and not yet redeemed. */
  | "money-issued"
  /** Held for payments that a module has not finished; zero when none is open. */
  | "in-transit";

const ASSET_KINDS: readonly AccountKind[] = [
  "reserve",
  "notes-on-hand",
  "settlement",
  "deposit-at-correspondent",
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
  readonly balanceMinor: number;
}

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
 * Withdrawal: from a customer's account, out of the teller's stock. Issue: new money from the
 * generator to a teller. Restock: the same, received by the teller of another bank.
 */
export type PaymentKind = "withdrawal" | "issue" | "restock";
/** Held: granted, outcome unknown. Settled: the module committed. Released: it aborted. */
export type PaymentRecordState = "held" | "settled" | "released";

/** A payment of one of the bank's modules, as the bank's books see it. Ids are hexadecimal. */
export interface PaymentRecord {
  /** The teller or generator that pays, or the teller that is paid in a restock. */
  readonly module: string;
  readonly payId: string;
  readonly kind: PaymentKind;
  readonly peer: string;
  readonly account: string | null;
  readonly amountMinor: number;
  readonly unit: string;
  readonly state: PaymentRecordState;
}

/** A note that came back: each leaf (hash of its last transfer) is redeemed at most once. */
export interface Redemption {
  readonly leaf: string;
  readonly amountMinor: number;
  readonly unit: string;
}

/** A change of one bank's books; it is applied whole or not at all. */
export interface LedgerBatch {
  readonly bank: string;
  /** Accounts to open, with a balance of zero. Opening one again as it is changes nothing. */
  readonly open?: readonly Omit<Account, "balanceMinor">[];
  /** Lets one more module draw on an account, e.g. a customer's new device. */
  readonly admit?: { readonly account: string; readonly module: string };
  /** The payment's new record, and the state that it must have had; null: there was none. */
  readonly payment?: {
    readonly expected: PaymentRecordState | null;
    readonly record: PaymentRecord;
  };
  /** The module must be one that may draw on the account. */
  readonly drawnBy?: { readonly account: string; readonly module: string };
  readonly entry?: Entry;
  /** Accounts whose balance must not be below zero afterwards. */
  readonly mustCover?: readonly string[];
  readonly redemptions?: readonly Redemption[];
}

export type LedgerRefusal =
  | "unknown account"
  | "account differs"
  | "not balanced"
  | "amount out of range"
  | "insufficient funds"
  | "module not permitted"
  | "entry differs"
  | "leaf redeemed before";

export type ApplyResult =
  | { readonly status: "applied" }
  /** The very same entry was there already; nothing was changed. */
  | { readonly status: "repeated" }
  /** The payment was not in the expected state; nothing was changed. */
  | { readonly status: "conflict" }
  | { readonly status: "refused"; readonly reason: LedgerRefusal };

/** What the books add up to, for one unit. */
export interface UnitTotals {
  readonly unit: string;
  readonly debitMinor: number;
  readonly creditMinor: number;
  readonly issuedMinor: number;
  readonly redeemedMinor: number;
  readonly onHandMinor: number;
  readonly inTransitMinor: number;
}

export type MaybePromise<Value> = Value | Promise<Value>;

/**
 * Where the books of one or more banks are kept. `apply` is atomic, and durable when it returns:
 * only then may anything be sent that relies on it.
 */
export interface LedgerStore {
  apply(batch: LedgerBatch): MaybePromise<ApplyResult>;
  account(bank: string, account: string): MaybePromise<Account | undefined>;
  /** All accounts of a bank, by name. */
  accounts(bank: string): MaybePromise<readonly Account[]>;
  payment(bank: string, module: string, payId: string): MaybePromise<PaymentRecord | undefined>;
  /** The payments of a bank that are held, oldest first. */
  openPayments(bank: string): MaybePromise<readonly PaymentRecord[]>;
  /** The entries that belong to one transaction, in the order they were made. */
  entries(bank: string, transaction: string): MaybePromise<readonly Entry[]>;
  /** Totals by unit, in order of the units; computed from the lines, not from the balances. */
  trialBalance(bank: string): MaybePromise<readonly UnitTotals[]>;
}
