// SPDX-License-Identifier: Apache-2.0
// How long a side waits for an answer that is owed to it, and how often it asks (paragraphs 75-76;
// protocol rule 2). It serves the handshake's messages and the numbered ones after them alike.
import { NEVER, timerMs } from "./timers";

const REPLY_TIMER_MS: i64 = 5000;
const QUERY_LIMIT: i32 = 3;
/** Limit on the whole wait, however often the peer says that it proceeds. */
const PROCEEDING_LIMIT_MS: i64 = 60000;

export class ReplyTimer {
  /** Milliseconds on the timers' scale; NEVER while no answer is owed. */
  deadline: i64 = NEVER;

  private waitingSince: i64 = 0;
  private queries: i32 = 0;

  get isWaiting(): bool {
    return this.deadline != NEVER;
  }

  /** An answer is owed from now on. */
  start(): void {
    this.waitingSince = timerMs();
    this.queries = 0;
    this.deadline = this.waitingSince + REPLY_TIMER_MS;
  }

  stop(): void {
    this.deadline = NEVER;
  }

  /** The peer lives and works at its answer: the timer is set anew, within the limit. */
  peerProceeds(): void {
    if (!this.isWaiting) return;
    this.queries = 0;
    this.deadline = timerMs() + REPLY_TIMER_MS;
  }

  /** Due at `now`, the wait goes on with one more query; false if that would be one too many. */
  waitAgain(now: i64): bool {
    const isSpent = this.queries >= QUERY_LIMIT || now - this.waitingSince >= PROCEEDING_LIMIT_MS;
    if (isSpent) return false;
    this.queries++;
    this.deadline = now + REPLY_TIMER_MS;
    return true;
  }
}
