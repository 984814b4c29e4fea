// SPDX-License-Identifier: Apache-2.0
// What the boards of a world are called for, in order: flash writes, counter raises, messages, and
// power. While a recorder listens, modules that are made tell it; see commitReplay.ts.
import type { PowerDecision, StorageOperation } from "../simulator/types.ts";

export type BoardEvent =
  /** The image is started; the value of its counter. */
  | { kind: "start"; counter: number }
  | { kind: "off" }
  /** A write, whole; or one that was cut within, with the bytes it was to write. */
  | { kind: "write"; offset: number; bytes: Uint8Array; isTorn: boolean }
  | { kind: "raise"; isTorn: boolean }
  | { kind: "sent" | "received"; port: number; body: Uint8Array };

/** A module that is watched. */
export interface WatchedModule {
  /** Its own name in the world. */
  name: string;
  /** Name of its image; a device's agent is watched as well as its money module. */
  image: string;
  /**
   * Secret of the board, 32 bytes: a test's board has no other secrets than what follows from it.
   */
  secret: Uint8Array;
}

/** Collects the events of all modules that were made while it listened. */
export class BoardRecorder {
  readonly modules: WatchedModule[] = [];
  /** Events not looked at yet, with the number of the module. */
  events: { module: number; event: BoardEvent }[] = [];

  /** Takes a module on; what to tell its events to. */
  watch(module: WatchedModule): (event: BoardEvent) => void {
    const number = this.modules.push(module) - 1;
    return (event) => this.events.push({ module: number, event });
  }

  /** The events so far, which are then no more kept. */
  take(): { module: number; event: BoardEvent }[] {
    const { events } = this;
    this.events = [];
    return events;
  }
}

/** The event that an operation is, with what becomes of the power; null where nothing is done. */
export function storageEvent(
  operation: StorageOperation,
  decision: PowerDecision,
): BoardEvent | null {
  if (decision === "cut-before") return null;
  const isTorn = typeof decision === "object";
  if (operation.kind === "raise") return { kind: "raise", isTorn };
  if (operation.bytes === undefined) return null;
  return { kind: "write", offset: operation.offset, bytes: operation.bytes.slice(), isTorn };
}

let recorder: BoardRecorder | null = null;

/** Modules made from now on tell `listener`; null for none again. */
export function recordBoards(listener: BoardRecorder | null): void {
  recorder = listener;
}

/** The listener of modules that are made now. */
export function boardRecorder(): BoardRecorder | null {
  return recorder;
}
