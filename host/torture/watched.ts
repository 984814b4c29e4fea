// SPDX-License-Identifier: Apache-2.0
// What a replay prints and a recording holds of a world's letters: each as it is sent, and where a
// fault changes it or keeps it back, as it is delivered.
import type { FaultWorld } from "./faultWorld.ts";
import type { Letter } from "./wires.ts";

/** Told of each letter of a replay, in order, with the virtual time and what it says. */
export type Trace = (line: string, body?: Uint8Array) => void;

/** Has a replay told of what is delivered otherwise; tells it of each event that it is given. */
export function watched(world: FaultWorld, trace: Trace | null): (letter: Letter | null) => void {
  if (trace === null) return () => {};
  const tell = (prefix: string, letter: Letter | null) =>
    trace(`${prefix}${textOf(world.clock.nowMs(), letter)}`, letter?.body);
  world.onChanged = (delivered) => {
    for (const letter of delivered) tell("   delivered: ", letter);
    if (delivered.length === 0) trace("   delivered: nothing yet");
  };
  return (letter) => tell("", letter);
}

function textOf(nowMs: number, letter: Letter | null): string {
  const time = (nowMs / 1000).toFixed(3);
  if (letter === null) return `${time} a tick`;
  const { wire, from, to, half, leg, body } = letter;
  if (leg !== undefined) return `${time} ${wire} ${leg} ${body.length} bytes`;
  return `${time} ${wire} ${from.name} to ${to.name}.${half} ${body.length} bytes`;
}
