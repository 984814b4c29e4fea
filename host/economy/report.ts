// SPDX-License-Identifier: Apache-2.0
// What an economy did, as programs and people read it: one outcome per action, the supply of
// electronic money, and whether the books agree (protocol section 8, invariants).
import type { TopUpEntry } from "../application/merchantFunds.ts";
import { formatAmount } from "../network/currencies.ts";

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
  reason?: string;
}

export type ActionOutcome = TradeOutcome | PayOutcome;

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
  return action.kind === "pay" ? paymentLine(action) : tradeLine(action);
}

function paymentLine(action: PayOutcome): string {
  const amount = formatAmount(action.amount, action.unit);
  return action.outcome === "ok"
    ? `${action.from} paid ${action.to} ${amount}`
    : `${action.from} could not pay ${action.to} ${amount}: ${action.reason}`;
}

function tradeLine(action: TradeOutcome): string {
  const { kind, customer, merchant, accountUnit } = action;
  const amount = formatAmount(action.amount, action.unit);
  const side = kind === "buy" ? "from" : "to";
  if (action.outcome === "refused") {
    const where = merchant === null ? "" : ` ${side} ${merchant}`;
    return `${customer} could not ${kind} ${amount}${where}: ${action.reason}`;
  }
  const verb = kind === "buy" ? "bought" : "sold";
  const credited = kind === "buy" ? "" : " credited";
  const total = `card ${formatAmount(action.authorized, accountUnit)}${credited}`;
  const fee = formatAmount(action.fee, accountUnit);
  return `${customer} ${verb} ${amount} ${side} ${merchant}; ${total}, fee ${fee}`;
}

/** One line for people about money that a merchant's device got before it could sell. */
export function topUpLine({ to, from, amount, unit, outcome, reason }: TopUpEntry): string {
  const money = formatAmount(amount, unit);
  return outcome === "ok"
    ? `${to} got ${money} from ${from}`
    : `${to} got no ${money} from ${from}: ${reason}`;
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
