// SPDX-License-Identifier: Apache-2.0
// All that is fuzzed, in groups that are made when their turn comes: a world of devices costs a
// second and some megabytes.
import { SCENARIOS } from "../../host/torture/scenarios.ts";
import { economyTarget } from "./economyTarget.ts";
import { IMAGE_NAMES, ImageTarget } from "./imageTarget.ts";
import { linkInC, linkTargets } from "./linkTargets.ts";
import { objectTargets } from "./objectTargets.ts";
import { ReceiveTarget } from "./receiveTarget.ts";
import type { Target } from "./target.ts";

export interface Group {
  /** What names of its targets begin with. */
  name: string;
  make(seed: number): Target[];
}

export const GROUPS: readonly Group[] = [
  { name: "link/", make: () => [...linkTargets(), ...linkInC()] },
  { name: "host/", make: () => [...objectTargets(), economyTarget()] },
  {
    name: "image/",
    make: (seed) => IMAGE_NAMES.map((image) => new ImageTarget(image, seed)),
  },
  ...Object.keys(SCENARIOS).map((scenario) => ({
    name: `receive/${scenario}`,
    make: (seed: number) => [new ReceiveTarget(scenario, seed)],
  })),
];

/** One target. @throws {Error} if there is none of this name */
export function targetNamed(name: string, seed: number): Target {
  const group = GROUPS.find((one) => name.startsWith(one.name));
  const target = group?.make(seed).find((one) => one.name === name);
  if (target === undefined) {
    throw new Error(
      `There is no target ${name}; groups are ${GROUPS.map((one) => one.name).join(", ")}.`,
    );
  }
  return target;
}
