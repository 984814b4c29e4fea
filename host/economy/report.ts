// SPDX-License-Identifier: Apache-2.0
// What an economy did, as programs and people read it: one outcome per action, the supply of
// electronic money, and whether the books agree (protocol section 8, invariants).
import type { TopUpEntry } from "../application/merchantFunds.ts";

/** A receipt as it is shown; ids and hashes in hexadecimal, amounts in minor units. */
export interface ReceiptReport {
  ticketId: string;
  transactionId: string;
  /** Whether electronic money was bought or sold. */
  direction: "buy" | "sell";
  merchant: string;
  /** Card number, all but the last four digits hidden. */
  account: string;
  accountUnit: string;
  authorized: number;
  fee: number;
  /** Electronic money that changed hands, in `unit`. */
  money: number;
  unit: string;
  /** What the customer got: `money` in a purchase, `authorized` in a sale. */
  received: number;
  rate: { numerator: number; denominator: number };
  date: string;
}

export interface TradeOutcome {
  kind: "buy" | "sell";
  outcome: "ok" | "refused";
  customer: string;
  /** Null where no merchant was found. */
  merchant: string | null;
  unit: string;
  /** The electronic money that was to be bought or sold. */
  amount: number;
  /** Debited to the card account, or credited in a sale, in `accountUnit`; 0 when refused. */
  authorized: number;
  accountUnit: string;
  /** The merchant's part: in a purchase within `authorized`, in a sale taken off before. */
  fee: number;
  /** Account minor units for one money minor unit; null when refused. */
  rate: { numerator: number; denominator: number } | null;
  /**
   * Electronic money received in a purchase, the credit to the card in a sale; 0 when refused.
   */
  received: number;
  receipt: ReceiptReport | null;
  /** What the merchant's device got from its other devices or a bank before it could sell. */
  topUps: TopUpEntry[];
  reason?: string;
}

export interface PayOutcome {
  kind: "pay";
  outcome: "ok" | "refused";
  from: string;
  to: string;
  unit: string;
  amount: number;
  /** True where the payee asked for it. */
  request: boolean;
  reason?: string;
}

export interface ExchangeOutcome {
  kind: "exchange";
  outcome: "ok" | "refused";
  from: string;
  to: string;
  /** Given by `from`. */
  unit: string;
  amount: number;
  /** Given by `to`. */
  counterUnit: string;
  counterAmount: number;
  /** Whether the counter amount is what the rate comes to, or that rounded down. */
  rounding: "exact" | "down";
  reason?: string;
}

export interface AccountOutcome {
  kind: "withdraw" | "deposit";
  outcome: "ok" | "refused";
  who: string;
  unit: string;
  amount: number;
  /** Null where none was found. */
  bank: string | null;
  account: string | null;
  /** Electronic money received in a withdrawal, credited to the account in a deposit. */
  received: number;
  reason?: string;
}

export interface RefreshOutcome {
  kind: "refresh";
  outcome: "ok" | "refused";
  who: string;
  bank: string | null;
  /** What was made fresh, minor units by unit. */
  refreshed: Record<string, number>;
  reason?: string;
}

export interface WaitOutcome {
  kind: "wait";
  outcome: "ok" | "refused";
  days: number;
  /** The date at the end of the wait, "YYYY-MM-DD". */
  date: string;
  reason?: string;
}

export type ActionOutcome =
  | TradeOutcome
  | PayOutcome
  | ExchangeOutcome
  | AccountOutcome
  | RefreshOutcome
  | WaitOutcome;

/** Electronic money of one unit, minor units. */
export interface Supply {
  issued: number;
  redeemed: number;
  held: number;
}

export interface AuditReport {
  /** True only if supply, ledger, receipts and card postings all agree. */
  ok: boolean;
  supply: Record<string, Supply>;
  ledger: { balanced: boolean };
  /** One sentence for each thing that does not agree. */
  problems: string[];
}

/** What `florin demo --json` prints. */
export interface EconomyReport extends AuditReport {
  actions: ActionOutcome[];
}
