// SPDX-License-Identifier: Apache-2.0
// Brings a database to the present schema, one numbered step after the other. A step that was ever
// released is never changed: what is wrong in it is put right by a later one.
import type { Database } from "./database.ts";

export interface Migration {
  /** 1, 2, 3, ... without gaps. */
  readonly number: number;
  readonly name: string;
  readonly statements: readonly string[];
}

/**
 * Applies the steps that the database does not have yet, each in a transaction of its own.
 * @throws {Error} when the database is of a later release
 */
export async function migrate(database: Database, migrations: readonly Migration[]): Promise<void> {
  await database.query(
    "CREATE TABLE IF NOT EXISTS schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)",
  );
  const rows = await database.query(
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
    await database.transaction(async (connection) => {
      for (const statement of statements) await connection.query(statement);
      await connection.query("INSERT INTO schema_migrations (number, name) VALUES ($1, $2)", [
        number,
        name,
      ]);
    });
  }
}
