// SPDX-License-Identifier: Apache-2.0
// `npm start`: builds what is needed and runs the demo. Options are passed on: npm start -- --json
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const options = process.argv.slice(2);
// --trace runs the traced images, in which every numbered step of the figures is a board call.
const traced = options.includes("--trace") ? ["--traced"] : [];
const build = spawnSync(process.execPath, ["scripts/build.mjs", ...traced], {
  stdio: ["ignore", 2, 2],
});
if (build.status !== 0) process.exit(1);
const demo = spawnSync(process.execPath, ["bin/florin.js", "demo", ...options], {
  stdio: "inherit",
});
process.exit(demo.status ?? 1);
