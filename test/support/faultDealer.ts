// SPDX-License-Identifier: Apache-2.0
// Chooses what is spoilt on a line whose traffic is not the same in each run (real time, another
// machine). How much passes is chance, so faults come at a fixed density and are dealt like cards:
// a run that is long enough has each kind.
import type { Random } from "../../host/torture/random.ts";

export class FaultDealer<Fault> {
  private readonly random: Random;
  private readonly faults: readonly Fault[];
  private undealt: Fault[] = [];
  /** Things that pass until the next fault, and until the end of the window that holds it. */
  private untilFault = 0;
  private untilEnd = 0;

  constructor(random: Random, faults: readonly Fault[]) {
    this.random = random;
    this.faults = faults;
  }

  /** The fault for the next thing that passes, one in each `oneIn` things; null for none. */
  deal(oneIn: number): Fault | null {
    if (this.untilEnd === 0) {
      this.untilEnd = oneIn;
      this.untilFault = this.random.below(oneIn);
    }
    this.untilEnd -= 1;
    this.untilFault -= 1;
    if (this.untilFault !== -1) return null;
    if (this.undealt.length === 0) this.undealt = [...this.faults];
    return this.undealt.splice(this.random.below(this.undealt.length), 1)[0]!;
  }
}
