// SPDX-License-Identifier: Apache-2.0
// The card issuer's records in memory and in the embedded database. A server's turn is in
// database-server.test.ts.
import { afterAll, beforeAll } from "vitest";
import { memoryIssuerStore, newIssuerBooks } from "../../host/network/authorization/issuerBooks.ts";
import { sqlIssuerStore } from "../../host/network/bank/sqlIssuerStore.ts";
import { type Database, openDatabase } from "../../host/network/store/database.ts";
import { migrate } from "../../host/network/store/migrations.ts";
import { MIGRATIONS } from "../../host/network/store/schema.ts";
import { issuerContract, sqlIssuerContract } from "./issuer-contract.ts";

let database: Database;
beforeAll(async () => {
  database = await openDatabase("memory:");
  await migrate(database, MIGRATIONS);
}, 60_000);
afterAll(() => database.close());

issuerContract("memory", () => memoryIssuerStore(newIssuerBooks([])));
sqlIssuerContract("SQL", () => sqlIssuerStore(database));
