// SPDX-License-Identifier: Apache-2.0
// What listens to every bare module that is made from now on: a recorder, for which they run the
// traced images and tell each numbered step, or a watcher, who is told all that they draw and say.
import type { PowerDecision, StorageOperation } from "../simulator/types.ts";
import type { BareModule } from "./bareModule.ts";

/** Told of each step: the module's own name, its image, and the step's number. */
export type ModuleSteps = (module: string, image: string, step: number) => void;

let recorder: ModuleSteps | null = null;

/** Modules made from now on are traced and tell `listener`; null for release images again. */
export function traceModules(listener: ModuleSteps | null): void {
  recorder = listener;
}

/** The listener of modules that are made now. */
export function moduleRecorder(): ModuleSteps | null {
  return recorder;
}

/** Hears everything of the modules, secrets included: for the tests that look for those. */
export interface ModuleWatcher {
  drew(module: BareModule, bytes: Uint8Array): void;
  readKey(module: BareModule, key: Uint8Array): void;
  delivered(module: BareModule, port: number, body: Uint8Array): void;
  sent(module: BareModule, port: number, body: Uint8Array): void;
  /** A flash or counter operation, told before it is done, and what the power does then. */
  stored?(module: BareModule, operation: StorageOperation, decision: PowerDecision): void;
  /** An event is over, and all that it sent was told. */
  rested(module: BareModule): void;
}

let watcher: ModuleWatcher | null = null;

/** Modules made from now on tell `listener`; null for nobody. */
export function watchModules(listener: ModuleWatcher | null): void {
  watcher = listener;
}

/** The watcher of modules that are made now. */
export function moduleWatcher(): ModuleWatcher | null {
  return watcher;
}
