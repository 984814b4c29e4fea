// SPDX-License-Identifier: Apache-2.0
// florin torture: makes faults at every event of a transaction and checks that no money is lost,
// made or left in doubt (docs/faults.md). Progress goes to standard error, the result to standard
// output.
import { type Command, InvalidArgumentError, Option } from "commander";
import { Explorer } from "../torture/explorer.ts";
import { InputError } from "../torture/inputError.ts";
import { worldOfPoint } from "../torture/pointId.ts";
import { compareRecording, recordInto } from "../torture/recording.ts";
import { SCENARIOS } from "../torture/scenarios.ts";
import { type Progress, tour, type TourReport } from "../torture/tour.ts";
import { CommandFailure, ExitCode, say, sayJson } from "./output.ts";
import { tortureBar } from "./tortureBar.ts";

interface TortureOptions {
  scenario?: string;
  faults: "single" | "pair" | "hostile";
  seed: number;
  limit?: number;
  minutes?: number;
  from?: string;
  replay?: string;
  record?: string;
  json?: boolean;
}

const BAR_EVERY_MS = 500;

/** Adds the command; `setExit` gets its exit code. */
export function addTorture(florin: Command, setExit: (code: number) => void): void {
  florin
    .command("torture")
    .description("cut power and spoil messages at every event, and check that no money is lost")
    .addOption(new Option("--scenario <name>", "all if absent").choices(Object.keys(SCENARIOS)))
    .addOption(
      new Option("--faults <count>", "at a time")
        .choices(["single", "pair", "hostile"])
        .default("single"),
    )
    .option("--seed <number>", "same seed, same world and same faults", positive, 1)
    .option("--limit <number>", "most points to try", positive)
    .option("--minutes <number>", "begin no point after this time", positive)
    .option("--from <id>", "go on with this point")
    .option("--replay <id or file>", "repeat one point, or a recording, and print each event")
    .option("--record <file>", "with --replay: write every message, fault and board call into it")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  florin torture --scenario purchase
  florin torture --faults pair --minutes 10 --json
  florin torture --replay purchase:1:12/power.C.soon
  florin torture --replay purchase:1:12/power.C.soon --record point.jsonl
  florin torture --replay point.jsonl
`,
    )
    .action((options: TortureOptions) => {
      const { replay, record } = options;
      if (record !== undefined && replay === undefined) {
        throw new CommandFailure(
          "--record writes one point into a file: name it with --replay ID.",
        );
      }
      try {
        const isWell = replay === undefined ? run(options) : repeat(replay, options);
        setExit(isWell ? ExitCode.OK : ExitCode.REFUSED);
      } catch (error) {
        if (error instanceof InputError) throw new CommandFailure(error.message);
        throw error;
      }
    });
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("It must be a whole number of at least 1.");
  }
  return value;
}

/** Whether nothing failed. */
function run(options: TortureOptions): boolean {
  const { scenario, faults, seed, limit, minutes, from, json } = options;
  if (from !== undefined) checkFrom(from, scenario, seed);
  const settings = {
    scenario: scenario ?? null,
    faults,
    seed,
    limit: limit ?? Infinity,
    timeMs: (minutes ?? Infinity) * 60_000,
    from: from ?? null,
    stride: 1,
  };
  const report = tour(settings, () => performance.now(), progressBar(settings.timeMs));
  if (process.stderr.isTTY) process.stderr.write("\n");
  if (json) sayJson(report);
  else sayReport(report);
  return report.failures.length === 0;
}

/** A part goes on in the world in which it began: who names another one is told. */
function checkFrom(from: string, scenario: string | undefined, seed: number): void {
  const point = worldOfPoint(from);
  if (point.seed !== seed) {
    throw new InputError(`${from} is of seed ${point.seed}: add --seed ${point.seed}.`);
  }
  if (scenario !== undefined && point.scenario !== scenario) {
    const { scenario: other } = point;
    throw new InputError(`${from} is of scenario ${other}: name --scenario ${other}, or none.`);
  }
}

/** Shows the bar on a terminal alone. */
function progressBar(timeMs: number): Progress {
  let toldMs = 0;
  return (points, total, failures, elapsedMs) => {
    if (!process.stderr.isTTY || (elapsedMs - toldMs < BAR_EVERY_MS && points < total)) return;
    toldMs = elapsedMs;
    process.stderr.write(`\r${tortureBar({ points, total, failures, elapsedMs, timeMs })}  `);
  };
}

function sayReport(report: TourReport): void {
  const { points, committed, lost, made, inDoubt, pointsPerSecond, failures, next } = report;
  say(`${points} points, ${pointsPerSecond} a second; the order was carried out in ${committed}`);
  say(`lost ${lost}, made ${made}, in doubt ${inDoubt} minor units; ${failures.length} failures`);
  say(`wear of flash pages at most ${report.wear} ahead of the average`);
  for (const [index, id] of failures.entries()) say(`  ${id}: ${report.reasons[index]}`);
  if (next !== null) say(`the next part: --from ${next}`);
}

/** Repeats a point or a recording; whether nothing is wrong. */
function repeat(what: string, { record, json }: TortureOptions): boolean {
  if (record !== undefined) {
    const { complaints } = recordInto(record, what);
    if (json) sayJson({ id: what, file: record, complaints });
    else say(`${what} is in ${record}; ${complaints.join("; ") || "nothing is wrong"}`);
    return complaints.length === 0;
  }
  if (!what.endsWith(".jsonl")) return replay(what, json === true);
  const { id, difference } = compareRecording(what);
  if (json) sayJson({ id, file: what, difference });
  else say(`${id}: ${difference ?? "every event is as recorded"}`);
  return difference === null;
}

/** Repeats one point with every event; whether nothing is wrong. */
function replay(id: string, isJson: boolean): boolean {
  const { scenario, seed } = worldOfPoint(id);
  const explorer = new Explorer(scenario, seed);
  const events: string[] = [];
  const result = explorer.attempt(id, isJson ? (line) => events.push(line) : say);
  if (isJson) sayJson({ ...result, events });
  else {
    say(`${id}: the order was ${result.isCommitted ? "carried out" : "not carried out"}`);
    for (const complaint of result.complaints) say(`  ${complaint}`);
    if (result.complaints.length === 0) say("  nothing is wrong");
  }
  return result.complaints.length === 0;
}
