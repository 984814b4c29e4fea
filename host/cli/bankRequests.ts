// SPDX-License-Identifier: Apache-2.0
// What a running economy answers to `florin bank`: accounts, money issued, notes that came back,
// the ledger. Amounts are minor units; ids and hashes are hexadecimal.
import { type Bank, moduleId } from "../economy/banks.ts";
import type { World } from "../economy/world.ts";
import { reasonSentence } from "../application/reasons.ts";
import { sqlMailStore } from "../network/bank/sqlMailStore.ts";
import type { Entry } from "../network/bank/ledger.ts";
import { bankNamed } from "../economy/names.ts";
import { CommandFailure, ExitCode } from "./output.ts";
import { amountOf, checkUnit, type Options, textOf } from "./requestOptions.ts";

/** Entries that are listed where no number is asked for. */
const USUAL_ENTRIES = 50;
const MOST_ENTRIES = 10_000;

type Request = (world: World, options: Options) => Promise<unknown>;

/**
 * By the name of the command. Each throws CommandFailure or UnknownNameError, with one sentence for
 * the person who asked.
 */
export const BANK_REQUESTS: Readonly<Record<string, Request>> = {
  "bank accounts": (world, options) => accounts(chosen(world, options)),
  "bank issue": (world, options) => issue(world, chosen(world, options), options),
  "bank redeemed": (world, options) => redeemed(world, chosen(world, options)),
  "bank sessions": (world, options) => sessions(world, chosen(world, options)),
  "bank ledger": (world, options) => ledger(world, chosen(world, options), options),
};

export interface AccountRow {
  bank: string;
  account: string;
  owner: string;
  kind: string;
  unit: string;
  balance: number;
  closed: boolean;
}

/** A bank's money of one unit. */
export interface MoneyRow {
  bank: string;
  unit: string;
  issued: number;
  redeemed: number;
  circulating: number;
  /** In the bank's teller, whoever issued it. */
  onHand: number;
  /** Redeemed twice, or without having been issued. */
  lost: number;
}

export interface RedeemedRow {
  bank: string;
  date: string;
  unit: string;
  amount: number;
  lost: number;
  noteId: string;
  leaf: string;
  /** Name and module of the teller that sent it back. */
  transferor: string;
  transferorModule: string;
}

export interface ConvictionRow {
  bank: string;
  date: string;
  unit: string;
  module: string;
  transfers: [string, string];
}

export interface EntryRow {
  bank: string;
  date: string;
  transaction: string;
  leg: string;
  lines: { account: string; debit: number; credit: number }[];
}

export interface TotalRow {
  bank: string;
  unit: string;
  debit: number;
  credit: number;
  balanced: boolean;
  inTransit: number;
}

export interface IssueAnswer {
  /** Null where nothing was ordered. */
  ordered: { bank: string; unit: string; amount: number } | null;
  money: MoneyRow[];
}

export interface RedeemedAnswer {
  redeemed: RedeemedRow[];
  convictions: ConvictionRow[];
}

export interface LedgerAnswer {
  entries: EntryRow[];
  totals: TotalRow[];
  /** One sentence for each payment that modules and books tell apart. */
  problems: string[];
}

/** The bank named, or all of them. */
function chosen(world: World, options: Options): readonly Bank[] {
  return options.bank === undefined ? world.banks : [bankNamed(world, textOf(options, "bank"))];
}

async function accounts(banks: readonly Bank[]): Promise<{ accounts: AccountRow[] }> {
  const rows: AccountRow[] = [];
  for (const { name, service } of banks) {
    for (const { account, owner, kind, unit, ...rest } of (await service.report()).accounts) {
      const { balanceMinor: balance, isClosed: closed } = rest;
      rows.push({ bank: name, account, owner, kind, unit, balance, closed });
    }
  }
  return { accounts: rows };
}

async function issue(world: World, banks: readonly Bank[], options: Options): Promise<IssueAnswer> {
  if (options.amount === undefined && options.unit === undefined) {
    return { ordered: null, money: await money(banks) };
  }
  const unit = textOf(options, "unit");
  checkUnit(world, unit);
  const amount = amountOf(options);
  // Without a name: the bank that issues the unit.
  const bank =
    options.bank === undefined ? banks.find(({ issues }) => issues.includes(unit)) : banks[0];
  if (bank === undefined) throw new CommandFailure(`no bank here issues ${unit}`);
  const { isDone, reason } = await bank.service.issue(unit, amount);
  if (!isDone) {
    const sentence = `${bank.name} got no ${unit} into its stock: ${reason}`;
    throw new CommandFailure(sentence, ExitCode.REFUSED);
  }
  await world.settled();
  return { ordered: { bank: bank.name, unit, amount }, money: await money(banks) };
}

