// SPDX-License-Identifier: Apache-2.0
// The florin command: what it takes, with examples, and the exit codes.
import { Command, CommanderError } from "commander";
import { EconomyFileError } from "../economy/economyFile.ts";
import { addBank } from "./bankCommand.ts";
import { addClaim } from "./claimCommand.ts";
import { askRunning } from "./control.ts";
import { demo, type DemoOptions } from "./demo.ts";
import { addDevice } from "./deviceCommand.ts";
import { directoryOption } from "./directoryOption.ts";
import { addMerchant } from "./merchantCommand.ts";
import { CommandFailure, ExitCode, say, sayJson, warn } from "./output.ts";
import { addTorture } from "./torture.ts";
import { up, type UpOptions } from "./up.ts";
import { addWallet } from "./walletCommand.ts";
import type { AuditReport } from "../economy/report.ts";
import { auditLines } from "../economy/reportLines.ts";

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
  addMerchant(florin);
  addBank(florin);
  addClaim(florin);
  addDevice(florin);
  addAudit(florin);
  addTorture(florin, (code) => {
    exitCode = code;
  });
  return florin;
}

function addDemo(florin: Command): void {
  florin
    .command("demo")
    .description("build an economy in memory, let people do what its file says, and audit it")
    .option("--economy <file>", "economy file; examples/economy.json if absent")
    .option("--seed <number>", "same seed, same keys and ids")
    .option("--json", "print one JSON object")
    .option("--trace", "print each numbered step of the figures as it is reached")
    .option("--boards <kind>", "people's boards: sim, or qemu for emulated ones (boards/README.md)")
    .addHelpText(
      "after",
      `
Examples:
  florin demo
  florin demo --economy my-economy.json --json
  florin demo --seed 7 --trace
  florin demo --boards qemu
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
