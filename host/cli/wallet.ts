// SPDX-License-Identifier: Apache-2.0
// florin wallet: a person's orders to the economy that runs in a directory.
import { createInterface } from "node:readline/promises";
import type { ActionOutcome, ReceiptReport } from "../economy/report.ts";
import { actionLine } from "../economy/reportLines.ts";
import { formatAmount } from "../network/currencies.ts";
import { askRunning } from "./control.ts";
import { CommandFailure, ExitCode, say, sayJson } from "./output.ts";

export type WalletCommand =
  | "balance"
  | "offers"
  | "buy"
  | "sell"
  | "pay"
  | "request"
  | "accept"
  | "exchange"
  | "withdraw"
  | "deposit"
  | "refresh"
  | "receipts"
  | "export";

export interface WalletOptions {
  dir: string;
  json?: boolean;
  [option: string]: unknown;
}

interface BalanceAnswer {
  money: { unit: string; spendable: number; inDoubt: number; refresh: number }[];
  cards: { number: string; kind: string; unit: string; bank: string }[];
}

interface AcceptanceAnswer {
  who: string;
  from: string;
  amount: number;
  unit: string;
  gets: { amountMinor: number; unit: string } | null;
}

interface OfferAnswer {
  merchant: string;
  unit: string;
  accountUnit: string;
  fee: number;
  feeBasisPoints: number;
  rate: { numerator: number; denominator: number };
  maximum: number;
  /** With an amount: charged in all, or credited in a sale. */
  cost: number | null;
}

/** The option that names whose word a command needs besides that of the one who orders. */
const ASKING: Partial<Record<WalletCommand, string>> = { request: "from", exchange: "with" };

/** Sends one order and prints the answer. Throws CommandFailure when it was refused. */
export async function wallet(command: WalletCommand, options: WalletOptions): Promise<void> {
  const { dir, json, yes, ...rest } = options;
  const isTrade = command === "buy" || command === "sell";
  if (isTrade && yes !== true && json !== true && process.stdin.isTTY) {
    const total = await confirmedTotal(dir, command, rest);
    if (total !== null) rest[command === "buy" ? "atMost" : "atLeast"] = total;
  }
  // Someone else's word, which on a terminal can be asked for here.
  if (ASKING[command] !== undefined && rest.agreed !== true && json !== true) {
    if (process.stdin.isTTY)
      rest.agreed = await isConfirmed(`Does ${rest[ASKING[command]]} agree?`);
  }
  const answer = await askRunning(dir, { command, options: rest });
  if (json === true) sayJson(answer);
  else for (const line of linesOf(command, answer)) say(line);
}

/**
 * Shows the owner the best offer and asks (steps 462, 782); gives what the card may be charged, or
 * must be credited, null where there is no offer: the order itself says best why not.
 * @throws {CommandFailure} when the owner does not confirm
 */
async function confirmedTotal(
  dir: string,
  direction: "buy" | "sell",
  order: Record<string, unknown>,
): Promise<number | null> {
  const ask = (command: string, options: Record<string, unknown>) =>
    askRunning(dir, { command, options });
  const { cards } = (await ask("balance", order)) as BalanceAnswer;
  const card = cards.find(({ number }) => number === order.card) ?? cards[0];
  const options = { ...order, sell: direction === "sell" };
  const offers = (await ask("offers", options)) as OfferAnswer[];
  const best = offers.find(
    ({ merchant, accountUnit }) =>
      accountUnit === card?.unit && (order.merchant ?? merchant) === merchant,
  );
  if (best?.cost == null) return null;
  say(offerLine(best));
  const isBuy = direction === "buy";
  if (await isConfirmed(isBuy ? "Buy?" : "Sell?")) return best.cost;
  const done = isBuy ? "bought" : "sold";
  throw new CommandFailure(`not confirmed; nothing was ${done}`, ExitCode.REFUSED);
}

/** Asks on the terminal. */
async function isConfirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const reply = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(reply.trim());
}

function linesOf(command: WalletCommand, answer: unknown): string[] {
  switch (command) {
    case "balance":
      return balanceLines(answer as BalanceAnswer);
    case "offers":
      return (answer as OfferAnswer[]).map(offerLine);
    case "accept":
      return [acceptanceLine(answer as AcceptanceAnswer)];
    case "buy":
    case "sell":
    case "pay":
    case "request":
    case "exchange":
    case "withdraw":
    case "deposit":
    case "refresh":
      return [actionLine(answer as ActionOutcome)];
    case "receipts":
      return (answer as ReceiptReport[]).map(receiptLine);
    case "export":
      return (answer as { items: string[] }).items;
  }
}

function acceptanceLine({ who, from, amount, unit, gets }: AcceptanceAnswer): string {
  const counter = gets === null ? "" : ` for ${formatAmount(gets.amountMinor, gets.unit)}`;
  return `${who} will pay ${from} ${formatAmount(amount, unit)}${counter} once, when asked`;
}

function balanceLines({ money, cards }: BalanceAnswer): string[] {
  const lines = money.map(({ unit, spendable, inDoubt, refresh }) => {
    const doubt = inDoubt > 0 ? `, ${formatAmount(inDoubt, unit)} in doubt` : "";
    const stale = refresh > 0 ? `, ${formatAmount(refresh, unit)} to refresh at a bank` : "";
    return `${formatAmount(spendable, unit)} spendable${doubt}${stale}`;
  });
  if (lines.length === 0) lines.push("no electronic money");
  return [
    ...lines,
    ...cards.map(({ number, kind, unit, bank }) => `${kind} card ${number}, ${bank}, ${unit}`),
  ];
}

function offerLine(offer: OfferAnswer): string {
  const fee = `${formatAmount(offer.fee, offer.accountUnit)} + ${offer.feeBasisPoints / 100} %`;
  const cost = offer.cost === null ? "" : `${formatAmount(offer.cost, offer.accountUnit)} in all, `;
  const most = formatAmount(offer.maximum, offer.unit);
  return `${offer.merchant}: ${cost}fee ${fee}, at most ${most}`;
}

function receiptLine(receipt: ReceiptReport): string {
  const money = formatAmount(receipt.money, receipt.unit);
  const total = formatAmount(receipt.authorized, receipt.accountUnit);
  const isBuy = receipt.direction === "buy";
  const trade = isBuy ? `from ${receipt.merchant}` : `sold to ${receipt.merchant}`;
  const card = `card ${receipt.account} ${total}${isBuy ? "" : " credited"}`;
  return `${receipt.date}  ${money} ${trade}, ${card}`;
}
