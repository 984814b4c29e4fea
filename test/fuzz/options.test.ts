// SPDX-License-Identifier: Apache-2.0
// The fuzzer's command line: what is wrong is one sentence and no stack trace.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findingOf, optionsOf, UsageError } from "./options.ts";

const folder = mkdtempSync(join(tmpdir(), "florin-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("options are taken, or refused with what there is", () => {
  expect(optionsOf(["--minutes", "0.5", "--target", "link/", "--json"])).toEqual({
    ...{ minutes: 0.5, seed: 1, target: "link/", replay: null, isJson: true },
  });
  expect(() => optionsOf(["--bogus"])).toThrow(UsageError);
  expect(() => optionsOf(["--bogus"])).toThrow(/'--bogus'.*; use npm run fuzz/);
  expect(() => optionsOf(["word"])).toThrow(UsageError);
  expect(() => optionsOf(["--minutes", "none"])).toThrow("--minutes is none; give a number");
});

test("a finding is read; what is none is refused", () => {
  const file = join(folder, "finding.json");
  expect(() => findingOf(file)).toThrow(UsageError);
  for (const text of ["{", "null", "{}", '{"target":"nosuch/","seed":1,"input":{}}']) {
    writeFileSync(file, text);
    expect(() => findingOf(file)).toThrow("is no finding; name a file that npm run fuzz");
  }
  const finding = { target: "link/host", seed: 1, input: { frames: "" } };
  writeFileSync(file, JSON.stringify(finding));
  expect(findingOf(file)).toEqual(finding);
});
