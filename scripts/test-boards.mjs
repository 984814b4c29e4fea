// SPDX-License-Identifier: Apache-2.0
// The boards: static analysis of their C, then the tests of test/boards, which compile the release
// images for emulated boards and drive them over serial lines.
//
//   node scripts/test-boards.mjs [--install] [vitest file filters ...]
//
// Tools that are missing are named, and the tests that need them counted as skipped: in the gate
// (.ci/run) that is a failure. With --install they are installed by apt-get before. FLORIN_BOARD
// names the board, a folder of boards/ with an emulator; mps2-an505 if absent.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildBoard, description, missingTools } from "./boards.mjs";
import { countReport } from "./testReport.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const board = process.env.FLORIN_BOARD ?? "mps2-an505";
const words = process.argv.slice(2);
const filters = words.filter((word) => word !== "--install");
// The ESP32 is compiled, not run.
const packages = `gcc libc6-dev cppcheck ${description(board).packages} ${description("esp32").packages}`;
const REPORT = "build/boards-report.json";
/** What most tests start. Compiled before them, it counts against no test's time. */
const PERSON = { agent: "customer-agent", module: "transaction-module" };
const SHOP = { agent: "merchant-agent", module: "transaction-module" };
const ECHO = { agent: "echo", module: "echo" };
const PROGRAMS = [
  [board, PERSON],
  [board, SHOP],
  [board, ECHO],
  ["linux", PERSON],
  ["linux", ECHO],
  ["esp32", PERSON],
  ["netduinoplus2", { module: "transaction-module" }],
];

function missing() {
  const own = ["cc", "cppcheck"].filter((tool) => spawnSync(tool, ["--version"]).error);
  return [...new Set([...missingTools(board), ...missingTools("esp32"), ...own])];
}

/** Runs a command and ends with its code where it fails. */
function must(command, given) {
  const result = spawnSync(command, given, { stdio: "inherit" });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function install() {
  const isRoot = process.getuid?.() === 0;
  const asRoot = isRoot ? ["env"] : ["sudo", "env"];
  const apt = (...given) => {
    const [command, ...before] = [...asRoot, "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"];
    must(command, [...before, ...given]);
  };
  apt("update");
  apt("install", "-y", "--no-install-recommends", ...packages.split(" "));
}

if (words.includes("--install") && missing().length > 0) install();
const absent = missing();
if (absent.length > 0) {
  const files = readdirSync("test/boards").filter((name) => name.endsWith(".test.ts"));
  for (const name of files) process.stdout.write(`skipped: test/boards/${name}\n`);
  process.stderr.write(
    `The boards' tests need ${absent.join(", ")}: sudo apt-get install ${packages}\n`,
  );
  process.stdout.write(`0 passed, 0 failed, ${files.length} files skipped\n`);
  process.exit(process.env.FLORIN_GATE ? 1 : 0);
}

must(process.execPath, ["scripts/build.mjs", "--test-images", "--firmware-only", "--quiet"]);
must("cppcheck", [
  ...["--std=c11", "--quiet", "--error-exitcode=1", "--inline-suppr"],
  "--enable=warning,style,performance,portability",
  // Headers of the C library are not read: what cppcheck knows of it is enough.
  "--suppress=missingIncludeSystem",
  "-Iboards/runtime",
  "-Iboards/runtime/link",
  "-Iboards/runtime/wasm2c",
  "boards",
  "test/boards",
]);
if (filters.length === 0) {
  for (const [name, slots] of PROGRAMS) {
    if (Object.keys(slots).length <= description(name).slots) buildBoard(name, slots);
  }
}
rmSync(REPORT, { force: true });
const vitest = spawnSync(
  process.execPath,
  [
    ...["node_modules/vitest/vitest.mjs", "run", "--reporter=default", "--reporter=json"],
    `--outputFile.json=${REPORT}`,
    ...(filters.length > 0 ? filters : ["test/boards"]),
  ],
  { stdio: "inherit", env: { ...process.env, FLORIN_BOARDS_TESTS: "1" } },
);
const { passed, failed, skipped } = countReport(vitest.status, REPORT);
for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
process.stdout.write(`${passed} passed, ${failed} failed${tail}\n`);
process.exit(failed === 0 ? 0 : 1);
