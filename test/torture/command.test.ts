// SPDX-License-Identifier: Apache-2.0
// florin torture on its command line: what is not there is refused with one sentence and exit code
// 2, and is never called good; --json is one object whatever is done; the bar knows the clock.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { CommandFailure, ExitCode } from "../../host/cli/output.ts";
import { addTorture } from "../../host/cli/torture.ts";
import { tortureBar } from "../../host/cli/tortureBar.ts";

const folder = mkdtempSync(join(tmpdir(), "florin-torture-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs the command in this process: its exit code, or its failure, and what it printed. */
function torture(...words: string[]) {
  let printed = "";
  let exitCode: number | null = null;
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  const florin = new Command("florin").exitOverride();
  addTorture(florin, (code) => {
    exitCode = code;
  });
  try {
    florin.parse(["torture", ...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    return { exitCode: error.exitCode, said: error.message, printed };
  } finally {
    vi.restoreAllMocks();
  }
  return { exitCode, said: "", printed };
}

describe("what is not there is refused", () => {
  test.each([
    ["payment:1:12/foo.C.soon", "has no fault foo.C.soon"],
    ["payment:1:12/flash.99.torn.soon", "has no fault flash.99.torn.soon"],
    ["payment:1:12/cards.down", "has no fault cards.down"],
    ["payment:1:12/bank.written.soon", "has no fault bank.written.soon"],
    ["payment:1:12/power.C.never", "has no fault power.C.never"],
    ["payment:1:12/line.never", "has no fault line.never"],
    ["payment:1:12/clock.C.sideways", "has no fault clock.C.sideways"],
    ["payment:1:12/message.nosuch", "has no fault message.nosuch"],
    ["payment:1:12/lie.nosuch", "has no fault lie.nosuch"],
    ["payment:1:12/line.soon+3/nosuch.C", "No event of payment has a fault nosuch.C"],
    ["payment:1:12/gone.X+3/line.soon", "has no fault gone.X"],
    ["payment:1:9999/line.soon", "has no event 9999"],
    ["nosuch:1:3/line.soon", "There is no scenario nosuch"],
    ["payment", "is no id of a point"],
    [join(folder, "nosuch.jsonl"), "florin torture --replay ID --record FILE makes one"],
  ])("a replay of %s", (id, sentence) => {
    const { exitCode, said, printed } = torture("--replay", id);
    expect(said).toContain(sentence);
    expect([exitCode, printed.includes("nothing is wrong")]).toEqual([ExitCode.USAGE, false]);
  });

  test.each([
    [["--record", "x.jsonl"], "name it with --replay ID"],
    [["--replay", "payment:1:12/line.soon", "--record", join(folder, "no", "x")], "(ENOENT)"],
    [["--from", "payment:2:3/line.soon"], "of seed 2: add --seed 2"],
    [["--from", "purchase:1:3/line.soon", "--scenario", "payment"], "of scenario purchase"],
    [["--from", "payment:1:3/nosuch", "--scenario", "payment"], "is no point of this run"],
  ])("%j", (words, sentence) => {
    const { exitCode, said } = torture(...words);
    expect(said).toContain(sentence);
    expect(exitCode).toBe(ExitCode.USAGE);
  });
});

describe("--json prints one object", () => {
  const id = "payment:1:12/line.soon";
  const file = join(folder, "point.jsonl");
  const json = (...words: string[]): unknown => JSON.parse(torture(...words, "--json").printed);

  test("of a replay, a recording and its comparison", () => {
    expect(json("--replay", id)).toMatchObject({ id, complaints: [], isCommitted: true });
    expect(json("--replay", id, "--record", file)).toEqual({ id, file, complaints: [] });
    expect(json("--replay", file)).toEqual({ id, file, difference: null });
  });

  test("of a part that goes on with a point", () => {
    const from = "payment:1:12/line.soon";
    const report = json("--scenario", "payment", "--from", from, "--limit", "2");
    expect(report).toMatchObject({ points: 2, pairsMade: 0, failures: [] });
  });
});

describe("the bar", () => {
  const none = { points: 50, total: Infinity, failures: 0, elapsedMs: 10_000, timeMs: Infinity };
  test("knows the points, the clock, and which of them ends the run", () => {
    expect(tortureBar(none)).toBe(`[${".".repeat(24)}] 50 points, 5/s, 0 failed`);
    expect(tortureBar({ ...none, total: 100 })).toBe(
      `[${"#".repeat(12)}${".".repeat(12)}] 50/100 points, 5/s, 0 failed, 10 s left`,
    );
    const timed = { ...none, timeMs: 40_000 };
    expect(tortureBar(timed)).toBe(
      `[${"#".repeat(6)}${".".repeat(18)}] 50 points, 5/s, 0 failed, 30 s left`,
    );
    expect(tortureBar({ ...timed, total: 100 })).toContain("10 s left");
    expect(tortureBar({ ...timed, total: 1000 })).toContain("30 s left");
  });
});
