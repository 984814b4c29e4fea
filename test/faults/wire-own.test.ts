// SPDX-License-Identifier: Apache-2.0
// Messages between an agent and the money module of the same device, carried by their own host,
// which may lose and change them (Figs. 15-17, protocol rule 2): nothing is paid twice, and
// neither half needs a boot to go on, not even where the messages are lost by which they agree on
// a key.
import { describe, expect, test } from "vitest";
import { payment, paymentAfterBoot, purchase } from "../support/wireScenarios.ts";
import { Trial, tryFaults, tryStorms } from "../support/wireTrial.ts";

describe.each([
  ["purchase", purchase],
  ["payment", payment],
  ["payment after a boot", paymentAfterBoot],
])("between the halves of a device in a %s", (_name, make) => {
  test("one fault at any message", () => {
    const trial = new Trial(make);
    expect(tryFaults(trial, "own", 8)).toEqual([]);
    expect(Math.min(...trial.results)).toBeGreaterThan(0);
  });

  test("many faults all through, between hosts as well", () => {
    const trial = new Trial(make);
    trial.losesKeys = true;
    expect(tryStorms(trial, ["own", "peer"], 60)).toEqual([]);
  });
});
