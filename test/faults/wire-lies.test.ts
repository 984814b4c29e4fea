// SPDX-License-Identifier: Apache-2.0
// Lies of a device's own host on the HOST port: changed, repeated, out of order, for another
// command, or nothing at all. What it orders may be paid; nothing is paid twice, made, or left in
// doubt.
import { describe, expect, test } from "vitest";
import { credential, payment, purchase, withdrawal } from "../support/wireScenarios.ts";
import { Trial, tryFaults, tryStorms } from "../support/wireTrial.ts";

describe.each([
  ["purchase", purchase],
  ["payment", payment],
  ["withdrawal", withdrawal],
  ["credential", credential],
])("from the host in a %s", (_name, make) => {
  test.each(["command", "told"] as const)("one lie, by %s", (wire) => {
    const trial = new Trial(make);
    trial.isHonest = false;
    expect(tryFaults(trial, wire, 2)).toEqual([]);
  });

  test("many lies, and faults everywhere else", () => {
    const trial = new Trial(make);
    trial.isHonest = false;
    trial.losesKeys = true;
    expect(tryStorms(trial, ["command", "told", "own", "peer"], 60)).toEqual([]);
  });
});
