// SPDX-License-Identifier: Apache-2.0
// The model beside the code cannot drift from it: what docs/model explores is written from the
// tables that torture runs are held against, and every state and row of them is of use.
import { expect, test } from "vitest";
import { JOURNAL, PAYEE, PAYER, type Table } from "../../host/torture/commitTable.ts";
import { promelaMoves, promelaStates } from "../../host/torture/promela.ts";

const TABLES: Readonly<Record<string, Table>> = { payer: PAYER, payee: PAYEE, journal: JOURNAL };

test("the model has the states of the tables", async () => {
  await expect(promelaStates(TABLES)).toMatchFileSnapshot("../../docs/model/states.pml");
});

test.each(Object.entries(TABLES))("the model has the rows of the %s", async (role, table) => {
  const file = `../../docs/model/${role}Moves.pml`;
  await expect(promelaMoves(role, table)).toMatchFileSnapshot(file);
});

test.each(Object.entries(TABLES))("each state of the %s is reached from its first", (_, table) => {
  const [first] = Object.keys(table);
  const reached = new Set([first!]);
  for (const state of reached) for (const next of Object.values(table[state]!)) reached.add(next);
  expect([...reached].sort()).toEqual(Object.keys(table).sort());
});
