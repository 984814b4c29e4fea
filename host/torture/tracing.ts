// SPDX-License-Identifier: Apache-2.0
// Turns every world of bare modules into a traced one: while a recorder listens, they run the traced
// images and tell it each numbered step, with the module that reached it.

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
