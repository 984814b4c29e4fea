// SPDX-License-Identifier: Apache-2.0
// Messages between the hosts of two devices, replayed, reordered, flipped, cut and crossed: they
// move money at most once and end in a clean abort (paragraphs 75-76 of the patent, protocol rules
// 2 and 4).
import { describe, expect, test } from "vitest";
import { CROSSINGS } from "../../host/torture/wireFaults.ts";
import { credential, payment, purchase, purchases, withdrawal } from "../support/wireScenarios.ts";
import { FAULT_WIDTH, Trial, tryFaults, tryStorms } from "../support/wireTrial.ts";

describe.each([
  ["purchase", purchase],
  ["payment", payment],
  ["withdrawal", withdrawal],
  ["credential", credential],
])("between the hosts in a %s", (_name, make) => {
  test("one fault at any message", () => {
    const trial = new Trial(make);
    expect(tryFaults(trial, "peer", 5)).toEqual([]);
    // A fault that prevents nothing, or everything, tests little.
    expect(Math.min(...trial.results)).toBeGreaterThan(0);
  });

  test("many faults all through", () => {
    const trial = new Trial(make);
    expect(tryStorms(trial, ["peer"], 40)).toEqual([]);
    expect(Math.max(...trial.results)).toBeGreaterThan(0);
  });
});

describe("two customers of one merchant at once", () => {
  test("messages of one session in the other", () => {
    const trial = new Trial(purchases);
    trial.isHonest = false;
    const wrong: string[] = [];
    for (let at = 0; at < trial.count; at++) {
      if (trial.wireOf(at) !== "peer") continue;
      for (const [index, fault] of CROSSINGS.entries()) {
        if ((at + index) % (FAULT_WIDTH > 1 ? 1 : 3) !== 0) continue;
        wrong.push(...trial.attempt(at, fault, at * 100 + index));
      }
    }
    expect(wrong).toEqual([]);
    expect(trial.results[1]).toBeGreaterThan(0);
  });

  test("many faults all through", () => {
    const trial = new Trial(purchases);
    trial.isHonest = false;
    expect(tryStorms(trial, ["peer"], 20)).toEqual([]);
  });
});
