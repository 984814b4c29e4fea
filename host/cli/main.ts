// SPDX-License-Identifier: Apache-2.0
// The florin command: what it takes, with examples, and the exit codes.
import { Command, CommanderError, Option } from "commander";
import { EconomyFileError } from "../economy/economyFile.ts";
import { askRunning } from "./control.ts";
import { demo, type DemoOptions } from "./demo.ts";
import { CommandFailure, ExitCode, say, sayJson, warn } from "./output.ts";
import { up, type UpOptions } from "./up.ts";
import { wallet, type WalletCommand, type WalletOptions } from "./wallet.ts";
import { type AuditReport, auditLines } from "../economy/report.ts";

const DEFAULT_DIRECTORY = "./florin-economy";

const EXIT_CODES = `
Exit codes:
  0  done
  1  refused, or the audit found that the books do not agree
  2  the command line or a file is wrong; nothing was begun
  3  something else failed; the message says what to do
`;

let exitCode: number = ExitCode.OK;

function program(): Command {
  const florin = new Command("florin")
    .description("Electronic money that lives in tamper-proof devices, with its whole economy.")
    .exitOverride()
    .showHelpAfterError("(florin --help shows what there is)")
    .addHelpText("after", EXIT_CODES);
  addDemo(florin);
  addUp(florin);
  addWallet(florin);
  addAudit(florin);
  return florin;
}

function addDemo(florin: Command): void {
  florin
    .command("demo")
    .description("build an economy in memory, let people buy and pay, and audit it")
    .option("--economy <file>", "economy file; examples/economy.json if absent")
    .option("--seed <number>", "same seed, same keys and ids")
    .option("--json", "print one JSON object")
    .option("--trace", "print each numbered step of the figures as it is reached")
    .addHelpText(
      "after",
      `
Examples:
  florin demo
  florin demo --economy my-economy.json --json
  florin demo --seed 7 --trace
`,
    )
    .action(async (options: DemoOptions) => {
      exitCode = await demo(options);
    });
}

function addUp(florin: Command): void {
  florin
    .command("up")
    .description("keep an economy running, with its state in a directory")
    .addOption(directoryOption())
    .option("--economy <file>", "economy file for a new directory")
    .option("--gateway-port <port>", "port of the gateway on 127.0.0.1; any free one if absent")
    .option("--database <url>", "PostgreSQL connection string; embedded if absent")
    .option("--json", "print one JSON object when it runs")
    .addHelpText(
      "after",
      `
Examples:
  florin up
  florin up --dir /tmp/town --economy town.json
`,
    )
    .action(async (options: UpOptions) => {
      exitCode = await up(options);
    });
}

function addWallet(florin: Command): void {
  const group = florin
    .command("wallet")
    .description("act as a person in an economy that runs")
    .addHelpText(
      "after",
      `
Examples:
  florin wallet balance --as Alice
  florin wallet offers --as Alice --unit USD --amount 5000
  florin wallet buy --as Alice --amount 5000 --unit USD
  florin wallet sell --as Alice --amount 1000 --unit USD --at-least 950
  florin wallet pay --as Alice --to Bruno --amount 1250 --unit USD
  florin wallet receipts --as Alice --json
  florin wallet export --as Alice --kind notes --json
`,
    );
  const add = (name: WalletCommand, description: string): Command => {
    return group
      .command(name)
      .description(description)
      .requiredOption("--as <name>", "whose wallet")
      .addOption(directoryOption())
      .option("--json", "print JSON")
      .action(async (options: WalletOptions) => wallet(name, options));
  };
  const amount = "--amount <minor>";
  add("balance", "money and cards in the wallet");
  add("offers", "who sells or buys a unit, the best first")
    .requiredOption("--unit <code>", "unit of money")
    .option("--sell", "who buys it, instead of who sells it")
    .option(amount, "amount in minor units, to compare total costs");
  add("buy", "buy electronic money with a card")
    .requiredOption(amount, "electronic money to receive, in minor units")
    .requiredOption("--unit <code>", "unit of money")
    .option("--card <number>", "card to pay with; needed if there are several")
    .option("--merchant <name>", "merchant to buy from; the cheapest if absent")
    .option("--at-most <minor>", "most that the card may be charged, in minor units")
    .option("--yes", "do not ask for confirmation on a terminal");
  add("sell", "sell electronic money and have a card credited")
    .requiredOption(amount, "electronic money to give, in minor units")
    .requiredOption("--unit <code>", "unit of money")
    .option("--card <number>", "card to be credited; needed if there are several")
    .option("--merchant <name>", "merchant to sell to; the one that gives the most if absent")
    .option("--at-least <minor>", "least that the card must be credited, in minor units")
    .option("--yes", "do not ask for confirmation on a terminal");
  add("pay", "pay another person")
    .requiredOption("--to <name>", "who is paid")
    .requiredOption(amount, "amount in minor units")
    .requiredOption("--unit <code>", "unit of money");
  add("receipts", "receipts of purchases");
  add("export", "notes, tickets or certificates, as signed objects in hexadecimal").requiredOption(
    "--kind <kind>",
    "notes, tickets or certificates",
  );
}

function addAudit(florin: Command): void {
  florin
    .command("audit")
    .description("audit an economy that runs: supply, ledgers, receipts and card postings")
    .addOption(directoryOption())
    .option("--json", "print JSON")
    .action(async ({ dir, json }: { dir: string; json?: boolean }) => {
      const report = (await askRunning(dir, { command: "audit", options: {} })) as AuditReport;
      if (json) sayJson(report);
      else for (const line of [...auditLines(report), report.ok ? "ok" : "NOT OK"]) say(line);
      exitCode = report.ok ? ExitCode.OK : ExitCode.REFUSED;
    });
}

function directoryOption(): Option {
  return new Option("--dir <dir>", "directory of the economy").default(DEFAULT_DIRECTORY);
}

async function main(): Promise<number> {
  try {
    await program().parseAsync();
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.USAGE;
    const message = error instanceof Error ? error.message : String(error);
    warn(message);
    // Programs that asked for JSON get an object in every case.
    if (process.argv.includes("--json")) sayJson({ ok: false, error: message });
    if (error instanceof CommandFailure) return error.exitCode;
    return error instanceof EconomyFileError ? ExitCode.USAGE : ExitCode.FAILED;
  }
}

process.exit(await main());
