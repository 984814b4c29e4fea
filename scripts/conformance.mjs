// SPDX-License-Identifier: Apache-2.0
// Conformance to the patent's figures and claims: builds the traced images, runs the scenarios
// (test/conformance) and the claims (test/claims), says what was seen, and writes the page
// docs/conformance.md.
//
//   npm run conformance [-- --json] [-- --check] [-- --recorded]
//
// --json prints { seen, total, missing, claims, branches } and no more; --check fails where the
// page is not up to date instead of writing it; --recorded takes what the last `npm test` recorded.
// Ends with code 1 if a step or branch was not seen, a claim fails, or a scenario did.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const options = process.argv.slice(2);
const isJson = options.includes("--json");
const RECORDING = "build/conformance.json";
const TESTS = "build/test-report.json";
const PAGE = "docs/conformance.md";
const CLAIMS = 23;

if (!options.includes("--recorded")) run();
const recorded = JSON.parse(readFileSync(RECORDING, "utf8"));
const tests = JSON.parse(readFileSync(TESTS, "utf8")).testResults.flatMap((file) =>
  file.assertionResults.map((test) => ({ ...test, isOurs: /test\/conformance\//.test(file.name) })),
);
const failures = tests.filter(({ isOurs, status }) => isOurs && status !== "passed");
const result = summary();
const isStale = existsSync(PAGE) ? readFileSync(PAGE, "utf8") !== recorded.page : true;
if (isStale && !options.includes("--check")) writeFileSync(PAGE, recorded.page);
if (isJson) process.stdout.write(`${JSON.stringify(result)}\n`);
else print();
process.exit(isConforming() ? 0 : 1);

/** Builds what is needed and runs scenarios and claims; says nothing under --json. */
function run() {
  for (const file of [RECORDING, TESTS]) rmSync(file, { force: true });
  const stdio = isJson ? ["ignore", "ignore", "inherit"] : ["ignore", "inherit", "inherit"];
  const node = (...words) => spawnSync(process.execPath, words, { stdio }).status;
  const quiet = isJson ? ["--quiet"] : [];
  // Some worlds also have parts that are built for tests alone.
  const images = ["--traced", "--test-images", "--firmware-only", ...quiet];
  if (node("scripts/build.mjs", ...images) !== 0) process.exit(1);
  node(
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${TESTS}`,
    "test/conformance",
    "test/claims",
  );
}

/** The counts, the numbers of what is missing, and whether each claim holds. */
function summary() {
  const steps = recorded.figures.flatMap((figure) => figure.steps);
  const branches = recorded.figures.flatMap((figure) => figure.branches);
  const missing = (items) => items.filter(([, isSeen]) => !isSeen).map(([name]) => name);
  const claims = {};
  for (let number = 1; number <= CLAIMS; number++) {
    const own = tests.filter(({ title }) => title.startsWith(`claim ${number}:`));
    claims[number] = own.length > 0 && own.every(({ status }) => status === "passed");
  }
  return {
    seen: steps.length - missing(steps).length,
    total: steps.length,
    missing: missing(steps),
    claims,
    branches: {
      seen: branches.length - missing(branches).length,
      total: branches.length,
      missing: missing(branches),
    },
  };
}

function print() {
  const say = (line) => process.stdout.write(`${line}\n`);
  for (const { id, title, steps, branches } of recorded.figures) {
    const seen = (items) => `${items.filter(([, isSeen]) => isSeen).length}/${items.length}`;
    const forks = branches.length > 0 ? `, branches ${seen(branches)}` : "";
    say(`Fig. ${id.padEnd(3)} ${seen(steps).padStart(7)}${forks.padEnd(17)} ${title}`);
    const lost = [...steps, ...branches].filter(([, isSeen]) => !isSeen).map(([name]) => name);
    if (lost.length > 0) say(`         not seen: ${lost.join(" ")}`);
  }
  for (const sentence of recorded.misplaced) say(`wrong mark: ${sentence}`);
  for (const { fullName } of failures) say(`failed: ${fullName}`);
  const broken = Object.entries(result.claims).filter(([, holds]) => !holds);
  say(`claims   ${CLAIMS - broken.length}/${CLAIMS}`);
  if (broken.length > 0) say(`         not shown: ${broken.map(([number]) => number).join(" ")}`);
  say(
    `steps ${result.seen}/${result.total}, ` +
      `branches ${result.branches.seen}/${result.branches.total}`,
  );
  if (isStale) {
    const isChecked = options.includes("--check");
    say(isChecked ? `${PAGE} is stale: run npm run conformance` : `${PAGE} is written anew`);
  }
}

function isConforming() {
  const isWhole = result.missing.length === 0 && result.branches.missing.length === 0;
  const isSound = recorded.misplaced.length === 0 && failures.length === 0;
  const isFresh = !isStale || !options.includes("--check");
  return isWhole && isSound && isFresh && Object.values(result.claims).every(Boolean);
}
