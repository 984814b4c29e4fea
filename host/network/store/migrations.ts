// SPDX-License-Identifier: Apache-2.0
// Brings a database to the present schema, one numbered step after the other. A step that was ever
// released is never changed: what is wrong in it is put right by a later one.
import type { Database, Queryable } from "./database.ts";
import { racingTransaction } from "./races.ts";

export interface Migration {
  /** 1, 2, 3, ... without gaps. */
  readonly number: number;
  readonly name: string;
  readonly statements: readonly string[];
}

/**
 * Applies the steps that the database does not have yet: all of them, or none. Processes that start
 * at once on one server may all call it; each step is done once.
 * @throws {Error} when the database is of a later release
 */
export function migrate(database: Database, migrations: readonly Migration[]): Promise<void> {
  return racingTransaction(database, (connection) => applyMissing(connection, migrations));
}

async function applyMissing(
  connection: Queryable,
  migrations: readonly Migration[],
): Promise<void> {
  await connection.query(
    "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)",
  );
  const rows = await connection.query(
    "SELECT COALESCE(MAX(number), 0) AS last FROM schema_migrations",
  );
  const last = Number(rows[0]?.last);
  if (last > migrations.length) {
    throw new Error(
      `The database has schema ${last}, but this release knows ${migrations.length}; use the ` +
        "release that last wrote it, or a later one.",
    );
  }
  for (const { number, name, statements } of migrations.slice(last)) {
    // The number comes first: whoever does the same step waits here, loses, and looks anew.
    await connection.query("INSERT INTO schema_migrations (number, name) VALUES ($1, $2)", [
      number,
      name,
    ]);
    for (const statement of statements) await connection.query(statement);
  }
}
