// SPDX-License-Identifier: Apache-2.0
// florin bank: the books and the money of the banks in an economy that runs in a directory.
import type { Command } from "commander";
import { formatAmount } from "../network/currencies.ts";
import type {
  AccountRow,
  EntryRow,
  IssueAnswer,
  LedgerAnswer,
  MoneyRow,
  RedeemedAnswer,
  SessionsAnswer,
} from "./bankRequests.ts";
import { askRunning } from "./control.ts";
import { directoryOption } from "./directoryOption.ts";
import { say, sayJson } from "./output.ts";

type BankCommand = "accounts" | "issue" | "redeemed" | "ledger" | "sessions";

interface BankOptions {
  dir: string;
  json?: boolean;
  [option: string]: unknown;
}

const EXAMPLES = `
Examples:
  florin bank accounts
  florin bank issue --bank "First Harbour Bank"
  florin bank issue --amount 100000 --unit USD
  florin bank redeemed --json
  florin bank sessions
  florin bank ledger --bank "First Harbour Bank" --account notes-on-hand:USD --limit 20
`;

/** Adds the group of commands to the florin command. */
export function addBank(florin: Command): void {
  const group = florin
    .command("bank")
    .description("the banks of an economy that runs: accounts, money issued, ledger")
    .addHelpText("after", EXAMPLES);
  const add = (name: BankCommand, description: string): Command =>
    group
      .command(name)
      .description(description)
      .option("--bank <name>", "one bank; all if absent")
      .addOption(directoryOption())
      .option("--json", "print JSON")
      .action(async (options: BankOptions) => bank(name, options));
  add("accounts", "all accounts with their balances");
  add("issue", "money issued, redeemed, in circulation and on hand, or new money into the stock")
    .option("--amount <minor>", "have the generator issue this much, in minor units")
    .option("--unit <code>", "unit of the new money");
  add("redeemed", "notes that came back to their issuer, and modules convicted by them");
  add("sessions", "sessions that its modules refused, and letters in its mailbox");
  add("ledger", "the newest entries, and what each unit's debits and credits add up to")
    .option("--account <name>", "only entries with a line on this account")
    .option("--limit <number>", "entries of each bank, the newest ones; 50 if absent");
}

/** Sends one order and prints the answer. Throws CommandFailure when it was refused. */
async function bank(command: BankCommand, options: BankOptions): Promise<void> {
  const { dir, json, ...rest } = options;
  const answer = await askRunning(dir, { command: `bank ${command}`, options: rest });
  if (json === true) sayJson(answer);
  else for (const line of linesOf(command, answer)) say(line);
}

function linesOf(command: BankCommand, answer: unknown): string[] {
  switch (command) {
    case "accounts":
      return accountLines((answer as { accounts: AccountRow[] }).accounts);
    case "issue":
      return issueLines(answer as IssueAnswer);
    case "redeemed":
      return redeemedLines(answer as RedeemedAnswer);
    case "sessions":
      return sessionLines(answer as SessionsAnswer);
    case "ledger":
      return ledgerLines(answer as LedgerAnswer);
  }
}

/** The rows of each bank under its name. */
function byBank<Row extends { bank: string }>(
  rows: readonly Row[],
  lineOf: (row: Row) => string,
): string[] {
  const banks = [...new Set(rows.map((row) => row.bank))];
  return banks.flatMap((name) => [
    name,
    ...rows.filter((row) => row.bank === name).map((row) => `  ${lineOf(row)}`),
  ]);
}

function accountLines(accounts: readonly AccountRow[]): string[] {
  const width = Math.max(0, ...accounts.map(({ account }) => account.length));
  return byBank(accounts, ({ account, owner, unit, balance, closed }) => {
    const note = closed ? ", closed" : "";
    return `${account.padEnd(width)}  ${formatAmount(balance, unit)}  (${owner}${note})`;
  });
}

function issueLines({ ordered, money }: IssueAnswer): string[] {
  const lines = byBank(money, moneyLine);
  if (ordered === null) return lines.length > 0 ? lines : ["no money was issued yet"];
  const { bank, unit, amount } = ordered;
  return [`${formatAmount(amount, unit)} issued into the stock of ${bank}`, ...lines];
}

function moneyLine({ unit, issued, redeemed, circulating, onHand, lost }: MoneyRow): string {
  const [out, back] = [formatAmount(issued, unit), formatAmount(redeemed, unit)];
  const left = formatAmount(circulating, unit);
  const stock = formatAmount(onHand, unit);
  const loss = lost > 0 ? `, ${formatAmount(lost, unit)} LOST TO FORGERY` : "";
  return `${out} issued - ${back} redeemed = ${left} in circulation; ${stock} on hand${loss}`;
}

function redeemedLines({ redeemed, convictions }: RedeemedAnswer): string[] {
  const notes = byBank(redeemed, ({ date, unit, amount, lost, noteId, transferor }) => {
    const loss = lost > 0 ? `, of it ${formatAmount(lost, unit)} LOST` : "";
    return `${date}  ${formatAmount(amount, unit)}${loss}  note ${noteId} from ${transferor}`;
  });
  const guilty = convictions.map(
    ({ date, module, unit }) => `${date}  module ${module} signed the same ${unit} twice`,
  );
  return notes.length + guilty.length > 0 ? [...notes, ...guilty] : ["no notes came back yet"];
}

function sessionLines({ refused, mail }: SessionsAnswer): string[] {
  return [
    ...byBank(mail, ({ questions, answers, done }) => {
      return `mailbox: ${questions} questions, ${answers} answers, ${done} words that it is done`;
    }),
    ...byBank(refused, ({ last, module, reason, times }) => {
      return `${last}  module ${module} refused ${times} sessions: ${reason}`;
    }),
  ];
}

function ledgerLines({ entries, totals, problems }: LedgerAnswer): string[] {
  const sums = totals.filter(({ debit, credit }) => debit > 0 || credit > 0);
  return [
    ...byBank(entries, entryLine),
    ...byBank(sums, ({ unit, debit, credit, balanced, inTransit }) => {
      const transit = inTransit === 0 ? "" : `, ${formatAmount(inTransit, unit)} in transit`;
      const sides = `debits ${formatAmount(debit, unit)}, credits ${formatAmount(credit, unit)}`;
      return `${sides}: ${balanced ? "balanced" : "NOT BALANCED"}${transit}`;
    }),
    ...problems,
  ];
}

function entryLine({ date, transaction, leg, lines }: EntryRow): string {
  const name = transaction.length > 16 ? `${transaction.slice(0, 16)}…` : transaction;
  const sides = lines.map(({ account, debit, credit }) =>
    debit > 0 ? `${account} +${debit}` : `${account} -${credit}`,
  );
  return `${date}  ${name} ${leg}: ${sides.join(", ")}`;
}
