// SPDX-License-Identifier: Apache-2.0
// The books in a database. Each batch is one transaction: lock the rows it touches, ask the rules,
// write. Two batches over one account therefore wait for each other.
import type { Database, Queryable, Row } from "../store/database.ts";
import { racingTransaction } from "../store/races.ts";
import type {
  Account,
  AccountKind,
  ApplyResult,
  Entry,
  EntryFilter,
  LedgerBatch,
  LedgerStore,
  PaymentKind,
  PaymentRecord,
  PaymentRecordState,
  UnitTotals,
} from "./ledger.ts";
import { judgeBatch, type TouchedRecords, touchedAccounts } from "./ledgerRules.ts";
import { LOSS_LEG } from "./ledger.ts";
import {
  isLeafKnown,
  putAborted,
  putRedeemedNote,
  readAborted,
  readConvictions,
  readLeaves,
  readRelated,
  readTransfersOf,
} from "./sqlRedeemedNotes.ts";

/** The store over a database that was migrated (`migrate(database, MIGRATIONS)`). */
export function sqlLedgerStore(database: Database): LedgerStore {
  return {
    apply: (batch) => racingTransaction(database, (connection) => applyOnce(connection, batch)),
    applyTogether: (batches) => applyTogether(database, batches),
    account: async (bank, account) => (await readAccounts(database, bank, [account])).get(account),
    accounts: async (bank) => {
      const rows = await database.query(
        'SELECT * FROM ledger_accounts WHERE bank = $1 ORDER BY account COLLATE "C"',
        [bank],
      );
      return rows.map(toAccount);
    },
    payment: (bank, module, payId) => readPayment(database, bank, module, payId),
    openPayments: async (bank) => {
      const rows = await database.query(
        "SELECT * FROM ledger_payments WHERE bank = $1 AND state = 'held' ORDER BY number",
        [bank],
      );
      return rows.map(toPayment);
    },
    payments: async (bank) => {
      const sql = "SELECT * FROM ledger_payments WHERE bank = $1 ORDER BY number";
      return (await database.query(sql, [bank])).map(toPayment);
    },
    entries: (bank, transaction) => readEntries(database, bank, transaction),
    journal: (bank, filter) => readJournal(database, bank, filter),
    trialBalance: (bank) => trialBalance(database, bank),
    relatedTo: (bank, keys) => readRelated(database, bank, keys),
    leaves: (bank) => readLeaves(database, bank),
    aborted: (bank) => readAborted(database, bank),
    transfersOf: (bank, payId) => readTransfersOf(database, bank, payId),
    convictions: (bank) => readConvictions(database, bank),
  };
}

/** Carries the first result that is not "applied" out of the transaction, which it undoes. */
class NotApplied extends Error {
  readonly result: ApplyResult;

  constructor(result: ApplyResult) {
    super(`A batch was not applied: ${result.status}`);
    this.result = result;
  }
}

async function applyTogether(
  database: Database,
  batches: readonly LedgerBatch[],
): Promise<ApplyResult> {
  try {
    return await racingTransaction(database, async (connection) => {
      // In order of the names, for the same reason as the accounts of one bank (readAccounts).
      const inOrder = [...batches].sort((a, b) => (a.bank < b.bank ? -1 : 1));
      for (const batch of inOrder) {
        const result = await applyOnce(connection, batch);
        if (result.status !== "applied") throw new NotApplied(result);
      }
      return { status: "applied" };
    });
  } catch (error) {
    if (error instanceof NotApplied) return error.result;
    throw error;
  }
}

async function applyOnce(connection: Queryable, batch: LedgerBatch): Promise<ApplyResult> {
  const verdict = judgeBatch(batch, await touchedRecords(connection, batch));
  if (!verdict.ok) return verdict.result;
  for (const account of verdict.accounts) await putAccount(connection, batch.bank, account);
  if (batch.payment) await putPayment(connection, batch.bank, batch.payment.record);
  if (batch.entry) await putEntry(connection, batch.bank, batch.entry);
  if (batch.redeemed) await putRedeemedNote(connection, batch.bank, batch.redeemed);
  if (batch.aborted) await putAborted(connection, batch.bank, batch.aborted);
  return { status: "applied" };
}

