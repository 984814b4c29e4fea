// SPDX-License-Identifier: Apache-2.0
// Host-side tests. Firmware specs (AssemblyScript) run under as-pect; see scripts/test.mjs.
import { defineConfig } from "vitest/config";

// The tests of test/boards need cross compilers and an emulator: npm run test:boards runs them.
const areBoardsTried = Boolean(process.env.FLORIN_BOARDS_TESTS);
// Nothing here is timed: a test that takes so long hangs. Emulators are slow on a loaded machine.
const timeoutMs = areBoardsTried ? 400_000 : 120_000;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["node_modules/**", ...(areBoardsTried ? [] : ["test/boards/**"])],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    pool: "forks",
  },
});
