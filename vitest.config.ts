// SPDX-License-Identifier: Apache-2.0
// Host-side tests. Firmware specs (AssemblyScript) run under as-pect; see scripts/test.mjs.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
  },
});
