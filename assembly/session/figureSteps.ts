// SPDX-License-Identifier: Apache-2.0
// Sessions of agents and of money modules do the same under two sets of step numbers: Figs. 8 and 9
// count an agent's steps, Figs. 14, 15 and 19 a money module's. Pairing is in no figure.
import { step } from "../board";
import { Label } from "./path";

/** Marks the step that this is in the figures of a session's label; 0 where they show none. */
export function markStep(label: u8, agentStep: i32, moduleStep: i32): void {
  if (label == Label.AGENT) {
    if (agentStep != 0) step(agentStep);
  } else if (label != Label.PAIR) {
    if (moduleStep != 0) step(moduleStep);
  }
}
