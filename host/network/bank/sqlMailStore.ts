// SPDX-License-Identifier: Apache-2.0
// A bank's mailbox in a database, beside its books: letters survive the process that took them.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { Database, Queryable, Row } from "../store/database.ts";
import { racingTransaction } from "../store/races.ts";
import { type KeptLetter, type Letter, LETTERS_OF_OWNER } from "./mailbox.ts";
import type { MailStore } from "./mailStore.ts";

/** The store over a database that was migrated (`migrate(database, MIGRATIONS)`). */
export function sqlMailStore(database: Database): MailStore {
  return {
    decide: (bank, payId, nowSeconds, decide) =>
      racingTransaction(database, async (connection) => {
        await connection.query("DELETE FROM mail_letters WHERE bank = $1 AND until_s <= $2", [
          bank,
          nowSeconds,
        ]);
        const rows = await connection.query(
          "SELECT * FROM mail_letters WHERE bank = $1 AND pay_id = $2 ORDER BY number",
          [bank, payId],
        );
        const [count] = await connection.query(
          "SELECT COUNT(*) AS total FROM mail_letters WHERE bank = $1",
          [bank],
        );
        const letters = rows.map(toLetter);
        const decision = decide({ letters, total: Number(count?.total) });
        for (const letter of decision.remove) await remove(connection, bank, letter);
        for (const letter of decision.put) await put(connection, bank, letter);
        return decision;
      }),
    lettersTo: async (bank, recipient, afterNumber, limit) => {
      const rows = await database.query(
        `SELECT * FROM mail_letters WHERE bank = $1 AND recipient = $2 AND number > $3
          ORDER BY number LIMIT $4`,
        [bank, recipient, afterNumber, limit],
      );
      return rows.map(toLetter);
    },
    counts: async (bank) => {
      const rows = await database.query(
        "SELECT kind, COUNT(*) AS letters FROM mail_letters WHERE bank = $1 GROUP BY kind",
        [bank],
      );
      const counts = { question: 0, answer: 0, done: 0 };
      for (const { kind, letters } of rows) counts[kind as Letter["kind"]] = Number(letters);
      return counts;
    },
  };
}

async function remove(connection: Queryable, bank: string, letter: Letter): Promise<void> {
  const { payId, kind, sender, recipient } = letter;
  await connection.query(
    `DELETE FROM mail_letters
      WHERE bank = $1 AND pay_id = $2 AND kind = $3 AND sender = $4 AND recipient = $5`,
    [bank, payId, kind, sender, recipient],
  );
}

async function put(connection: Queryable, bank: string, letter: Letter): Promise<void> {
  const { payId, kind, sender, recipient, owner, statement, until } = letter;
  await remove(connection, bank, letter);
  await connection.query(
    `INSERT INTO mail_letters (bank, pay_id, kind, sender, recipient, owner, statement, until_s)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [bank, payId, kind, sender, recipient, owner, bytesToHex(statement), until],
  );
  await connection.query(
    `DELETE FROM mail_letters WHERE bank = $1 AND owner = $2 AND number IN
      (SELECT number FROM mail_letters WHERE bank = $1 AND owner = $2
        ORDER BY number DESC OFFSET $3)`,
    [bank, owner, LETTERS_OF_OWNER],
  );
}

function toLetter(row: Row): KeptLetter {
  return {
    payId: String(row.pay_id),
    kind: row.kind as Letter["kind"],
    sender: String(row.sender),
    recipient: String(row.recipient),
    owner: String(row.owner),
    statement: hexToBytes(String(row.statement)),
    until: Number(row.until_s),
    number: Number(row.number),
  };
}