/** Sessions that a bank's modules refused, and what lies in its mailbox. */
export interface SessionsAnswer {
  refused: { bank: string; module: string; reason: string; times: number; last: string }[];
  mail: { bank: string; questions: number; answers: number; done: number }[];
}

async function sessions(world: World, banks: readonly Bank[]): Promise<SessionsAnswer> {
  const store = sqlMailStore(world.base.database);
  const answer: SessionsAnswer = { refused: [], mail: [] };
  for (const { name: bank, service } of banks) {
    for (const { module, reason, times, lastSeconds } of (await service.report()).refusals) {
      const last = dateOf(lastSeconds);
      answer.refused.push({ bank, module, reason: reasonSentence(reason), times, last });
    }
    const { question, answer: answers, done } = await store.counts(bank);
    answer.mail.push({ bank, questions: question, answers, done });
  }
  return answer;
}

async function money(banks: readonly Bank[]): Promise<MoneyRow[]> {
  const rows: MoneyRow[] = [];
  for (const { name: bank, issues, service } of banks) {
    for (const totals of (await service.report()).totals) {
      const { unit, issuedMinor, redeemedMinor, onHandMinor, lostMinor } = totals;
      if (!issues.includes(unit) && onHandMinor === 0) continue;
      rows.push({
        bank,
        unit,
        issued: issuedMinor,
        redeemed: redeemedMinor,
        circulating: issuedMinor - redeemedMinor,
        onHand: onHandMinor,
        lost: lostMinor,
      });
    }
  }
  return rows;
}

async function redeemed(world: World, banks: readonly Bank[]): Promise<RedeemedAnswer> {
  const tellers = new Map(world.banks.map(({ teller }) => [moduleId(teller), teller.name]));
  const answer: RedeemedAnswer = { redeemed: [], convictions: [] };
  for (const { name: bank } of banks) {
    for (const leaf of await world.base.ledger.leaves(bank)) {
      answer.redeemed.push({
        bank,
        date: dateOf(leaf.atSeconds),
        unit: leaf.unit,
        amount: leaf.amountMinor,
        lost: leaf.lostMinor,
        noteId: leaf.noteId,
        leaf: leaf.leaf,
        transferor: tellers.get(leaf.transferor) ?? "unknown teller",
        transferorModule: leaf.transferor,
      });
    }
    for (const conviction of await world.base.ledger.convictions(bank)) {
      const { module, unit, first, second, atSeconds } = conviction;
      const date = dateOf(atSeconds);
      answer.convictions.push({ bank, date, unit, module, transfers: [first, second] });
    }
  }
  return answer;
}

async function ledger(
  world: World,
  banks: readonly Bank[],
  options: Options,
): Promise<LedgerAnswer> {
  const limit = limitOf(options);
  const filter = options.account === undefined ? {} : { account: textOf(options, "account") };
  const answer: LedgerAnswer = { entries: [], totals: [], problems: [] };
  let isKnown = false;
  for (const { name: bank, service } of banks) {
    const report = await service.report();
    isKnown ||= report.accounts.some(({ account }) => account === filter.account);
    const entries = await world.base.ledger.journal(bank, { ...filter, limit });
    answer.entries.push(...entries.map((entry) => entryRow(bank, entry)));
    for (const { unit, debitMinor, creditMinor, inTransitMinor } of report.totals) {
      const balanced = debitMinor === creditMinor;
      const [debit, credit, inTransit] = [debitMinor, creditMinor, inTransitMinor];
      answer.totals.push({ bank, unit, debit, credit, balanced, inTransit });
    }
    for (const problem of await service.compareLogs()) answer.problems.push(`${bank}: ${problem}`);
  }
  if (filter.account !== undefined && !isKnown) {
    throw new CommandFailure(`no account is named "${filter.account}"; see florin bank accounts`);
  }
  return answer;
}

function entryRow(bank: string, { transaction, leg, atSeconds, lines }: Entry): EntryRow {
  return {
    bank,
    date: dateOf(atSeconds),
    transaction,
    leg,
    lines: lines.map(({ account, debitMinor }) => ({
      account,
      debit: Math.max(debitMinor, 0),
      credit: Math.max(-debitMinor, 0),
    })),
  };
}

function limitOf(options: Options): number {
  if (options.limit === undefined) return USUAL_ENTRIES;
  const limit = Number(options.limit);
  if (Number.isSafeInteger(limit) && limit > 0 && limit <= MOST_ENTRIES) return limit;
  throw new CommandFailure(
    `--limit takes a whole number from 1 to ${MOST_ENTRIES}, not "${String(options.limit)}"`,
  );
}

function dateOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
