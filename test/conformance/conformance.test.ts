// SPDX-License-Identifier: Apache-2.0
// Every numbered step of Figs. 6 to 21 and every branch, seen in runs of the traced images.
import { afterAll, describe, expect, test } from "vitest";
import { writeFileSync } from "node:fs";
import { loadFigures } from "../../host/patent/figures.ts";
import { cover } from "./coverage.ts";
import { record, type Recording } from "./recorder.ts";
import { abortScenarios } from "./scenarios/aborts.ts";
import { noteScenarios } from "./scenarios/notes.ts";
import { agentSessionScenarios } from "./scenarios/agentSessions.ts";
import { moduleSessionScenarios } from "./scenarios/moduleSessions.ts";
import { economyScenarios } from "./scenarios/economy.ts";
import { paymentScenarios } from "./scenarios/payments.ts";
import { purchaseScenarios } from "./scenarios/purchases.ts";

const scenarios = [
  ...noteScenarios,
  ...abortScenarios,
  ...agentSessionScenarios,
  ...moduleSessionScenarios,
  ...purchaseScenarios,
  ...paymentScenarios,
  ...economyScenarios,
];
const recordings: Recording[] = [];

describe("scenarios", () => {
  test.each(scenarios)("$name", async (scenario) => {
    recordings.push(await record(scenario));
  });
});

afterAll(() => {
  const coverage = cover(loadFigures(), recordings);
  writeFileSync("build/conformance.json", JSON.stringify(coverage));
  let s = 0,
    t = 0,
    bs = 0,
    bt = 0;
  const miss: string[] = [];
  for (const { figure, steps, branches } of coverage.figures) {
    s += steps.filter((x) => x.scenario).length;
    t += steps.length;
    bs += branches.filter((x) => x.scenario).length;
    bt += branches.length;
    const m = [...steps, ...branches].filter((x) => !x.scenario).map((x) => x.name);
    miss.push(
      `Fig. ${figure.id} ${steps.filter((x) => x.scenario).length}/${steps.length} ${branches.filter((x) => x.scenario).length}/${branches.length}: ${m.join(" ")}`,
    );
  }
  console.log(
    miss.join("\n"),
    `\n${s}/${t} steps ${bs}/${bt} branches\n`,
    coverage.misplaced.join("\n"),
  );
  expect(1).toBe(1);
});