async function touchedRecords(connection: Queryable, batch: LedgerBatch): Promise<TouchedRecords> {
  const { bank, entry } = batch;
  const record = batch.payment?.record;
  // The accounts come first: the same payment twice at once waits for them, and then sees its
  // state.
  const accounts = await readAccounts(connection, bank, touchedAccounts(batch), true);
  const payment =
    record && (await readPayment(connection, bank, record.module, record.payId, true));
  const entries = entry ? await readEntries(connection, bank, entry.transaction, entry.leg) : [];
  const leaf = batch.redeemed?.leaf.leaf;
  const isKnown = leaf !== undefined && (await isLeafKnown(connection, bank, leaf));
  return { accounts, payment, entry: entries[0], isLeafKnown: isKnown };
}

/** Locks in order of the names, so that two batches cannot wait for each other for ever. */
async function readAccounts(
  connection: Queryable,
  bank: string,
  names: readonly string[],
  isLocking = false,
): Promise<Map<string, Account>> {
  const accounts = new Map<string, Account>();
  for (const name of names) {
    const rows = await connection.query(
      `SELECT * FROM ledger_accounts WHERE bank = $1 AND account = $2
       ${isLocking ? "FOR UPDATE" : ""}`,
      [bank, name],
    );
    if (rows[0]) accounts.set(name, toAccount(rows[0]));
  }
  return accounts;
}

async function readPayment(
  connection: Queryable,
  bank: string,
  module: string,
  payId: string,
  isLocking = false,
): Promise<PaymentRecord | undefined> {
  const rows = await connection.query(
    `SELECT * FROM ledger_payments WHERE bank = $1 AND module = $2 AND pay_id = $3
     ${isLocking ? "FOR UPDATE" : ""}`,
    [bank, module, payId],
  );
  return rows[0] && toPayment(rows[0]);
}

/** The entries of a transaction, or the one of a leg. */
async function readEntries(
  connection: Queryable,
  bank: string,
  transaction: string,
  leg?: string,
): Promise<Entry[]> {
  const rows = await connection.query(
    `SELECT entry.transaction, entry.leg, entry.at_seconds, line.account, line.debit_minor
     FROM ledger_entries AS entry JOIN ledger_lines AS line USING (bank, transaction, leg)
     WHERE entry.bank = $1 AND entry.transaction = $2 AND ($3::text IS NULL OR entry.leg = $3)
     ORDER BY entry.number, line.position`,
    [bank, transaction, leg ?? null],
  );
  return toEntries(rows);
}

async function readJournal(
  connection: Queryable,
  bank: string,
  { account, limit }: EntryFilter,
): Promise<Entry[]> {
  const rows = await connection.query(
    `SELECT entry.transaction, entry.leg, entry.at_seconds, line.account, line.debit_minor
     FROM (SELECT * FROM ledger_entries AS own WHERE own.bank = $1 AND ($2::text IS NULL OR EXISTS
         (SELECT 1 FROM ledger_lines AS found WHERE found.bank = own.bank
            AND found.transaction = own.transaction AND found.leg = own.leg
            AND found.account = $2))
       ORDER BY own.number DESC LIMIT $3) AS entry
     JOIN ledger_lines AS line USING (bank, transaction, leg)
     ORDER BY entry.number, line.position`,
    [bank, account ?? null, limit],
  );
  return toEntries(rows);
}

/** Rows of lines, those of one entry beside each other. */
function toEntries(rows: readonly Row[]): Entry[] {
  const entries: (Entry & { lines: Entry["lines"][number][] })[] = [];
  for (const row of rows) {
    const [transaction, leg] = [String(row.transaction), String(row.leg)];
    let entry = entries.at(-1);
    if (entry?.transaction !== transaction || entry.leg !== leg) {
      entry = { transaction, leg, atSeconds: Number(row.at_seconds), lines: [] };
      entries.push(entry);
    }
    entry.lines.push({ account: String(row.account), debitMinor: Number(row.debit_minor) });
  }
  return entries;
}

