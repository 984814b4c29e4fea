// SPDX-License-Identifier: Apache-2.0
// Checks the Promela models of docs/model with spin: each as it is, which must hold in every state
// and have no endless run, and with each of its rules taken out, which must fail.
// docs/model/README.md
//
//   node scripts/model.mjs [--install] [MODEL | MODEL/RULE ...]
//
// --install gets spin and a C compiler by apt-get where spin is missing. MODEL/RULE tries one model
// with one rule taken out.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../docs/model/", import.meta.url));

/**
 * By model: the rules that can be taken out, each a name for the preprocessor. Models that bound
 * every move have no cycle either: their runs all end, so that nothing is in doubt for ever.
 */
const MODELS = {
  payment: {
    isEnding: true,
    mutants: [
      "ACKNOWLEDGES_BEFORE_COMMITTED",
      "READY_BEFORE_PREPARED",
      "PAYEE_ABORTS_AFTER_READY",
      "OWN_SIDE_ABORTS_ALONE",
      "CLOSE_LEAVES_SESSION_OPEN",
      "FORGETS_BEFORE_HORIZON",
      "FORGETS_BEFORE_NOTED",
      "ABORTED_PAST_HORIZON",
      "NEVER_ASKS",
      "CLAIM_LEAVES_OTHER_ENDS",
      "TELLS_CLAIM_BEFORE_IT_IS_DURABLE",
    ],
  },
  exchange: {
    isEnding: true,
    mutants: [
      "ACKNOWLEDGES_BEFORE_COMMITTED",
      "PAYEE_ABORTS_AFTER_READY",
      "PROMISED_STAYS_SPENDABLE",
      "LEGS_IN_TWO_APPENDS",
    ],
  },
  withdrawal: { isEnding: true, mutants: ["OUTER_PAYMENT_FIRST", "NOTES_BEFORE_HOLD"] },
  journal: {
    isEnding: false,
    mutants: [
      "SENDS_BEFORE_RAISE",
      "APPENDS_BEFORE_RAISE",
      "NO_RECORD_OF_BOOTS",
      "ONE_RECORD_OF_BOOTS",
      "TAKES_ANY_TAIL",
      "TAKES_EQUAL_TAIL_ONLY",
      "BELIEVES_TORN_BATCH",
    ],
  },
};

/** Runs a program to its end; its output. Exits with a sentence where it cannot be started. */
function run(work, program, ...options) {
  const result = spawnSync(program, options, { cwd: work, encoding: "utf8" });
  if (result.error) fail(`${program} does not start (${result.error.message}); install it.`);
  const output = result.stdout + result.stderr;
  if (result.status !== 0) fail(`${program} ${options.join(" ")} fails:\n${output}`);
  return output;
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function install() {
  if (!spawnSync("spin", ["-V"]).error) return;
  const prefix = process.getuid() !== 0 ? ["sudo"] : [];
  const commands = [
    ["apt-get", "update", "-q"],
    ["apt-get", "install", "-qy", "--no-install-recommends", "spin", "gcc", "libc6-dev"],
  ];
  for (const command of commands) {
    const [program, ...options] = [...prefix, ...command];
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const stdio = ["ignore", process.stderr, process.stderr];
    const { error, status } = spawnSync(program, options, { stdio, env });
    if (error || status !== 0) fail(`${command.join(" ")} fails; install spin by hand.`);
  }
}

/**
 * Explores one model whole, for states in which something is wrong or for runs without an end.
 * `mutant` is null for the rules as they are.
 */
function check(work, model, mutant, isForCycles) {
  const defines = mutant === null ? [] : [`-D${mutant}`];
  run(work, "spin", "-a", ...defines, `${model}.pml`);
  const kind = isForCycles ? "-DNP" : "-DSAFETY";
  // A model that fails does so soon: the compiler may take its ease with those that are explored
  // whole.
  const speed = mutant === null ? "-O2" : "-O0";
  run(work, "gcc", speed, kind, "-DMEMLIM=4096", "-o", "pan", "pan.c");
  const options = ["-m200000", "-w24", ...(isForCycles ? ["-l"] : [])];
  const output = run(work, "./pan", ...options);
  const number = (pattern) => Number(pattern.exec(output)?.[1] ?? NaN);
  const errors = number(/errors: (\d+)/);
  if (errors === 0 && /out of memory|max search depth too small|not completed/.test(output)) {
    fail(`${model} was not explored whole:\n${output}`);
  }
  const states = number(/(\d+(?:\.\d+)?(?:e\+\d+)?) states, stored/);
  return { model, mutant, states, errors, depth: number(/depth reached (\d+)/) };
}

function report({ model, mutant, states, depth, errors }, what, isAsExpected) {
  const name = mutant === null ? model : `${model} -D${mutant}`;
  const result = errors === 0 ? "holds" : "fails";
  const size = mutant === null ? `${states} states, depth ${depth}` : `depth ${depth}`;
  const word = isAsExpected ? "" : "  NOT AS IT SHOULD";
  process.stdout.write(`${name.padEnd(52)} ${what.padEnd(7)} ${result}  ${size}${word}\n`);
}

const options = process.argv.slice(2);
if (options.includes("--install")) install();
const wanted = options.filter((option) => !option.startsWith("--"));
for (const name of wanted) {
  const [model, rule] = name.split("/");
  const isThere = MODELS[model] && (rule === undefined || MODELS[model].mutants.includes(rule));
  if (!isThere) fail(`There is no ${name}; the models are ${Object.keys(MODELS).join(", ")}.`);
}
const isWanted = (...names) => wanted.length === 0 || names.some((name) => wanted.includes(name));
const work = mkdtempSync(join(tmpdir(), "florin-model-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
for (const file of readdirSync(folder)) {
  if (file.endsWith(".pml")) copyFileSync(join(folder, file), join(work, file));
}
let isWrong = false;
for (const [model, { isEnding, mutants }] of Object.entries(MODELS)) {
  if (isWanted(model)) {
    for (const kind of isEnding ? ["states", "cycles"] : ["states"]) {
      const result = check(work, model, null, kind === "cycles");
      const holds = result.errors === 0;
      isWrong ||= !holds;
      report(result, kind, holds);
    }
  }
  for (const mutant of mutants) {
    if (!isWanted(model, `${model}/${mutant}`)) continue;
    const result = check(work, model, mutant, false);
    const isCaught = result.errors > 0;
    isWrong ||= !isCaught;
    report(result, "broken", isCaught);
  }
}
if (isWrong) fail("A model fails that must hold, or one holds that must fail.");
