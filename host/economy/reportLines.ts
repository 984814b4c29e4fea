// SPDX-License-Identifier: Apache-2.0
// What an economy did, in lines for people.
import type { TopUpEntry } from "../application/merchantFunds.ts";
import { formatAmount } from "../network/currencies.ts";
import type {
  AccountOutcome,
  ActionOutcome,
  AuditReport,
  ExchangeOutcome,
  PayOutcome,
  RefreshOutcome,
  TradeOutcome,
} from "./report.ts";

/** One line about an action. */
export function actionLine(action: ActionOutcome): string {
  switch (action.kind) {
    case "buy":
    case "sell":
      return tradeLine(action);
    case "pay":
      return paymentLine(action);
    case "exchange":
      return exchangeLine(action);
    case "withdraw":
    case "deposit":
      return accountLine(action);
    case "refresh":
      return refreshLine(action);
    case "wait":
      return action.outcome === "ok"
        ? `${action.days} days pass; it is ${action.date}`
        : `the date stays: ${action.reason}`;
  }
}

function paymentLine(action: PayOutcome): string {
  const amount = formatAmount(action.amount, action.unit);
  const asked = action.request ? " on request" : "";
  return action.outcome === "ok"
    ? `${action.from} paid ${action.to} ${amount}${asked}`
    : `${action.from} could not pay ${action.to} ${amount}${asked}: ${action.reason}`;
}

function exchangeLine(action: ExchangeOutcome): string {
  const { from, to, reason } = action;
  const amount = formatAmount(action.amount, action.unit);
  const counter = formatAmount(action.counterAmount, action.counterUnit);
  const rounded = action.rounding === "down" ? " (rounded down)" : "";
  const what = `${amount} for ${counter}${rounded}`;
  return action.outcome === "ok"
    ? `${from} exchanged ${what} with ${to}`
    : `${from} could not exchange ${what} with ${to}: ${reason}`;
}

function accountLine({ kind, outcome, who, bank, reason, ...action }: AccountOutcome): string {
  const amount = formatAmount(action.amount, action.unit);
  const side = kind === "withdraw" ? "from" : "at";
  const where = bank === null ? "" : ` ${side} ${bank}`;
  if (outcome === "refused") return `${who} could not ${kind} ${amount}${where}: ${reason}`;
  const done = kind === "withdraw" ? "withdrew" : "deposited";
  return `${who} ${done} ${amount}${where}, account ${action.account}`;
}

function refreshLine({ outcome, who, bank, refreshed, reason }: RefreshOutcome): string {
  const where = bank === null ? "" : ` at ${bank}`;
  if (outcome === "refused") return `${who} could not refresh notes${where}: ${reason}`;
  const amounts = Object.entries(refreshed).map(([unit, amount]) => formatAmount(amount, unit));
  return `${who} refreshed ${amounts.join(" and ") || "nothing: there is no money"}${where}`;
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

/** One line about money that a merchant's device got before it could sell. */
export function topUpLine({ to, from, amount, unit, outcome, reason }: TopUpEntry): string {
  const money = formatAmount(amount, unit);
  return outcome === "ok"
    ? `${to} got ${money} from ${from}`
    : `${to} got no ${money} from ${from}: ${reason}`;
}

/** The lines about the closing audit. */
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
