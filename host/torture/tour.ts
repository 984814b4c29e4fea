// SPDX-License-Identifier: Apache-2.0
// A tour through the points of one scenario or all: in a fixed order, so that a long run is done in
// parts, each going on from the id at which the last one ended.
import { Explorer, type PointResult } from "./explorer.ts";
import { InputError } from "./inputError.ts";
import { SCENARIOS } from "./scenarios.ts";

export interface TourOptions {
  /** One of SCENARIOS; null for all of them, one after the other. */
  scenario: string | null;
  faults: "single" | "pair" | "hostile";
  seed: number;
  /** Most points to try. */
  limit: number;
  /** Milliseconds of real time after which no new point is begun. */
  timeMs: number;
  /** Id to begin with; null for the first. */
  from: string | null;
  /** Of the points only each so-many-th, spread evenly: a sample; 1 for all. */
  stride: number;
}

export interface TourReport {
  points: number;
  /** Of the points those whose second fault was met. */
  pairsMade: number;
  committed: number;
  lost: number;
  made: number;
  inDoubt: number;
  /** Most that the wear of one page of flash was ahead of the average. */
  wear: number;
  pointsPerSecond: number;
  failures: string[];
  /** What is wrong with each failure, in the same order. */
  reasons: string[];
  /** Where a further part goes on; null if there is nothing left. */
  next: string | null;
}

/** Told after each point; `total` is Infinity for pairs without a limit. */
export type Progress = (points: number, total: number, failures: number, elapsedMs: number) => void;

/** Tries points until they, the limit or the time end. @throws {InputError} if `from` is no point */
export function tour(options: TourOptions, nowMs: () => number, progress: Progress): TourReport {
  const report: TourReport = {
    points: 0,
    pairsMade: 0,
    committed: 0,
    lost: 0,
    made: 0,
    inDoubt: 0,
    wear: 0,
    pointsPerSecond: 0,
    failures: [],
    reasons: [],
    next: null,
  };
  const names = options.scenario === null ? Object.keys(SCENARIOS) : [options.scenario];
  const explorers = names.map((name) => new Explorer(name, options.seed));
  const { points, total: most } = pointsOf(explorers, options);
  const total = Math.min(options.limit, most);
  const startMs = nowMs();
  for (const { explorer, id } of points) {
    if (report.points >= options.limit || nowMs() - startMs > options.timeMs) {
      report.next = id;
      break;
    }
    take(report, explorer.attempt(id));
    progress(report.points, total, report.failures.length, nowMs() - startMs);
  }
  const seconds = Math.max(nowMs() - startMs, 1) / 1000;
  report.pointsPerSecond = Math.round((report.points / seconds) * 10) / 10;
  return report;
}

function take(report: TourReport, result: PointResult): void {
  report.points += 1;
  if (result.isSecondMade) report.pairsMade += 1;
  if (result.isCommitted) report.committed += 1;
  report.lost += result.lostMinor;
  report.made += result.madeMinor;
  report.inDoubt += result.inDoubtMinor;
  report.wear = Math.max(report.wear, result.wear);
  if (result.complaints.length === 0) return;
  report.failures.push(result.id);
  report.reasons.push(result.complaints.join("; "));
}

/** The points of a part, and how many they are: Infinity for pairs, which only a limit ends. */
function pointsOf(explorers: readonly Explorer[], options: TourOptions) {
  if (options.faults === "pair") {
    return { points: pairsOf(explorers, options.stride, options.from), total: Infinity };
  }
  const { faults, stride, from } = options;
  const all = explorers.flatMap((explorer) => {
    const ids = faults === "single" ? explorer.singles() : explorer.hostiles();
    return ids.filter((_, index) => index % stride === 0).map((id) => ({ explorer, id }));
  });
  const start = from === null ? 0 : all.findIndex(({ id }) => id === from);
  if (start < 0) throw noPoint(from!);
  return { points: all.slice(start), total: all.length - start };
}

/**
 * Pairs are many: those of several scenarios take turns. Up to `from`, turns are passed over by
 * their first fault's id: a part far behind begins as soon as the first one.
 */
function* pairsOf(
  explorers: readonly Explorer[],
  stride: number,
  from: string | null,
): Generator<{ explorer: Explorer; id: string }> {
  const sources = explorers.map((explorer) => ({ explorer, turns: explorer.pairTurns() }));
  let isReached = from === null;
  let isLast = false;
  for (let index = 0; !isLast; index += 1) {
    isLast = true;
    for (const { explorer, turns } of sources) {
      const next = turns.next();
      if (next.done === true) continue;
      isLast = false;
      if (index % stride !== 0) continue;
      if (!isReached && !from!.startsWith(`${next.value.first}+`)) continue;
      const id = explorer.pairOf(next.value);
      isReached ||= id === from;
      if (isReached && id !== null) yield { explorer, id };
    }
  }
  if (!isReached) throw noPoint(from!);
}

const noPoint = (id: string) => new InputError(`${id} is no point of this run.`);
