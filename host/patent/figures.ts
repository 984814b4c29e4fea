// SPDX-License-Identifier: Apache-2.0
// The flow charts of Figs. 6 to 21 as data (figures.json), and who does each step: the machine that
// a component's name stands for (paragraph 66), so that a mark by the wrong machine is noticed.
import { readFileSync } from "node:fs";
import { projectFile } from "../projectFile.ts";

/** One numbered step of a flow chart. */
export interface FigureStep {
  step: number;
  component: string;
  action: string;
  /** When it is reached, empty on the main line. */
  branch: string;
}

/** A question in a flow chart and what follows each answer: a step, or the end of the chart. */
export interface Decision {
  step: number;
  outcomes: { when: string; next: number | "end" }[];
}

export interface Figure {
  id: string;
  title: string;
  steps: FigureStep[];
  decisions: Decision[];
  /** Steps that call another figure. */
  calls: Record<string, string>;
}

/** What kind of machine does a step. */
export type Doer = "agent" | "module" | "host" | "card network" | "network server";

/** Reads all figures. */
export function loadFigures(): Figure[] {
  const file = projectFile("host/patent/figures.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { figures: Figure[] }).figures;
}

/** Figures whose components are the money module's without a prefix. */
const MODULE_FIGURES = ["14", "18", "20", "21"];

/** Components of Figs. 12 and 19 that are a money module's: its own, or a subroutine it calls. */
const MODULE_COMPONENT =
  /^(MM |Money Module [AB]$|Establish Session MM|Send (Routed|E-Routed|MM\/TA) |Transfer Notes)/;

/** The machine that does a step. */
export function doerOf(figure: Figure, { component }: FigureStep): Doer {
  if (/^(HT[AB]|Host [ABC]|Host Message Manager [AB])$/.test(component)) return "host";
  if (component === "Card Authorization Network") return "card network";
  if (component === "Network Server") return "network server";
  if (MODULE_FIGURES.includes(figure.id) || MODULE_COMPONENT.test(component)) return "module";
  return "agent";
}

/** A branch as one names it: decision and what must follow. */
export function branchName(step: number, next: number | "end"): string {
  return `${step}->${next}`;
}
