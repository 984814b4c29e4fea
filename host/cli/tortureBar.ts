// SPDX-License-Identifier: Apache-2.0
// The line of progress of florin torture: a bar, the points, their rate and the time that is left,
// by points or by the clock, whichever ends the run first.

const WIDTH = 24;

export interface TortureProgress {
  points: number;
  /** Infinity where only the clock, or nothing, ends the run. */
  total: number;
  failures: number;
  elapsedMs: number;
  /** Infinity for no limit. */
  timeMs: number;
}

export function tortureBar({
  points,
  total,
  failures,
  elapsedMs,
  timeMs,
}: TortureProgress): string {
  const part = Math.min(1, Math.max(points / total, elapsedMs / timeMs));
  const bar = "#".repeat(Math.round(part * WIDTH)).padEnd(WIDTH, ".");
  const msEach = elapsedMs / Math.max(points, 1);
  const leftMs = Math.max(0, Math.min((total - points) * msEach, timeMs - elapsedMs));
  const left = Number.isFinite(leftMs) ? `, ${Math.ceil(leftMs / 1000)} s left` : "";
  const counts = `${points}${Number.isFinite(total) ? `/${total}` : ""} points`;
  const rate = (points / Math.max(elapsedMs / 1000, 0.001)).toFixed(0);
  return `[${bar}] ${counts}, ${rate}/s, ${failures} failed${left}`;
}
