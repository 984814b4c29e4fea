// SPDX-License-Identifier: Apache-2.0
// The boards: static analysis of their C, then the tests of test/boards, which compile the release
// images for an emulated board and drive it over a serial line. It says what it needs and misses.
//
//   node scripts/test-boards.mjs [vitest file filters ...]
//
// FLORIN_BOARD names the board, a folder of boards/ with an emulator; mps2-an505 if absent.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { description, missingTools } from "./boards.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const board = process.env.FLORIN_BOARD ?? "mps2-an505";

const missing = missingTools(board);
for (const tool of ["cc", "cppcheck"]) {
  if (spawnSync(tool, ["--version"]).error !== undefined) missing.push(tool);
}
if (missing.length > 0) {
  const { packages } = description(board);
  process.stderr.write(
    `The boards' tests need ${missing.join(", ")}: sudo apt-get install gcc cppcheck ${packages}\n`,
  );
  process.exit(1);
}

/** Runs a command and ends with its code where it fails. */
function must(command, words, environment = {}) {
  const result = spawnSync(command, words, {
    stdio: "inherit",
    env: { ...process.env, ...environment },
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
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
const filters = process.argv.slice(2);
must(
  process.execPath,
  ["node_modules/vitest/vitest.mjs", "run", ...(filters.length > 0 ? filters : ["test/boards"])],
  { FLORIN_BOARDS_TESTS: "1" },
);