async function putAccount(connection: Queryable, bank: string, account: Account): Promise<void> {
  const { account: name, owner, unit, kind, drawers, isClosed, balanceMinor } = account;
  const changed = await connection.query(
    `UPDATE ledger_accounts SET balance_minor = $3, drawers = $4, is_closed = $5
     WHERE bank = $1 AND account = $2 RETURNING account`,
    [bank, name, balanceMinor, drawers.join(" "), isClosed],
  );
  // A plain insert, so that two batches that open one account at once collide and look again.
  if (changed.length > 0) return;
  await connection.query(
    `INSERT INTO ledger_accounts
       (bank, account, owner, unit, kind, drawers, is_closed, balance_minor)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [bank, name, owner, unit, kind, drawers.join(" "), isClosed, balanceMinor],
  );
}

async function putPayment(
  connection: Queryable,
  bank: string,
  record: PaymentRecord,
): Promise<void> {
  const { module, payId, kind, peer, account, amountMinor, unit, state } = record;
  const changed = await connection.query(
    `UPDATE ledger_payments SET state = $4 WHERE bank = $1 AND module = $2 AND pay_id = $3
     RETURNING pay_id`,
    [bank, module, payId, state],
  );
  if (changed.length > 0) return;
  await connection.query(
    `INSERT INTO ledger_payments
       (bank, module, pay_id, kind, peer, account, amount_minor, unit, state)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [bank, module, payId, kind, peer, account, amountMinor, unit, state],
  );
}

async function putEntry(connection: Queryable, bank: string, entry: Entry): Promise<void> {
  const { transaction, leg, atSeconds, lines } = entry;
  await connection.query(
    "INSERT INTO ledger_entries (bank, transaction, leg, at_seconds) VALUES ($1, $2, $3, $4)",
    [bank, transaction, leg, atSeconds],
  );
  for (const [position, { account, debitMinor }] of lines.entries()) {
    await connection.query(
      `INSERT INTO ledger_lines (bank, transaction, leg, position, account, debit_minor)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [bank, transaction, leg, position, account, debitMinor],
    );
  }
}

async function trialBalance(database: Queryable, bank: string): Promise<UnitTotals[]> {
  const rows = await database.query(
    `SELECT account.unit,
       COALESCE(SUM(GREATEST(line.debit_minor, 0)), 0) AS debit,
       COALESCE(SUM(GREATEST(-line.debit_minor, 0)), 0) AS credit,
       COALESCE(SUM(CASE WHEN account.kind = 'money-issued' AND line.leg <> $2
         THEN GREATEST(-line.debit_minor, 0) END), 0) AS issued,
       COALESCE(SUM(CASE WHEN account.kind = 'money-issued' THEN -line.debit_minor END), 0)
         AS circulating,
       COALESCE(SUM(CASE WHEN account.kind = 'losses' THEN line.debit_minor END), 0) AS lost,
       COALESCE(SUM(CASE WHEN account.kind = 'notes-on-hand' THEN line.debit_minor END), 0)
         AS on_hand,
       COALESCE(SUM(CASE WHEN account.kind = 'in-transit' THEN -line.debit_minor END), 0)
         AS in_transit,
       (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_leaves AS note
         WHERE note.bank = $1 AND note.unit = account.unit) AS reconciled
     FROM ledger_accounts AS account LEFT JOIN ledger_lines AS line USING (bank, account)
     WHERE bank = $1 GROUP BY account.unit ORDER BY account.unit COLLATE "C"`,
    [bank, LOSS_LEG],
  );
  return rows.map((row) => ({
    unit: String(row.unit),
    debitMinor: Number(row.debit),
    creditMinor: Number(row.credit),
    issuedMinor: Number(row.issued),
    redeemedMinor: Number(row.issued) - Number(row.circulating),
    reconciledMinor: Number(row.reconciled),
    lostMinor: Number(row.lost),
    onHandMinor: Number(row.on_hand),
    inTransitMinor: Number(row.in_transit),
  }));
}

function toAccount(row: Row): Account {
  const drawers = String(row.drawers);
  return {
    account: String(row.account),
    owner: String(row.owner),
    unit: String(row.unit),
    kind: String(row.kind) as AccountKind,
    drawers: drawers === "" ? [] : drawers.split(" "),
    isClosed: row.is_closed === true,
    balanceMinor: Number(row.balance_minor),
  };
}

function toPayment(row: Row): PaymentRecord {
  return {
    module: String(row.module),
    payId: String(row.pay_id),
    kind: String(row.kind) as PaymentKind,
    peer: String(row.peer),
    account: row.account === null ? null : String(row.account),
    amountMinor: Number(row.amount_minor),
    unit: String(row.unit),
    state: String(row.state) as PaymentRecordState,
  };
}
