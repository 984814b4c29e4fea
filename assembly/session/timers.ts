// SPDX-License-Identifier: Apache-2.0
// Time for time-outs (paragraphs 75-76). It is the board's clock where there is one. Else it is the
// sum of the waits that the board was asked for and came back from, which is late but never stops.
import { clock } from "../board";

/** A deadline that never comes. */
export const NEVER: i64 = i64.MAX_VALUE;
/** Longest wait asked for: a day; the board's contract counts in 32 bits. */
const LONGEST_WAIT_MS: i64 = 86400000;

let countedMs: i64 = 0;
let askedMs: i64 = 0;

/** Milliseconds on a scale that only comparisons with earlier calls give a meaning. */
export function timerMs(): i64 {
  const now = clock();
  return now < 0 ? countedMs : now;
}

/** Notes that the board came back from the wait it was asked for last. */
export function tickCame(): void {
  countedMs += askedMs;
}

/** What an image's export returns for its next deadline: milliseconds to it, or -1 for none. */
export function waitFor(deadline: i64): i32 {
  if (deadline == NEVER) {
    askedMs = 0;
    return -1;
  }
  askedMs = min(max(deadline - timerMs(), 0), LONGEST_WAIT_MS);
  return <i32>askedMs;
}
