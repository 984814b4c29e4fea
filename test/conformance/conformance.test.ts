// SPDX-License-Identifier: Apache-2.0
// Every numbered step of Figs. 6 to 21 and every branch, seen in runs of the traced images. What
// was seen goes to build/conformance.json, which `npm run conformance` prints.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadFigures } from "../../host/patent/figures.ts";
import { projectFile } from "../../host/projectFile.ts";
import { type Coverage, cover } from "./coverage.ts";
import { conformancePage } from "./document.ts";
import { findMarks } from "./marks.ts";
import { record, type Recording } from "./recorder.ts";
import { allScenarios } from "./scenarios/all.ts";

const figures = loadFigures();
const recordings: Recording[] = [];

describe("scenarios end as they must", () => {
  for (const scenario of allScenarios) {
    test(scenario.name, async () => {
      recordings.push(await record(scenario));
    });
  }
});

describe("every step and branch is seen", () => {
  for (const [index, { id, title }] of figures.entries()) {
    test(`Fig. ${id}: ${title}`, () => {
      const { steps, branches } = cover(figures, recordings).figures[index]!;
      const lost = [...steps, ...branches].filter(({ scenario }) => scenario === null);
      expect(lost.map(({ name }) => name)).toEqual([]);
    });
  }
});

test("no machine marks a step that another one does", () => {
  expect(cover(figures, recordings).misplaced).toEqual([]);
});

test("each step has a mark in the sources, and no mark is of another number", () => {
  const marked = [...findMarks().keys()];
  const numbered = figures.flatMap(({ steps }) => steps.map(({ step }) => step));
  expect(marked.filter((number) => !numbered.includes(number))).toEqual([]);
});

afterAll(() => {
  const coverage = cover(figures, recordings);
  const file = projectFile("build/conformance.json");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(report(coverage)));
});

/** What `npm run conformance` prints, and the page that it writes. */
function report(coverage: Coverage) {
  return {
    figures: coverage.figures.map(({ figure, steps, branches }) => ({
      id: figure.id,
      title: figure.title,
      steps: steps.map(({ name, scenario }) => [Number(name), scenario !== null]),
      branches: branches.map(({ name, scenario }) => [name, scenario !== null]),
    })),
    misplaced: coverage.misplaced,
    page: conformancePage(coverage, findMarks()),
  };
}
