// SPDX-License-Identifier: Apache-2.0
// What an economy did, as programs and people read it: one outcome per action, the supply of
// electronic money, and whether the books agree (protocol section 8, invariants).
import { formatAmount } from "../network/currencies.ts";

/** A receipt as it is shown; ids and hashes in hexadecimal, amounts in minor units. */
export interface ReceiptReport {
  ticketId: string;
  transactionId: string;
  merchant: string;
  account: string;
  accountUnit: string;
  authorized: number;
  fee: number;
  unit: string;
  received: number;
  rate: { numerator: number; denominator: number };
  date: string;
}

export interface BuyOutcome {
  kind: "buy";
  outcome: "ok" | "refused";
  customer: string;
  /** Null where no merchant was found to sell. */
  merchant: string | null;
  unit: string;
  /** The amount asked for. */
  amount: number;
  /** Debited to the card account, in `accountUnit`; 0 when refused. */
  authorized: number;
  accountUnit: string;
  /** The merchant's part of `authorized`. */
  fee: number;
  /** Electronic money received; 0 when refused. */
  received: number;
  receipt: ReceiptReport | null;
  reason?: string;
}

export interface PayOutcome {
  kind: "pay";
  outcome: "ok" | "refused";
  from: string;
  to: string;
  unit: string;
  amount: number;
  reason?: string;
}

export type ActionOutcome = BuyOutcome | PayOutcome;

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

/** One line for people about an action. */
export function actionLine(action: ActionOutcome): string {
  const amount = formatAmount(action.amount, action.unit);
  if (action.kind === "pay") {
    return action.outcome === "ok"
      ? `${action.from} paid ${action.to} ${amount}`
      : `${action.from} could not pay ${action.to} ${amount}: ${action.reason}`;
  }
  if (action.outcome === "refused") {
    const where = action.merchant === null ? "" : ` from ${action.merchant}`;
    return `${action.customer} could not buy ${amount}${where}: ${action.reason}`;
  }
  const charged = formatAmount(action.authorized, action.accountUnit);
  const fee = formatAmount(action.fee, action.accountUnit);
  return `${action.customer} bought ${amount} from ${action.merchant}; card ${charged}, fee ${fee}`;
}

/** The lines for people about the closing audit. */
export function auditLines(audit: AuditReport): string[] {
  const lines = Object.entries(audit.supply).map(([unit, supply]) => {
    const issued = formatAmount(supply.issued, unit);
    const redeemed = formatAmount(supply.redeemed, unit);
    const held = formatAmount(supply.held, unit);
    const sign = supply.issued - supply.redeemed === supply.held ? "=" : "IS NOT";
    return `${issued} issued - ${redeemed} redeemed ${sign} ${held} held by all modules`;
  });
  lines.push(audit.ledger.balanced ? "ledgers balance" : "LEDGERS DO NOT BALANCE");
  return [...lines, ...audit.problems];
}
