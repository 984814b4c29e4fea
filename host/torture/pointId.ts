// SPDX-License-Identifier: Apache-2.0
// The id of a point, which names all that it takes to repeat it: scenario, seed, event, fault and,
// for a pair, the second fault and its distance (docs/faults.md).
import { InputError } from "./inputError.ts";

/** A place in a run and what happens there. */
export interface Point {
  event: number;
  fault: string;
  second: Second | null;
}

/** The second fault of a pair, so many events behind the first. */
export interface Second {
  distance: number;
  fault: string;
}

/** Scenario and seed of a point's id. @throws {InputError} if it is none */
export function worldOfPoint(id: string): { scenario: string; seed: number } {
  const [scenario, seed] = id.split(":");
  parsePoint(id);
  return { scenario: scenario!, seed: Number(seed) };
}

/** @throws {InputError} if it is no id of a point; whether there is such a point is not asked */
export function parsePoint(id: string): Point {
  const match = /^[a-z-]+:\d+:(\d+)\/([^+]+)(?:\+(\d+)\/(.+))?$/.exec(id);
  if (match === null) {
    throw new InputError(`${id} is no id of a point, such as purchase:1:12/power.C.soon.`);
  }
  const [, event, fault, distance, later] = match;
  const second = later === undefined ? null : { distance: Number(distance), fault: later };
  return { event: Number(event), fault: fault!, second };
}

export function idOfPoint(scenario: string, seed: number, { event, fault, second }: Point): string {
  const end = second === null ? "" : `+${second.distance}/${second.fault}`;
  return `${scenario}:${seed}:${event}/${fault}${end}`;
}

/** A number that follows from the id alone, so that a replay draws the same random bits. */
export function numberOfPoint(id: string): number {
  let hash = 0x811c9dc5;
  for (const code of Buffer.from(id)) hash = Math.imul(hash ^ code, 0x01000193) >>> 0;
  return hash;
}
