// SPDX-License-Identifier: Apache-2.0
// A payer's answer that came for a payment which was claimed already (docs/protocol.md rules 4.11
// and 4.13): the claimant's module takes it no more, but in the mailbox it is evidence for the
// agency.
import { bytesToHex } from "@noble/hashes/utils.js";
import { expect, test } from "vitest";
import { settleClaims } from "../../host/economy/claims.ts";
import type { World } from "../../host/economy/world.ts";
import { openDatabase } from "../../host/network/store/database.ts";
import { migrate } from "../../host/network/store/migrations.ts";
import { MIGRATIONS } from "../../host/network/store/schema.ts";

const CLAIMANT = "00000000000000aa";

test("answers in mailboxes are shown to the agency before it decides, for open claims alone", async () => {
  const database = await openDatabase("memory:");
  await migrate(database, MIGRATIONS);
  const post = (bank: string, recipient: string, statement: Uint8Array) =>
    database.query(
      `INSERT INTO mail_letters
         (bank, pay_id, kind, sender, recipient, owner, statement, until_s)
       VALUES ($1, 'p', 'answer', 's', $2, $2, $3, 9000000000)`,
      [bank, recipient, bytesToHex(statement)],
    );
  await post("First", CLAIMANT, Uint8Array.of(1));
  await post("Second", CLAIMANT, Uint8Array.of(2));
  await post("First", "00000000000000bb", Uint8Array.of(3));
  const done: unknown[] = [];
  const claims = {
    all: async () => [
      { claimant: CLAIMANT, state: "open" },
      { claimant: "00000000000000bb", state: "paid" },
    ],
    showAborted: async (statement: Uint8Array) => done.push([...statement]),
    decideDue: async () => done.push("decided"),
  };
  const world = { base: { database }, claims } as unknown as World;
  await settleClaims(world, []);
  expect(done).toEqual([[1], [2], "decided"]);
  await database.close();
});
