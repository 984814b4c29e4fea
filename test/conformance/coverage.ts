// SPDX-License-Identifier: Apache-2.0
// Compares what was recorded with the figures. A step is seen when a machine that does it marks it.
// A branch is seen when the machine that decided marked the outcome's next step as the very next
// thing it marked; where the next step is another machine's, when that machine, in the same device,
// marked it as its first step after the decision.
import {
  branchName,
  type Decision,
  type Doer,
  doerOf,
  type Figure,
  type FigureStep,
} from "../../host/patent/figures.ts";
import type { Kind, Mark, Recording } from "./recorder.ts";

/** One step or branch, and the first scenario that saw it. */
export interface Sighting {
  name: string;
  scenario: string | null;
}

export interface FigureCoverage {
  figure: Figure;
  steps: Sighting[];
  branches: Sighting[];
}

export interface Coverage {
  figures: FigureCoverage[];
  /** Marks that a machine made which does not do that step, one sentence each. */
  misplaced: string[];
}

/** Marks of one machine, in order, with their places in the recording. */
type Line = { step: number; at: number }[];

/** Compares recordings with the figures. */
export function cover(figures: Figure[], recordings: Recording[]): Coverage {
  const runs = recordings.map((recording) => ({ recording, lines: linesOf(recording) }));
  const covered = figures.map((figure) => {
    const seenIn = (isSeen: (run: (typeof runs)[number]) => boolean) =>
      runs.find(isSeen)?.recording.scenario ?? null;
    return {
      figure,
      steps: figure.steps.map((step) => ({
        name: String(step.step),
        scenario: seenIn(({ recording }) =>
          recording.marks.some((mark) => mark.step === step.step && isDoneBy(figure, step, mark)),
        ),
      })),
      branches: figure.decisions.flatMap((decision) =>
        decision.outcomes.map(({ next }) => ({
          name: branchName(decision.step, next),
          scenario: seenIn(({ lines }) => isTaken(figure, decision, next, lines)),
        })),
      ),
    };
  });
  return { figures: covered, misplaced: misplacedMarks(figures, recordings) };
}

/** Which machines stand for a doer. */
function doerOfKind(kind: Kind): Doer {
  if (kind.endsWith("-agent")) return "agent";
  if (kind.endsWith("-module")) return "module";
  return kind as Doer;
}

/** Whether a mark's machine is the one that does the step (paragraph 66). */
function isDoneBy(figure: Figure, step: FigureStep, { kind }: Mark): boolean {
  if (doerOfKind(kind) !== doerOf(figure, step)) return false;
  // Some steps tell which kind of money module does them (paragraphs 105, 118, 119, 132, 137).
  if (/is a transaction money module/.test(step.branch)) return kind === "transaction-module";
  if (/is a teller money module/.test(step.branch)) return kind !== "transaction-module";
  // In Fig. 7 A is the customer, B and C the merchant.
  if (figure.id === "7" && kind.endsWith("-agent")) {
    const letter = /\b([ABC])(->|$)/.exec(step.component)?.[1];
    return kind === (letter === "A" ? "customer-agent" : "merchant-agent");
  }
  return true;
}

function linesOf({ marks }: Recording): Map<string, Line> {
  const lines = new Map<string, Line>();
  for (const [at, { machine, step }] of marks.entries()) {
    const line = lines.get(machine);
    if (line === undefined) lines.set(machine, [{ step, at }]);
    else line.push({ step, at });
  }
  return lines;
}

function isTaken(
  figure: Figure,
  decision: Decision,
  next: number | "end",
  lines: Map<string, Line>,
): boolean {
  const stepOf = (number: number) => figure.steps.find(({ step }) => step === number)!;
  const doers = [decision.step, next].map((number) =>
    typeof number === "number" ? doerOf(figure, stepOf(number)) : null,
  );
  const isOther = doers[1] !== null && doers[0] !== doers[1];
  for (const [machine, line] of lines) {
    for (const [index, { step, at }] of line.entries()) {
      if (step !== decision.step) continue;
      const followers = isOther ? followersInDevice(lines, machine, at) : [line[index + 1]];
      if (followers.some((follower) => isNext(figure, next, follower?.step))) return true;
    }
  }
  return false;
}

/**
 * The first marks that the other machines of a device make after a moment. A merchant's host has
 * several devices, named for it and numbered.
 */
function followersInDevice(lines: Map<string, Line>, machine: string, after: number) {
  const owner = deviceOf(machine);
  const isOwners = (device: string) => device === owner || device.startsWith(`${owner} `);
  return [...lines]
    .filter(([other]) => other !== machine && isOwners(deviceOf(other)))
    .map(([, line]) => line.find(({ at }) => at > after));
}

/** A machine is named for its device and for what it is in it. */
function deviceOf(machine: string): string {
  return machine.replace(/ (host|agent|module)$/, "");
}

function isNext(figure: Figure, next: number | "end", follower: number | undefined): boolean {
  if (next !== "end") return follower === next;
  // The end of a chart: nothing of it is done any more.
  return !figure.steps.some(({ step }) => step === follower);
}

function misplacedMarks(figures: Figure[], recordings: Recording[]): string[] {
  const steps = new Map(
    figures.flatMap((figure) => figure.steps.map((step) => [step.step, { figure, step }])),
  );
  const found = new Set<string>();
  for (const { scenario, marks } of recordings) {
    for (const mark of marks) {
      const known = steps.get(mark.step);
      if (known === undefined) found.add(`${mark.step} is no step of any figure`);
      else if (!isDoneBy(known.figure, known.step, mark)) {
        found.add(
          `${mark.step} is the ${known.step.component}'s, not the ${mark.kind}'s (${scenario})`,
        );
      }
    }
  }
  return [...found];
}
