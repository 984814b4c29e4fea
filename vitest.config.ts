// SPDX-License-Identifier: Apache-2.0
// Host-side tests. Firmware specs (AssemblyScript) run under as-pect; see scripts/test.mjs.
import { defineConfig } from "vitest/config";

// The tests of test/boards need cross compilers and an emulator: npm run test:boards runs them.
const boards = process.env.FLORIN_BOARDS_TESTS ? [] : ["test/boards/**"];

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["node_modules/**", ...boards],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
  },
});
