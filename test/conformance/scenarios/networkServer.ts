// SPDX-License-Identifier: Apache-2.0
// Establish Session between money modules by way of a network server (Fig. 14, steps 1466-1478).
import { NetworkWorld } from "../../support/networkWorld.ts";
import type { Scenario } from "../recorder.ts";

/** The teller has no money: it says so when all of the way was good. */
const NO_MONEY = "1,29";

export const networkServerScenarios: Scenario[] = [
  {
    name: "modules: a customer's, signed on to a network server, reaches a teller by it",
    run: () => {
      const world = new NetworkWorld();
      world.signOn();
      world.connect();
      world.withdraw();
      if (String(world.outcome) !== NO_MONEY) {
        throw new Error(`The request ended in ${String(world.outcome)}.`);
      }
    },
  },
];
