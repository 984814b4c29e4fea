// SPDX-License-Identifier: Apache-2.0
// florin demo: builds the economy of a file in memory, lets people do what the file says, and
// closes with the audit.
import { runAction } from "../economy/actions.ts";
import { audit } from "../economy/audit.ts";
import { type Economy, readEconomy } from "../economy/economyFile.ts";
import type { ActionOutcome, EconomyReport } from "../economy/report.ts";
import { actionLine, auditLines, topUpLine } from "../economy/reportLines.ts";
import { openWorld } from "../economy/world.ts";
import { memoryWorld } from "../economy/worldSettings.ts";
import { type BoardMaker, emulatedBoards } from "../economy/partyBoard.ts";
import { projectFile } from "../projectFile.ts";
import {
  CommandFailure,
  colour,
  ExitCode,
  ProgressBar,
  progress,
  say,
  sayJson,
  warn,
} from "./output.ts";
import { stepObserver } from "./trace.ts";

export interface DemoOptions {
  economy?: string;
  seed?: string;
  json?: boolean;
  trace?: boolean;
  /** Kind of boards for people's devices: "sim", or "qemu" with a board's name behind a colon. */
  boards?: string;
}

/** The economy that is shown when none is named. */
export const EXAMPLE_ECONOMY = projectFile("examples/economy.json");

/** The emulated board of `--boards qemu`. */
const DEFAULT_BOARD = "mps2-an505";

/** Runs the demo; gives the exit code. */
export async function demo(options: DemoOptions): Promise<number> {
  const economy = readEconomy(options.economy ?? EXAMPLE_ECONOMY);
  if (options.seed !== undefined && !/^\d{1,15}$/.test(options.seed)) {
    throw new CommandFailure(`--seed takes a whole number, not "${options.seed}"`);
  }
  const isJson = options.json === true;
  const peopleBoards = boardsNamed(options);
  const bar = new ProgressBar(stagesOf(economy));
  const settings = memoryWorld(options.seed, {
    isTraced: options.trace === true,
    ...(peopleBoards === undefined ? {} : { peopleBoards }),
    progress: (text) => bar.step(text),
    // On a terminal the bar has the line to itself.
    ...(process.stderr.isTTY ? {} : { detail: progress }),
    alarm: warn,
    // The trace belongs to the story, but with --json only the object may go to stdout.
    ...(options.trace ? { observerFor: stepObserver(isJson ? progress : say) } : {}),
  });
  const { clock } = settings;
  const world = await openWorld(economy, settings);
  try {
    bar.clear();
    if (!isJson) say(colour("What happened", "bold", process.stdout));
    const actions: ActionOutcome[] = [];
    for (const action of economy.actions) {
      clock.step();
      bar.step(`action ${actions.length + 1}: ${action.do}`);
      const outcome = await runAction(world, action);
      actions.push(outcome);
      bar.clear();
      if (!isJson) sayOutcome(outcome);
    }
    bar.step("closing audit");
    const { ok, ...books } = await audit(world);
    const report: EconomyReport = { ok, actions, ...books };
    bar.clear();
    if (isJson) sayJson(report);
    else sayAudit(report);
    return report.ok ? ExitCode.OK : ExitCode.REFUSED;
  } finally {
    await world.close();
  }
}

/** What makes the boards of people; undefined for simulated ones. */
function boardsNamed({ boards, seed, trace }: DemoOptions): BoardMaker | undefined {
  if (boards === undefined || boards === "sim") return undefined;
  const [kind, board, ...more] = boards.split(":");
  if (kind !== "qemu" || more.length > 0) {
    throw new CommandFailure(`--boards takes sim, qemu or qemu:BOARD, not "${boards}"`);
  }
  if (seed !== undefined || trace) {
    throw new CommandFailure(
      "emulated boards have real time and release images: no --seed, --trace",
    );
  }
  return emulatedBoards(board ?? DEFAULT_BOARD);
}

/** Agencies, banks and card network, each merchant and person, each action, and the audit. */
function stagesOf({ merchants, people, actions }: Economy): number {
  return 3 + merchants.length + people.length + actions.length + 1;
}

function sayOutcome(outcome: ActionOutcome): void {
  const isOk = outcome.outcome === "ok";
  const mark = isOk
    ? colour("ok     ", "green", process.stdout)
    : colour("refused", "red", process.stdout);
  say(`  ${mark} ${actionLine(outcome)}`);
  if (outcome.kind !== "buy" && outcome.kind !== "sell") return;
  if (outcome.receipt !== null) {
    say(`          receipt ${outcome.receipt.ticketId}, account ${outcome.receipt.account}`);
  }
  for (const entry of outcome.topUps) say(`          ${topUpLine(entry)}`);
}

function sayAudit(report: EconomyReport): void {
  say();
  say(colour("Closing audit", "bold", process.stdout));
  for (const line of auditLines(report)) say(`  ${line}`);
  say();
  say(report.ok ? colour("ok", "green", process.stdout) : colour("NOT OK", "red", process.stdout));
}
