// SPDX-License-Identifier: Apache-2.0
// One SQL dialect, PostgreSQL's: embedded in this process (PGlite) or on a server, chosen by one
// text. PGlite runs without fsync: it survives a killed process, not a power cut of the machine.
import { mkdirSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import { lockDirectory } from "./lockFile.ts";

/** How long a server may take to answer, and a transaction to wait for a free connection. */
const CONNECT_TIMEOUT_MS = 30_000;

export type Row = Record<string, unknown>;

/** Runs statements with parameters $1, $2, and so on. Whole numbers come back as text or number. */
export interface Queryable {
  query(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

export interface Database extends Queryable {
  /** Runs `work` in a transaction: all of it is kept, or none when it throws. */
  transaction<Result>(work: (connection: Queryable) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/**
 * Opens a database.
 * @param location "memory:" (gone when closed), a directory (made if absent; owned by one process
 *   at a time), or "postgres://..." for a server
 * @throws {Error} when another process owns the directory, or the server cannot be reached
 */
export async function openDatabase(location: string): Promise<Database> {
  if (/^postgres(ql)?:\/\//.test(location)) return openServer(location);
  if (location === "memory:") return embedded(await PGlite.create(), () => undefined);
  mkdirSync(location, { recursive: true, mode: 0o700 });
  // PGlite does not notice a second process on its directory, and rows would be lost.
  const lock = lockDirectory(location);
  try {
    return embedded(await PGlite.create(`${location}/database`), () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

function embedded(database: PGlite, closed: () => void): Database {
  const over = (connection: Pick<PGlite, "query">): Queryable => ({
    query: async (sql, parameters = []) => (await connection.query<Row>(sql, [...parameters])).rows,
  });
  return {
    ...over(database),
    transaction: (work) => database.transaction((connection) => work(over(connection))),
    close: async () => {
      await database.close();
      closed();
    },
  };
}

async function openServer(connectionString: string): Promise<Database> {
  const pool = openPool(connectionString);
  const over = (connection: Pick<pg.PoolClient, "query">): Queryable => ({
    query: async (sql, parameters = []) => (await connection.query<Row>(sql, [...parameters])).rows,
  });
  try {
    await pool.query("SELECT 1");
  } catch (error) {
    await pool.end();
    throw new Error(
      `The PostgreSQL server cannot be used: ${reasonOf(error)}; check that it runs, and the ` +
        "address, user and password of the connection string.",
    );
  }
  return {
    query: async (sql, parameters = []) => (await pool.query<Row>(sql, [...parameters])).rows,
    transaction: async (work) => {
      const client = await pool.connect();
      try {
        // Whatever the server's default is: the row locks that are taken make more unnecessary.
        await client.query("BEGIN ISOLATION LEVEL READ COMMITTED");
        const result = await work(over(client));
        await client.query("COMMIT");
        client.release();
        return result;
      } catch (error) {
        // A connection in doubt is not used again: the server rolls back when it goes.
        client.release(true);
        throw error;
      }
    },
    close: () => pool.end(),
  };
}

function openPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // A connection that breaks while nobody asks it anything - idle, or between the statements of a
  // transaction - says so by an event, which would end this process if nobody listened. The pool
  // replaces an idle one; a transaction hears of it at its next statement.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  return pool;
}

/** A host name with several addresses fails once for each, under an error without a message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}
