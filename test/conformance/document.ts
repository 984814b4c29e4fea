// SPDX-License-Identifier: Apache-2.0
// Writes docs/conformance.md: each step with the lines that mark it and the scenario that saw it,
// each branch, each claim with its test, and what is done otherwise than drawn in 1995.
import { readdirSync, readFileSync } from "node:fs";
import { projectFile } from "../../host/projectFile.ts";
import type { Coverage, FigureCoverage, Sighting } from "./coverage.ts";
import { DEPARTURES } from "./departures.ts";
import type { Marks } from "./marks.ts";

const NOT_SEEN = "**not seen**";

/** The whole page. */
export function conformancePage(coverage: Coverage, marks: Marks): string {
  const all = (kind: "steps" | "branches") =>
    count(coverage.figures.flatMap((figure) => figure[kind]));
  return [
    "# Conformance to the figures and claims",
    "",
    "Written by `npm run conformance`; do not edit. The figures are those of EP 0 830 656 B1.",
    "",
    `Steps seen: ${all("steps")}. Branches seen: ${all("branches")}.`,
    "",
    "A **step** is seen when a machine that does it, agent, money module, host or network, marks it",
    "while a scenario ran (`test/conformance/scenarios`); its image is the traced one of the same",
    "source. A **branch** is seen when the machine that decides marks the outcome's next step as the",
    "very next thing that it marks. Where another machine of the same device does the next step",
    "(742 to 748), it must be the first thing that that one marked after the decision. A mark by a",
    "machine that does not do the step fails the run.",
    "",
    "## Done otherwise than drawn",
    "",
    "All of these are marked and seen; none is excused.",
    "",
    ...table(
      ["figure", "steps", "what and why"],
      DEPARTURES.map(({ figure, steps, what }) => [figure, steps, what]),
    ),
    "",
    "## Claims",
    "",
    ...table(["claim", "test", "file"], claimTests()),
    "",
    ...coverage.figures.flatMap((figure) => figureSection(figure, marks)),
  ].join("\n");
}

/** Tests that carry the number of a claim: number, title and file. */
export function claimTests(): string[][] {
  return readdirSync(projectFile("test/claims"))
    .filter((name) => name.endsWith(".test.ts"))
    .flatMap((name) => {
      const text = readFileSync(projectFile(`test/claims/${name}`), "utf8");
      return [...text.matchAll(/"claim (\d+): ([^"]+)"/g)].map(([, number, title]) => [
        number!,
        title!,
        `test/claims/${name}`,
      ]);
    })
    .sort(([a], [b]) => Number(a) - Number(b));
}

function figureSection({ figure, steps, branches }: FigureCoverage, marks: Marks): string[] {
  const place = (step: number) => (marks.get(step) ?? [NOT_SEEN]).join("<br>");
  const lines = [
    `## Fig. ${figure.id}: ${figure.title}`,
    "",
    `Steps ${count(steps)}` + (branches.length > 0 ? `, branches ${count(branches)}.` : "."),
    "",
    ...table(
      ["step", "component", "does", "marked in", "seen in"],
      figure.steps.map(({ step, component, action }, index) => [
        String(step),
        component,
        action,
        place(step),
        steps[index]!.scenario ?? NOT_SEEN,
      ]),
    ),
    "",
  ];
  if (branches.length === 0) return lines;
  const answers = figure.decisions.flatMap(({ outcomes }) => outcomes.map(({ when }) => when));
  const rows = branches.map(({ name, scenario }, index) => [
    name.replace("->", " to "),
    answers[index]!,
    scenario ?? NOT_SEEN,
  ]);
  return [...lines, ...table(["branch", "when", "seen in"], rows), ""];
}

function table(heads: string[], rows: string[][]): string[] {
  const line = (cells: string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(heads), line(heads.map(() => "---")), ...rows.map(line)];
}

function count(sightings: Sighting[]): string {
  return `${sightings.filter(({ scenario }) => scenario !== null).length} of ${sightings.length}`;
}
