// SPDX-License-Identifier: Apache-2.0
// One campaign: every target gets its share of the time, round after round, each round with the
// next seed. It runs on a thread of its own, so that an input that never ends can be told.
import { Engine, type Finding } from "./engine.ts";
import { GROUPS } from "./targets.ts";

export interface CampaignOptions {
  minutes: number;
  seed: number;
  /** A target, or what names of several begin with; null for all. */
  target: string | null;
}

export interface Counts {
  runs: number;
  /** Different behaviours seen, over all rounds. */
  behaviours: number;
  findings: number;
}

export interface CampaignState {
  counts: Record<string, Counts>;
  findings: Finding[];
}

/** Longest share of one group in a round. */
const SHARE_MS = 60_000;
/** So long one target is at it before the next of its group is. */
const TURN_MS = 100;
const TELL_MS = 500;

/**
 * Runs until the time is over. `before` hears each input before it runs, `tell` now and then how it
 * stands. @throws {Error} if there is no such target
 */
export function campaign(
  { minutes, seed, target }: CampaignOptions,
  nowMs: () => number,
  before: (finding: Finding) => void,
  tell: (state: CampaignState) => void,
): CampaignState {
  const state: CampaignState = { counts: {}, findings: [] };
  const endMs = nowMs() + minutes * 60_000;
  const isWanted = (name: string) => target === null || name.startsWith(target);
  const groups = GROUPS.filter(({ name }) => isWanted(name) || target?.startsWith(name));
  if (groups.length === 0) {
    throw new Error(
      `There is no target ${target}; groups: ${GROUPS.map((one) => one.name).join(" ")}.`,
    );
  }
  const shareMs = Math.min(SHARE_MS, (minutes * 60_000) / groups.length);
  let toldMs = nowMs();
  for (let round = 0; nowMs() < endMs; round += 1) {
    for (const group of groups) {
      const stopMs = Math.min(endMs, nowMs() + shareMs);
      const targets = group.make(seed + round).filter(({ name }) => isWanted(name));
      const engines = targets.map((one) => new Engine(one, seed + round));
      for (let turn = 0; nowMs() < stopMs && engines.length > 0; turn += 1) {
        const engine = engines[turn % engines.length]!;
        const turnMs = Math.min(stopMs, nowMs() + TURN_MS);
        while (nowMs() < turnMs) run(engine, state, before);
        if (nowMs() - toldMs < TELL_MS) continue;
        toldMs = nowMs();
        tell(state);
      }
    }
  }
  return state;
}

function run(engine: Engine, state: CampaignState, before: (finding: Finding) => void): void {
  const { behaviours, findings } = engine;
  const known = findings.length;
  engine.step(before);
  const { name } = engine.target;
  state.counts[name] ??= { runs: 0, behaviours: 0, findings: 0 };
  const counts = state.counts[name];
  counts.runs += 1;
  counts.behaviours += engine.behaviours - behaviours;
  counts.findings += findings.length - known;
  state.findings.push(...findings.slice(known));
}
