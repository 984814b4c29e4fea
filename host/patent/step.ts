// SPDX-License-Identifier: Apache-2.0
// Marks the numbered steps of Figs. 6 to 21 that hosts and networks do, as assembly/board.ts does
// for agents and modules. A mark carries a number and who reached it, never data.

type StepListener = (who: string, step: number) => void;

const listeners = new Set<StepListener>();

/** Marks a step at the place where its work is done. */
export function step(who: string, number: number): void {
  for (const listener of listeners) listener(who, number);
}

/** Adds a listener; the returned function removes it. */
export function onStep(listener: StepListener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
