// SPDX-License-Identifier: Apache-2.0
// florin wallet statements: payments in doubt settled by a file, where neither a connection nor a
// mailbox leads from one device to the other (protocol rule 4.5).
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { writeWholeFile } from "../wholeFile.ts";
import { askRunning } from "./control.ts";
import { directoryOption } from "./directoryOption.ts";
import { CommandFailure, say } from "./output.ts";

interface StatementsOptions {
  as: string;
  dir: string;
  answers?: string;
}

interface StatementsAnswer {
  statements: string[];
}

const EXAMPLES = `
Examples:
  florin wallet statements export --as Bruno questions.json
  florin wallet statements import --as Alice questions.json --answers answers.json
  florin wallet statements import --as Bruno answers.json --answers done.json
`;

/** Adds the two commands to florin wallet. */
export function addStatements(wallet: Command): void {
  const group = wallet
    .command("statements")
    .description("settle payments in doubt by a file")
    .addHelpText("after", EXAMPLES);
  const add = (name: "export" | "import", description: string): Command =>
    group
      .command(name)
      .description(description)
      .argument("<file>", "file of statements")
      .requiredOption("--as <name>", "whose wallet")
      .addOption(directoryOption());
  add("export", "write out what the module asks").action(
    async (file: string, { as, dir }: StatementsOptions) => {
      write(file, await order(dir, "export", { as }));
    },
  );
  add("import", "hand a file to the module")
    .option("--answers <file>", "file for what it says to that")
    .action(async (file: string, { as, dir, answers }: StatementsOptions) => {
      const told = await order(dir, "import", { as, statements: statementsIn(file) });
      if (answers === undefined) say(`${told.statements.length} answers; name a file by --answers`);
      else write(answers, told);
    });
}

async function order(
  dir: string,
  name: string,
  options: Record<string, unknown>,
): Promise<StatementsAnswer> {
  return (await askRunning(dir, { command: `statements ${name}`, options })) as StatementsAnswer;
}

function write(file: string, { statements }: StatementsAnswer): void {
  writeWholeFile(file, `${JSON.stringify({ statements }, null, 2)}\n`);
  say(`${statements.length} statements written to ${file}`);
}

function statementsIn(file: string): unknown {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as Partial<StatementsAnswer>).statements;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailure(`${file} cannot be read: ${why}`);
  }
}
