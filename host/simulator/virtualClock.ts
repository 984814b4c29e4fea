// SPDX-License-Identifier: Apache-2.0
// A clock that moves only when told to: tests run days of protocol time in milliseconds, and the
// same events come at the same times in every run.
import type { Clock, Timer } from "../link/clock.ts";

interface PendingTimer {
  atMs: number;
  callback: () => void;
}

export class VirtualClock implements Clock {
  private time: number;
  /** Difference of the date to the running time; setting the date changes this alone. */
  private epochOffsetMs = 0;
  private timers: PendingTimer[] = [];

  /** Starts at a date given as milliseconds since 1970-01-01 UTC. */
  constructor(startMs: number) {
    this.time = startMs;
  }

  nowMs(): number {
    return this.time;
  }

  epochMs(): number {
    return this.time + this.epochOffsetMs;
  }

  /** Sets the date as an owner may; deadlines do not move. */
  setEpochMs(epochMs: number): void {
    this.epochOffsetMs = epochMs - this.time;
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { atMs: this.time + Math.max(0, delayMs), callback };
    // Behind all timers of the same moment: they run in the order in which they were set.
    const index = this.timers.findIndex((other) => other.atMs > timer.atMs);
    this.timers.splice(index < 0 ? this.timers.length : index, 0, timer);
    return {
      cancel: () => {
        this.timers = this.timers.filter((other) => other !== timer);
      },
    };
  }

  /** When the next timer is due, or null for none. */
  nextTimerMs(): number | null {
    return this.timers[0]?.atMs ?? null;
  }

  /** Moves the time forward and runs what becomes due, each at its own moment. */
  advance(durationMs: number): void {
    const endMs = this.time + durationMs;
    for (let next = this.timers[0]; next !== undefined && next.atMs <= endMs; ) {
      this.timers.shift();
      this.time = Math.max(this.time, next.atMs);
      next.callback();
      next = this.timers[0];
    }
    this.time = endMs;
  }

  snapshot(): { nowMs: number; epochOffsetMs: number } {
    return { nowMs: this.time, epochOffsetMs: this.epochOffsetMs };
  }

  /** Goes back to a snapshot without any timer: boards and links set theirs when restored. */
  restore(snapshot: { nowMs: number; epochOffsetMs: number }): void {
    this.time = snapshot.nowMs;
    this.epochOffsetMs = snapshot.epochOffsetMs;
    this.timers = [];
  }
}
