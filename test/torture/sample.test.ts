// SPDX-License-Identifier: Apache-2.0
// A bounded sample of what `florin torture` tries whole (docs/faults.md): every scenario, single
// faults spread evenly over its events, and pairs. Nothing is lost, made or left in doubt.
import { expect, test } from "vitest";
import { SCENARIOS } from "../../host/torture/scenarios.ts";
import { tour } from "../../host/torture/tour.ts";

/** Prime, so that a sample meets every kind of fault. */
const SINGLE_STRIDE = 53;
const PAIR_STRIDE = 17;
const PAIRS = 25;

const common = { seed: 1, timeMs: Infinity, from: null } as const;
const quiet = () => {};

test.each(Object.keys(SCENARIOS))("a sample of single faults in a %s", (scenario) => {
  const options = { ...common, scenario, faults: "single", stride: SINGLE_STRIDE } as const;
  const report = tour({ ...options, limit: Infinity }, () => 0, quiet);
  expect([report.failures, report.reasons]).toEqual([[], []]);
  expect([report.lost, report.made, report.inDoubt]).toEqual([0, 0, 0]);
  // Faults that prevent everything, or nothing, test little.
  expect(report.committed).toBeGreaterThan(0);
  expect(report.committed).toBeLessThan(report.points);
});

test.each(Object.keys(SCENARIOS))("a sample of pairs of faults in a %s", (scenario) => {
  const options = { ...common, scenario, faults: "pair", stride: PAIR_STRIDE } as const;
  const report = tour({ ...options, limit: PAIRS }, () => 0, quiet);
  expect([report.failures, report.reasons]).toEqual([[], []]);
  expect(report.points).toBe(PAIRS);
});
