// SPDX-License-Identifier: Apache-2.0
// A commit order that is broken on purpose is caught by both: by spin in the model without that
// rule, and by the replay of what the boards of the broken image are called for
// (docs/model/README.md).
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { Explorer } from "../../host/torture/explorer.ts";
import { withStandIns } from "../../host/torture/imageFiles.ts";

const HASTY = new Map([["transaction-module", "hasty-module"]]);
const hasSpin = spawnSync("spin", ["-V"]).error === undefined;

/** The script of `npm run model` with these arguments. */
function model(...names: string[]): { status: number | null; output: string } {
  const options = ["scripts/model.mjs", ...names];
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { encoding: "utf8" });
  return { status, output: stdout + stderr };
}

test("an acknowledgement before its commit is durable: the replay names module and state", () => {
  expect(existsSync("build/firmware/hasty-module.wasm")).toBe(true);
  expect(() => withStandIns(HASTY, () => new Explorer("payment", 1))).toThrow(
    /the model does not allow that .* as payer of [0-9a-f]{8}, which is idle, does acknowledge/,
  );
});

test.skipIf(!hasSpin)("the same in the model: spin finds where money is lost or doubled", () => {
  const { status, output } = model("payment/ACKNOWLEDGES_BEFORE_COMMITTED");
  expect(output).toMatch(/ACKNOWLEDGES_BEFORE_COMMITTED +broken +fails/);
  expect(status).toBe(0);
});

test("a name that no model has is refused in a sentence", () => {
  const { status, output } = model("payment/NO_SUCH_RULE");
  expect(output).toContain("There is no payment/NO_SUCH_RULE");
  expect(status).toBe(1);
});
