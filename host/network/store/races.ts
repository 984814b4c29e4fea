// SPDX-License-Identifier: Apache-2.0
// Transactions that meet others on a server. The loser of a race is told by the database and does
// its work anew, on what the winner left (PostgreSQL manual, appendix A: SQLSTATE classes 23, 40).
import type { Database, Queryable } from "./database.ts";

/** Unique violation, serialization failure, deadlock: somebody else was faster. */
const RACE_STATES = ["23505", "40001", "40P01"];
const ATTEMPTS = 5;

/** SQLSTATE of an error that the database reported; undefined for any other error. */
function sqlState(error: unknown): string | undefined {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/**
 * Runs `work` in a transaction, and anew when it lost a race. It therefore reads what it depends on
 * inside of itself.
 * @throws whatever `work` or the database throws, and the race itself when it is lost five times
 */
export async function racingTransaction<Result>(
  database: Database,
  work: (connection: Queryable) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.transaction(work);
    } catch (error) {
      if (attempt === ATTEMPTS || !RACE_STATES.includes(sqlState(error) ?? "")) throw error;
    }
  }
}
