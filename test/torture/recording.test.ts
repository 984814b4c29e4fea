// SPDX-License-Identifier: Apache-2.0
// A point as a .jsonl file: it holds every letter, fault and board call, runs again event by event,
// and the first difference is named.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Explorer } from "../../host/torture/explorer.ts";
import { compareRecording, recordInto } from "../../host/torture/recording.ts";

const folder = mkdtempSync(join(tmpdir(), "florin-recording-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "point.jsonl");
const FLIPPED = "message.bit-flipped-in-its-last-byte";
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

test("card messages are there as sent and as delivered, and other bytes of one length are noticed", () => {
  const faults = new Explorer("purchase", 1).singles();
  const id = faults.find(
    (one) => one.includes("/clearing.soon") && faults.includes(one.replace(/[^/]+$/, FLIPPED)),
  )!;
  recordInto(file, id.replace(/[^/]+$/, FLIPPED));
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const at = lines.findIndex((line) => line.includes("cards switch>acquirer"));
  const [sent, delivered] = lines
    .slice(at)
    .filter((line) => line.includes("cards switch>acquirer"))
    .map((line) => JSON.parse(line) as { event: string; body: string });
  expect(delivered!.event).toBe(`   delivered: ${sent!.event}`);
  expect(delivered!.body).toHaveLength(sent!.body.length);
  expect(delivered!.body).not.toBe(sent!.body);
  // ISO 8583 begins with its message type, four digits.
  expect(Buffer.from(sent!.body, "hex").toString("latin1")).toMatch(/0[1-4][13]0/);
  expect(compareRecording(file).difference).toBeNull();
  const other = `${sent!.body.slice(0, -2)}${sent!.body.endsWith("00") ? "01" : "00"}`;
  writeFileSync(file, lines.with(at, lines[at]!.replace(sent!.body, other)).join("\n"));
  expect(compareRecording(file).difference).toContain(`line ${at + 1}: recorded`);
});

test("what a bank's host was told is there", () => {
  const fault = new Explorer("withdrawal", 1).singles().find((id) => id.includes("/bank.written"))!;
  recordInto(file, fault);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const told = lines.find((line) => line.includes(" told T to T.module"));
  // An array whose first element is the number 82 or 84 (docs/protocol.cddl section 8).
  expect((JSON.parse(told!) as { body: string }).body).toMatch(/^8.18(52|54)/);
});
