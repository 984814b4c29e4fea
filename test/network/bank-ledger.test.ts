// SPDX-License-Identifier: Apache-2.0
// The ledger in memory and in the embedded database, and that database on disk. A server's turn is
// in database-server.test.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LedgerState, memoryLedgerStore } from "../../host/network/bank/memoryLedger.ts";
import { sqlLedgerStore } from "../../host/network/bank/sqlLedger.ts";
import { type Database, openDatabase } from "../../host/network/store/database.ts";
import { migrate } from "../../host/network/store/migrations.ts";
import { MIGRATIONS } from "../../host/network/store/schema.ts";
import { balance, hold, ledgerContract, openBank } from "./ledger-contract.ts";

let database: Database;
beforeAll(async () => {
  database = await openDatabase("memory:");
  await migrate(database, MIGRATIONS);
}, 60_000);
afterAll(() => database.close());

const memory: LedgerState = {};
ledgerContract("memory", () => memoryLedgerStore(memory));
ledgerContract("SQL", () => sqlLedgerStore(database));

describe("the database on disk", () => {
  it("keeps what was applied over a restart, and belongs to one process", async () => {
    const directory = mkdtempSync(join(tmpdir(), "florin-bank-"));
    try {
      const first = await openDatabase(directory);
      await migrate(first, MIGRATIONS);
      const bank = await openBank(sqlLedgerStore(first));
      await sqlLedgerStore(first).apply(hold(bank, "p1", 10));
      await expect(openDatabase(directory)).rejects.toThrow(`Process ${process.pid} uses`);
      await first.close();
      const second = await openDatabase(directory);
      await migrate(second, MIGRATIONS);
      expect(await balance(sqlLedgerStore(second), bank, "alice")).toBe(990);
      expect(await sqlLedgerStore(second).openPayments(bank)).toHaveLength(1);
      await second.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  }, 60_000);

  it("refuses a database of a later release", async () => {
    const later = { number: MIGRATIONS.length + 1, name: "later", statements: [] };
    const other = await openDatabase("memory:");
    await migrate(other, [...MIGRATIONS, later]);
    await expect(migrate(other, MIGRATIONS)).rejects.toThrow("use the release that last wrote it");
    await other.close();
  }, 60_000);
});

describe("the address of a PostgreSQL server", () => {
  it("is not repeated when it leads nowhere", async () => {
    // Port 1 is nobody's; the name has up to two addresses, each of which refuses.
    const refused = await openDatabase("postgres://a:secret-word@localhost:1/x").catch(String);
    expect(refused).toMatch(/The PostgreSQL server cannot be used: connect ECONNREFUSED .+; check/);
    expect(refused).not.toContain("secret-word");
    const unread = await openDatabase("postgres://a:secret-word@[/x").catch(String);
    expect(unread).toContain("The PostgreSQL server cannot be used: Invalid URL; check");
    expect(unread).not.toContain("secret-word");
  });
});
