// SPDX-License-Identifier: Apache-2.0
// Everything that is kept in SQL, on a PostgreSQL server: the contracts, and what one embedded
// connection never meets - two processes at once, and connections that break.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sqlIssuerStore } from "../../host/network/bank/sqlIssuerStore.ts";
import { sqlLedgerStore } from "../../host/network/bank/sqlLedger.ts";
import { sqlMailStore } from "../../host/network/bank/sqlMailStore.ts";
import { type Database, openDatabase } from "../../host/network/store/database.ts";
import { migrate } from "../../host/network/store/migrations.ts";
import { MIGRATIONS } from "../../host/network/store/schema.ts";
import { sqlIssuerContract } from "./issuer-contract.ts";
import { mailContract } from "./mail-contract.ts";
import { balance, entry, hold, ledgerContract, openBank, redeemedNote } from "./ledger-contract.ts";

const server = process.env.FLORIN_TEST_DATABASE;

if (server) testServer(server);
else {
  it.skip("PostgreSQL server: FLORIN_TEST_DATABASE holds no connection string to test with", () => {
    expect.unreachable();
  });
}

/** The same server and user, another database. */
function databaseOn(location: string, name: string): string {
  const url = new URL(location);
  url.pathname = `/${name}`;
  return url.href;
}

function testServer(location: string): void {
  // Two runs on one server do not meet.
  const name = `florin_test_${randomBytes(8).toString("hex")}`;
  let first: Database;
  let second: Database;

  beforeAll(async () => {
    const any = await openDatabase(location);
    await any.query(`CREATE DATABASE ${name}`);
    await any.close();
    [first, second] = await Promise.all([
      openDatabase(databaseOn(location, name)),
      openDatabase(databaseOn(location, name)),
    ]);
    // Two processes of a new economy start at once: each step is done by one of them.
    await Promise.all([first, second, first, second].map((one) => migrate(one, MIGRATIONS)));
  });

  afterAll(async () => {
    await Promise.all([first.close(), second.close()]);
    const any = await openDatabase(location);
    await any.query(`DROP DATABASE ${name}`);
    await any.close();
  });

  ledgerContract("PostgreSQL", () => sqlLedgerStore(first));
  sqlIssuerContract("PostgreSQL", () => sqlIssuerStore(first));
  mailContract("PostgreSQL", () => sqlMailStore(first));

  describe("two processes on a PostgreSQL server", () => {
    it("apply each migration once", async () => {
      const rows = await second.query("SELECT number, name FROM schema_migrations ORDER BY number");
      expect(rows).toEqual(MIGRATIONS.map(({ number, name: step }) => ({ number, name: step })));
    });

    it("never overdraw an account together", async () => {
      const stores = [sqlLedgerStore(first), sqlLedgerStore(second)];
      const bank = await openBank(stores[0]!, 100);
      const holds = Array.from({ length: 24 }, (_, index) =>
        stores[index % 2]!.apply(hold(bank, `p${index}`, 15)),
      );
      const results = await Promise.all(holds);
      expect(results.filter(({ status }) => status === "applied")).toHaveLength(6);
      expect(results.filter(({ status }) => status === "refused")).toHaveLength(18);
      expect(await balance(stores[1]!, bank, "alice")).toBe(10);
    });

    it("take one payment once", async () => {
      const stores = [sqlLedgerStore(first), sqlLedgerStore(second)];
      const bank = await openBank(stores[0]!);
      const results = await Promise.all(
        [0, 1, 0, 1].map((index) => stores[index]!.apply(hold(bank, "p", 40))),
      );
      const statuses = results.map(({ status }) => status).sort();
      expect(statuses).toEqual(["applied", "conflict", "conflict", "conflict"]);
      expect(await balance(stores[0]!, bank, "alice")).toBe(960);
    });

    it("enter a leaf once, and move money between banks in whatever order they name them", async () => {
      const stores = [sqlLedgerStore(first), sqlLedgerStore(second)];
      const bank = await openBank(stores[0]!);
      const entered = await Promise.all(
        [0, 1, 0, 1].map((index) => stores[index]!.apply({ bank, redeemed: redeemedNote("a") })),
      );
      const statuses = entered.map(({ status }) => status).sort();
      expect(statuses).toEqual(["applied", "repeated", "repeated", "repeated"]);
      expect((await stores[0]!.trialBalance(bank))[0]?.reconciledMinor).toBe(30);
      const other = await openBank(stores[0]!);
      const move = (name: string) =>
        [bank, other].map((of) => ({
          bank: of,
          entry: entry(name, "1", [
            ["alice", 1],
            ["bob", -1],
          ]),
        }));
      // In opposite orders they would wait for each other.
      const moved = await Promise.all(
        Array.from({ length: 12 }, (_, at) =>
          stores[at % 2]!.applyTogether(at % 2 ? move(`m${at}`).reverse() : move(`m${at}`)),
        ),
      );
      expect(moved.every(({ status }) => status === "applied")).toBe(true);
      expect(await balance(stores[1]!, other, "bob")).toBe(12);
    });
  });

  describe("a connection to a PostgreSQL server", () => {
    it("that breaks between two statements ends its transaction only", async () => {
      const store = sqlLedgerStore(first);
      const bank = await openBank(store);
      const broken = first.transaction(async (connection) => {
        await connection.query("UPDATE ledger_accounts SET balance_minor = 0 WHERE bank = $1", [
          bank,
        ]);
        const [own] = await connection.query("SELECT pg_backend_pid() AS pid");
        await second.query("SELECT pg_terminate_backend($1)", [own?.pid]);
        // The end arrives while nothing is asked.
        await new Promise((resolve) => setTimeout(resolve, 200));
        await connection.query("SELECT 1");
      });
      await expect(broken).rejects.toThrow();
      expect(await balance(store, bank, "alice")).toBe(1000);
    });

    it("that breaks while idle is replaced", async () => {
      const single = await openDatabase(databaseOn(location, name));
      const [own] = await single.query("SELECT pg_backend_pid() AS pid");
      await second.query("SELECT pg_terminate_backend($1)", [own?.pid]);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await single.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
      await single.close();
    });

    it("is refused with a sentence that says why, and never the password", async () => {
      const wrong = new URL(location);
      wrong.password = "secret-word";
      const error = await openDatabase(databaseOn(wrong.href, "florin_none")).catch(String);
      expect(error).toMatch(/The PostgreSQL server cannot be used: .+; check/);
      expect(error).not.toContain("secret-word");
    });
  });
}
