// SPDX-License-Identifier: Apache-2.0
// The whole test suite: builds what is needed, runs the firmware specs under as-pect and the host
// tests under vitest, and closes with one line of counts. Skipped tests are printed and counted; in
// the gate (.ci/run), which brings every tool along, a skip is a failure.
//
//   node scripts/test.mjs [vitest file filters ...]
import { spawn, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { countReport } from "./testReport.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const filters = process.argv.slice(2);

const build = spawnSync(process.execPath, ["scripts/build.mjs", "--traced", "--test-images"], {
  stdio: "inherit",
});
if (build.status !== 0) process.exit(1);

/** Runs one command, shows its output and returns it with the exit code. */
function run(file, options) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file, ...options], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const take = (stream) => (chunk) => {
      output += chunk;
      stream.write(chunk);
    };
    child.stdout.on("data", take(process.stdout));
    child.stderr.on("data", take(process.stderr));
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Counts of an as-pect run, read from its closing line `[Tests]: passed / all`. */
function countFirmware({ code, output }) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes are what is removed
  const plain = output.replace(/\u001b\[[0-9;]*m/g, "");
  const summary = /\[Tests\]: (\d+) \/ (\d+)/.exec(plain);
  if (!summary) return { passed: 0, failed: 1, skipped: [] };
  const failed = Number(summary[2]) - Number(summary[1]);
  return {
    passed: Number(summary[1]),
    failed: code !== 0 && failed === 0 ? 1 : failed,
    skipped: [],
  };
}

const counts = [];
if (filters.length === 0) {
  const aspect = await run("node_modules/@as-pect/cli/bin/asp.js", [
    "--config",
    "as-pect.config.js",
    "--summary",
  ]);
  counts.push(countFirmware(aspect));
}
// Kept: `npm run conformance -- --recorded` reads which claims hold.
const report = "build/test-report.json";
rmSync(report, { force: true });
const vitest = await run("node_modules/vitest/vitest.mjs", [
  "run",
  "--reporter=default",
  "--reporter=json",
  `--outputFile.json=${report}`,
  ...filters,
]);
counts.push(countReport(vitest.code, report));

const passed = counts.reduce((sum, count) => sum + count.passed, 0);
let failed = counts.reduce((sum, count) => sum + count.failed, 0);
const skipped = counts.flatMap((count) => count.skipped);
for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
if (process.env.FLORIN_GATE && skipped.length > 0) failed += skipped.length;
const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
process.stdout.write(`${passed} passed, ${failed} failed${tail}\n`);
process.exit(failed === 0 ? 0 : 1);
