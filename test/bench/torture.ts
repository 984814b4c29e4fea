// SPDX-License-Identifier: Apache-2.0
// The fault explorer: points a second for the purchase, and how many times as long a point takes
// that builds its world and runs from the start (docs/faults.md).
import { Explorer } from "../../host/torture/explorer.ts";
import { makeFault } from "../../host/torture/faults.ts";
import { Random } from "../../host/torture/random.ts";
import { SCENARIOS } from "../../host/torture/scenarios.ts";
import { count, heal, judge } from "../../host/torture/verdict.ts";

export interface TortureRow {
  points: number;
  pointsPerSecond: number;
  /** From the start over from a copy. */
  factor: number;
}

const RUN_MS = 300_000;
const POINTS = 200;
const FROM_START = 20;

/** One process, one core; points spread evenly over the run, the two ways by turns. */
export function benchTorture(): TortureRow {
  const explorer = new Explorer("purchase", 1);
  const all = explorer.singles();
  const ids = all.filter((_, index) => index % Math.floor(all.length / POINTS) === 0);
  const [forked, started] = [
    { ms: 0, points: 0 },
    { ms: 0, points: 0 },
  ];
  const time = (into: { ms: number; points: number }, work: () => void) => {
    const fromMs = performance.now();
    work();
    into.ms += performance.now() - fromMs;
    into.points += 1;
  };
  for (const [index, id] of ids.entries()) {
    time(forked, () => explorer.attempt(id));
    if (index % Math.floor(ids.length / FROM_START) === 0) time(started, () => fromStart(id));
  }
  const each = forked.ms / forked.points;
  return {
    points: forked.points,
    pointsPerSecond: 1000 / each,
    factor: started.ms / started.points / each,
  };
}

/** The point of this id without copies of a world. */
function fromStart(id: string): void {
  const [event, fault] = id.split(":")[2]!.split("/") as [string, string];
  const scenario = SCENARIOS.purchase!(1);
  const { world } = scenario;
  scenario.prepare();
  scenario.order(1);
  world.pass(RUN_MS);
  heal(scenario, 1);
  const before = count(scenario);
  scenario.prepare();
  let events = 0;
  world.onNext = () => {
    if (events++ === Number(event)) makeFault(world, fault, new Random(1));
  };
  scenario.order(2);
  world.pass(RUN_MS);
  world.onNext = null;
  heal(scenario, 2);
  judge(scenario, before, 2);
}
