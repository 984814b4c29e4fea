// SPDX-License-Identifier: Apache-2.0
// Writes the tables of commitTable.ts as Promela: states as numbers, and each row as a guarded
// move. docs/model includes the result; test/torture/model holds that it is what the tables say.
import type { Table } from "./commitTable.ts";

const HEAD = `// SPDX-License-Identifier: Apache-2.0
// Written from host/torture/commitTable.ts by host/torture/promela.ts; change it there, then run
// npx vitest run test/torture/model -u
`;

const upper = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** The states of a table as constants, from 0 in the order of the table. */
export function promelaStates(tables: Readonly<Record<string, Table>>): string {
  const lines = Object.entries(tables).flatMap(([role, table]) =>
    Object.keys(table).map((state, index) => `#define ${upper(role)}_${upper(state)} ${index}`),
  );
  return `${HEAD}\n${lines.join("\n")}\n`;
}

/**
 * The rows of one table as options of a loop. MAY_ROLE_EVENT says when the surroundings allow the
 * event, DO_ROLE_EVENT what it does to them; the model defines both.
 */
export function promelaMoves(role: string, table: Table): string {
  const options = Object.entries(table).flatMap(([state, row]) =>
    Object.entries(row).map(([event, next]) => {
      const [from, to] = [state, next].map((name) => `${upper(role)}_${upper(name)}`);
      const what = `${upper(role)}_${upper(event)}`;
      return `:: atomic { ${role} == ${from} && MAY_${what} -> ${role} = ${to}; DO_${what} }`;
    }),
  );
  return `${HEAD}\n${options.join("\n")}\n`;
}
