// SPDX-License-Identifier: Apache-2.0
// A point as a .jsonl file: it holds every letter, fault and board call, runs again event by event,
// and the first difference is named.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { compareRecording, recordInto } from "../../host/torture/recording.ts";

const folder = mkdtempSync(join(tmpdir(), "florin-recording-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "point.jsonl");
const ID = "payment:1:42/flash.1.torn.soon";

test("holds each event of the point, and is repeated exactly", () => {
  expect(recordInto(file, ID).complaints).toEqual([]);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events[0]).toMatchObject({ id: ID });
  expect(events[1]).toEqual({ event: "-- flash.1.torn.soon" });
  expect(events.some(({ power }) => power === "torn")).toBe(true);
  const calls = new Set(events.map(({ call }) => call));
  for (const call of ["receive", "send", "random", "write", "raise", "rest"]) {
    expect(calls.has(call)).toBe(true);
  }
  expect(compareRecording(file)).toEqual({ id: ID, difference: null });
});

test("a changed event is named; another file is none", () => {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const at = lines.findIndex((line) => line.includes('"call":"write"'));
  const changed = lines.with(at, lines[at]!.replace('"length":', '"length":1'));
  writeFileSync(file, changed.join("\n"));
  expect(compareRecording(file).difference).toContain(`line ${at + 1}: recorded`);
  writeFileSync(file, lines.slice(0, -1).join("\n"));
  expect(compareRecording(file).difference).toContain("recorded nothing more, now");
  writeFileSync(file, "{}\n");
  expect(() => compareRecording(file)).toThrow("is no recording");
});
