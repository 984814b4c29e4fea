#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The florin command; the built program is dist/host/cli/main.js.
import { existsSync } from "node:fs";

const program = new URL("../dist/host/cli/main.js", import.meta.url);
if (!existsSync(program)) {
  process.stderr.write("florin: not built yet in this folder; run `npm run build` first.\n");
  process.exit(1);
}
await import(program.href);
