// SPDX-License-Identifier: Apache-2.0
// The issuer's index of redeemed notes in the database, beside the books (redeemedNotes.ts).
import type { Queryable, Row } from "../store/database.ts";
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

export async function isLeafKnown(
  connection: Queryable,
  bank: string,
  leaf: string,
): Promise<boolean> {
  const sql = "SELECT leaf FROM ledger_leaves WHERE bank = $1 AND leaf = $2";
  return (await connection.query(sql, [bank, leaf])).length > 0;
}

/** Enters a note. Its history may share transfers with notes that came before. */
export async function putRedeemedNote(
  connection: Queryable,
  bank: string,
  { leaf, transfers, convictions }: RedeemedNote,
): Promise<void> {
  await connection.query(
    `INSERT INTO ledger_leaves (bank, leaf, body, note_id, unit, start_minor, amount_minor,
       lost_minor, generator, issue_pay_id, transferor, pay_id, at_seconds)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      bank,
      leaf.leaf,
      leaf.body,
      leaf.noteId,
      leaf.unit,
      leaf.startMinor,
      leaf.amountMinor,
      leaf.lostMinor,
      leaf.generator,
      leaf.issuePayId,
      leaf.transferor,
      leaf.payId,
      leaf.atSeconds,
    ],
  );
  for (const transfer of transfers) {
    const { hash, parent, sequence, offsetMinor, amountMinor, payId, signer, signed } = transfer;
    await connection.query(
      `INSERT INTO ledger_transfers
         (bank, hash, parent, sequence, offset_minor, amount_minor, pay_id, signer, signed)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
      [bank, hash, parent, sequence, offsetMinor, amountMinor, payId, signer, signed],
    );
  }
  await convict(connection, bank, convictions);
}

async function convict(
  connection: Queryable,
  bank: string,
  convictions: readonly Conviction[],
): Promise<void> {
  for (const { module, parent, first, second, unit, atSeconds } of convictions) {
    await connection.query(
      `INSERT INTO ledger_convictions (bank, module, parent, first, second, unit, at_seconds)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
      [bank, module, parent, first, second, unit, atSeconds],
    );
  }
}

/** Enters a signed `aborted`: who is acquitted by it, and whom it convicts. */
export async function putAborted(
  connection: Queryable,
  bank: string,
  { statement, convictions, acquitting }: AbortedFinding,
): Promise<void> {
  const { hash, payId, answerer, atSeconds, signed } = statement;
  await connection.query(
    `INSERT INTO ledger_aborted (bank, hash, pay_id, answerer, at_seconds, signed)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
    [bank, hash, payId, answerer, atSeconds, signed],
  );
  for (const transfer of acquitting) {
    await connection.query(
      "DELETE FROM ledger_convictions WHERE bank = $1 AND (first = $2 OR second = $2)",
      [bank, transfer],
    );
  }
  await convict(connection, bank, convictions);
}

export async function readAborted(
  connection: Queryable,
  bank: string,
): Promise<AbortedStatement[]> {
  const sql = "SELECT * FROM ledger_aborted WHERE bank = $1 ORDER BY number";
  return (await connection.query(sql, [bank])).map((row) => ({
    payId: String(row.pay_id),
    answerer: String(row.answerer),
    atSeconds: Number(row.at_seconds),
    hash: String(row.hash),
    signed: String(row.signed),
  }));
}

export async function readTransfersOf(
  connection: Queryable,
  bank: string,
  payId: string,
): Promise<IndexedTransfer[]> {
  const rows = await connection.query(
    "SELECT * FROM ledger_transfers WHERE bank = $1 AND pay_id = $2 ORDER BY hash",
    [bank, payId],
  );
  const own = rows.map(toTransfer);
  const following: IndexedTransfer[] = [];
  for (const { hash } of own) following.push(...(await readFrom(connection, bank, hash)));
  return [...own, ...following];
}

/** The transfers from one parent. */
async function readFrom(
  connection: Queryable,
  bank: string,
  parent: string,
): Promise<IndexedTransfer[]> {
  const sql = "SELECT * FROM ledger_transfers WHERE bank = $1 AND parent = $2 ORDER BY hash";
  return (await connection.query(sql, [bank, parent])).map(toTransfer);
}

export async function readRelated(
  connection: Queryable,
  bank: string,
  { body, generator, issuePayId, parents }: NoteKeys,
): Promise<RelatedNotes> {
  const leaves = await connection.query(
    "SELECT * FROM ledger_leaves WHERE bank = $1 AND body = $2 ORDER BY number",
    [bank, body],
  );
  const transfers: IndexedTransfer[] = [];
  for (const parent of parents) {
    transfers.push(...(await readFrom(connection, bank, parent)));
  }
  const others = await connection.query(
    `SELECT body FROM ledger_leaves
     WHERE bank = $1 AND generator = $2 AND issue_pay_id = $3 AND body <> $4 LIMIT 1`,
    [bank, generator, issuePayId, body],
  );
  const otherBody = others[0] === undefined ? undefined : String(others[0].body);
  const aborted = await readAborted(connection, bank);
  return { leaves: leaves.map(toLeaf), transfers, otherBody, aborted };
}

export async function readLeaves(connection: Queryable, bank: string): Promise<RedeemedLeaf[]> {
  const sql = "SELECT * FROM ledger_leaves WHERE bank = $1 ORDER BY number";
  return (await connection.query(sql, [bank])).map(toLeaf);
}

export async function readConvictions(connection: Queryable, bank: string): Promise<Conviction[]> {
  const sql = "SELECT * FROM ledger_convictions WHERE bank = $1 ORDER BY number";
  return (await connection.query(sql, [bank])).map((row) => ({
    module: String(row.module),
    parent: String(row.parent),
    first: String(row.first),
    second: String(row.second),
    unit: String(row.unit),
    atSeconds: Number(row.at_seconds),
  }));
}

function toLeaf(row: Row): RedeemedLeaf {
  return {
    leaf: String(row.leaf),
    body: String(row.body),
    noteId: String(row.note_id),
    unit: String(row.unit),
    startMinor: Number(row.start_minor),
    amountMinor: Number(row.amount_minor),
    lostMinor: Number(row.lost_minor),
    generator: String(row.generator),
    issuePayId: String(row.issue_pay_id),
    transferor: String(row.transferor),
    payId: String(row.pay_id),
    atSeconds: Number(row.at_seconds),
  };
}

function toTransfer(row: Row): IndexedTransfer {
  return {
    hash: String(row.hash),
    parent: String(row.parent),
    sequence: Number(row.sequence),
    offsetMinor: Number(row.offset_minor),
    amountMinor: Number(row.amount_minor),
    payId: String(row.pay_id),
    signer: String(row.signer),
    signed: String(row.signed),
  };
}
