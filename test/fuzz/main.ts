// SPDX-License-Identifier: Apache-2.0
// npm run fuzz -- [--minutes N] [--seed N] [--target NAME] [--json] | --replay FILE
// Progress goes to standard error, the result to standard output; each finding is written to a file
// that --replay repeats. The exit code is 1 if there was one, 2 if the command line is wrong.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { campaign, type CampaignOptions, type CampaignState } from "./campaign.ts";
import type { Finding } from "./engine.ts";
import { findingOf, optionsOf, UsageError } from "./options.ts";
import { targetNamed } from "./targets.ts";

const FOLDER = "build/fuzz";
/** An input that runs so long never ends. */
const HANG_MS = 60_000;
const LOOK_MS = 500;
/** Bytes for the input that runs now, as JSON, and its length before it. */
const NOTE_SIZE = 1 << 20;
const BAR_WIDTH = 24;

interface Task extends CampaignOptions {
  note: SharedArrayBuffer;
}

if (isMainThread) main();
else work(workerData as Task);

function main(): void {
  try {
    const { replay: file, isJson, ...options } = optionsOf(process.argv.slice(2));
    if (file === null) watch({ ...options, note: new SharedArrayBuffer(NOTE_SIZE) }, isJson);
    else process.exitCode = replay(findingOf(file)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  }
}

/** Runs the campaign on a thread and looks whether it goes on. */
function watch(task: Task, isJson: boolean): void {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: task });
  const startMs = performance.now();
  const clock = new Int32Array(task.note, 0, 2);
  let state: CampaignState = { counts: {}, findings: [] };
  let [last, lastMs] = [-1, startMs];
  const end = () => {
    clearInterval(timer);
    if (process.stderr.isTTY) process.stderr.write("\n");
    report(state, isJson);
    process.exitCode = state.findings.length > 0 ? 1 : 0;
  };
  const timer = setInterval(() => {
    const now = Atomics.load(clock, 0);
    if (now !== last) [last, lastMs] = [now, performance.now()];
    // Making a world takes no step, but not so long.
    else if (performance.now() - lastMs > HANG_MS) {
      state.findings.push(noted(task.note));
      void worker.terminate();
      end();
    }
  }, LOOK_MS);
  worker.on("message", ({ told, isLast }: { told: CampaignState; isLast: boolean }) => {
    state = told;
    progress(state, performance.now() - startMs, task.minutes * 60_000);
    if (isLast) end();
  });
  worker.on("error", (error) => {
    clearInterval(timer);
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
  });
}

/** The input that was begun last. */
function noted(note: SharedArrayBuffer): Finding {
  const [, length] = new Int32Array(note, 0, 2);
  const bytes = new Uint8Array(note, 8, length).slice();
  return JSON.parse(new TextDecoder().decode(bytes)) as Finding;
}

/** The thread's part: runs, and notes each input before it does. */
function work({ note, ...options }: Task): void {
  const clock = new Int32Array(note, 0, 2);
  const room = new Uint8Array(note, 8);
  const encoder = new TextEncoder();
  const before = (finding: Finding) => {
    const bytes = encoder.encode(JSON.stringify(finding));
    if (bytes.length <= room.length) room.set(bytes);
    clock[1] = Math.min(bytes.length, room.length);
    Atomics.add(clock, 0, 1);
  };
  const tell = (told: CampaignState, isLast = false) => parentPort!.postMessage({ told, isLast });
  tell(
    campaign(options, () => performance.now(), before, tell),
    true,
  );
}

function progress({ counts, findings }: CampaignState, spentMs: number, totalMs: number): void {
  if (!process.stderr.isTTY) return;
  const runs = Object.values(counts).reduce((sum, one) => sum + one.runs, 0);
  const part = Math.min(1, spentMs / totalMs);
  const bar = "#".repeat(Math.round(part * BAR_WIDTH)).padEnd(BAR_WIDTH, ".");
  const left = Math.max(0, Math.ceil((totalMs - spentMs) / 1000));
  const rate = Math.round(runs / (spentMs / 1000));
  process.stderr.write(
    `\r[${bar}] ${runs} inputs, ${rate}/s, ${findings.length} findings, ${left} s left  `,
  );
}

/** Writes findings to files and says what was done. */
function report({ counts, findings }: CampaignState, isJson: boolean): void {
  if (findings.length > 0) mkdirSync(FOLDER, { recursive: true });
  const files = findings.map((finding) => {
    const name = finding.target.replace(/[^a-z0-9]+/gi, "-");
    const file = `${FOLDER}/${name}-${finding.seed}-${finding.number}.json`;
    writeFileSync(file, `${JSON.stringify(finding, null, 2)}\n`);
    return file;
  });
  const out = (text: string) => process.stdout.write(`${text}\n`);
  if (isJson) {
    const told = findings.map(({ target, reason }, index) => ({
      target,
      reason,
      file: files[index],
    }));
    out(JSON.stringify({ targets: counts, findings: told }));
    return;
  }
  for (const [name, { runs, behaviours, findings: count }] of Object.entries(counts)) {
    out(`${name}: ${runs} inputs, ${behaviours} behaviours, ${count} findings`);
  }
  for (const [index, { target, reason }] of findings.entries()) {
    out(`${target}: ${reason}\n  npm run fuzz -- --replay ${files[index]}`);
  }
}

/** Repeats one finding; whether what it found is gone. */
function replay({ target, seed, input }: Finding): boolean {
  const repeated = targetNamed(target, seed);
  try {
    const did = repeated.run(input);
    process.stdout.write(`${target}: nothing is wrong (${did})\n`);
    return true;
  } catch (error) {
    process.stdout.write(`${target}: ${(error as Error).message}\n`);
    return false;
  }
}
