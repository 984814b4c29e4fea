// SPDX-License-Identifier: Apache-2.0
// Hosts that are killed between any two of their lines (docs/faults.md, "Hosts killed between any
// two lines"): every write, every commit and every message of a host counts as a line, before it
// is done and after. A killed host does nothing any more: what it awaits never comes.
import type { Database, Queryable, Row } from "../../../host/network/store/database.ts";

/** Counts the lines that all hosts of a world come to, and kills who comes to the chosen one. */
export class Knife {
  /** How many lines were reached. */
  reached = 0;
  /** Lines count only while this is so. */
  isCounting = true;
  /** What was killed and is not buried yet. */
  killed: HostProcess | undefined;
  /** At which line; undefined while everybody lives. */
  where: string | undefined;
  /** Statements that the database is working on. */
  busy = 0;
  /** The number of the line, from 1; infinity lets everybody live. */
  private readonly at: number;
  private readonly isCoarse: boolean;

  /** @param isCoarse a transaction is one line: what is between its statements does not count */
  constructor(at = Number.POSITIVE_INFINITY, isCoarse = false) {
    this.at = at;
    this.isCoarse = isCoarse;
  }

  /** False when `process` dies here. */
  passes(process: HostProcess, line: string): boolean {
    if (!this.isCounting || (this.isCoarse && WITHIN_TRANSACTION.test(line))) return true;
    this.reached += 1;
    if (this.reached !== this.at) return true;
    this.killed = process;
    this.where = `${process.name} ${line}`;
    return false;
  }
}

/** One host between its start and its end. */
export class HostProcess {
  readonly name: string;
  isAlive = true;
  private readonly knife: Knife;

  constructor(name: string, knife: Knife) {
    this.name = name;
    this.knife = knife;
  }

  /** Comes to a line; false where the host is dead. */
  reaches(line: string): boolean {
    if (this.isAlive && !this.knife.passes(this, line)) this.isAlive = false;
    return this.isAlive;
  }

  /** The same for what the host awaits: a dead one waits for ever. */
  async comesTo(line: string): Promise<void> {
    if (!this.reaches(line)) await never();
  }

  /** Does something at once, a line before and one after it; undefined where the host is dead. */
  does<Result>(line: string, work: () => Result): Result | undefined {
    if (!this.reaches(`before ${line}`)) return undefined;
    const result = work();
    this.reaches(`after ${line}`);
    return result;
  }

  /** A database as this host sees it. */
  over(database: Database): Database {
    const { knife } = this;
    const counted = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      knife.busy += 1;
      try {
        return await work();
      } finally {
        knife.busy -= 1;
      }
    };
    /** A write outside of a transaction is one of its own. */
    const query = async (sql: string, parameters?: readonly unknown[]): Promise<Row[]> => {
      const line = lineOf(sql);
      if (line !== undefined) await this.comesTo(`before ${line}`);
      else if (!this.isAlive) await never();
      const rows = await counted(() => database.query(sql, parameters));
      if (line !== undefined) await this.comesTo(`after ${line}`);
      else if (!this.isAlive) await never();
      return rows;
    };
    return {
      query,
      transaction: async (work) => {
        await this.comesTo("before BEGIN");
        const result = await counted(() =>
          database.transaction(async (connection) => {
            const inner = await work(this.within(connection));
            // The connection of a killed host breaks, and the database rolls back.
            if (!this.reaches("before COMMIT")) throw new Killed();
            return inner;
          }),
        ).catch((error: unknown) => {
          if (error instanceof Killed) return never();
          throw error;
        });
        await this.comesTo("after COMMIT");
        return result;
      },
      close: async () => undefined,
    };
  }

  private within(connection: Queryable): Queryable {
    return {
      query: async (sql, parameters) => {
        const line = lineOf(sql);
        const goesOn = line === undefined ? this.isAlive : this.reaches(`before ${line}`);
        if (!goesOn) throw new Killed();
        return connection.query(sql, parameters);
      },
    };
  }
}

const WITHIN_TRANSACTION = /^before (COMMIT|INSERT|UPDATE|DELETE)/;

class Killed extends Error {}

/** What a killed host waits for. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** The name of a statement that changes something; undefined for one that only reads. */
function lineOf(sql: string): string | undefined {
  const [verb, second, third] = sql.trim().split(/\s+/);
  return verb === "SELECT" ? undefined : [verb, second, third].join(" ");
}

/** Lets everything that was begun come to its end, or to where it waits for somebody. */
export async function rest(knife: Knife): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (knife.busy > 0) quiet = -1;
  }
}
