// SPDX-License-Identifier: Apache-2.0
// Time for the shells around the event machines: a reading and a timer. The machines themselves
// take the time as a number with each event and return deadlines, so that they can be replayed.

/** A pending call that can still be called off. */
export interface Timer {
  cancel(): void;
}

/** A source of time and timers; the simulator's virtual clock is the other implementation. */
export interface Clock {
  /** Milliseconds that never go back, for deadlines. */
  nowMs(): number;
  /** The date as milliseconds since 1970-01-01 UTC; the owner may have set it wrongly. */
  epochMs(): number;
  /** Calls `callback` once, `delayMs` from now or as soon after as the machine allows. */
  after(delayMs: number, callback: () => void): Timer;
}

/** An event of a machine without its time, which the shell adds. */
export type Untimed<Event> = Event extends unknown ? Omit<Event, "nowMs"> : never;

/** The computer's own clock. A pending timer keeps the process alive: close what set it. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMs: () => Date.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, Math.max(0, Math.ceil(delayMs)));
    return { cancel: () => clearTimeout(handle) };
  },
};
