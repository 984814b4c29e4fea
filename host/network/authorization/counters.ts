// SPDX-License-Identifier: Apache-2.0
// Counts of what a card network host received and dropped. Dropped messages are never answered,
// so these numbers are the only sign of a noisy line or of somebody trying.
import type { DropReason } from "./codec.ts";

/** `route`: authentic, but nobody here to give it to, or nothing here that waits for it. */
export type Counters = Record<"accepted" | "route" | DropReason, number>;

export function newCounters(): Counters {
  return { accepted: 0, route: 0, length: 0, authentication: 0, form: 0 };
}
