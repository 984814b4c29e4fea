// SPDX-License-Identifier: Apache-2.0
// The dates of worlds in memory: their own, so that days can pass in a moment. Timers are real.
import type { Clock } from "../link/clock.ts";
import { systemClock } from "../link/clock.ts";

const DAY_MS = 24 * 3600 * 1000;

/** A clock whose date a story moves. */
export interface StoryClock extends Clock {
  /** The next thing happens. */
  step(): void;
  passDays(days: number): void;
}

/** The computer's date, and the days that passed in the story. */
export class RunningClock implements StoryClock {
  private passedMs = 0;

  nowMs(): number {
    return systemClock.nowMs();
  }

  epochMs(): number {
    return systemClock.epochMs() + this.passedMs;
  }

  after(delayMs: number, callback: () => void) {
    return systemClock.after(delayMs, callback);
  }

  step(): void {
    // Its date moves by itself.
  }

  passDays(days: number): void {
    this.passedMs += days * DAY_MS;
  }
}

/** Date of seeded worlds: it stands still but for a minute with each step of the story. */
const SEEDED_START_MS = Date.UTC(2026, 5, 1, 9, 0, 0);
/** Once this much real time has passed within a step, time-outs must be able to run. */
const STILL_MS = 30_000;

/**
 * A clock for seeded worlds: the date moves only with the story, so that the same seed signs the
 * same bytes. A step that takes long lets the date run on, for time-outs' sake.
 */
export class SteppedClock implements StoryClock {
  private startedMs = performance.now();
  private dateMs = SEEDED_START_MS;

  nowMs(): number {
    return performance.now();
  }

  epochMs(): number {
    const elapsedMs = performance.now() - this.startedMs;
    return Math.floor(this.dateMs + Math.max(0, elapsedMs - STILL_MS));
  }

  after(delayMs: number, callback: () => void) {
    return systemClock.after(delayMs, callback);
  }

  step(): void {
    this.dateMs = this.epochMs() + 60_000;
    this.startedMs = performance.now();
  }

  passDays(days: number): void {
    this.step();
    this.dateMs += days * DAY_MS;
  }
}
