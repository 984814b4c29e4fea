// SPDX-License-Identifier: Apache-2.0
// After each event of each kind of transaction, memory and mutable globals of every module hold no
// secret that should be gone (docs/security.md, "Secrets"): nor 8 bytes of one that lie together.
import { afterEach, describe, expect, test } from "vitest";
import { makeFault } from "../../host/torture/faults.ts";
import { Random } from "../../host/torture/random.ts";
import { type Scenario, SCENARIOS } from "../../host/torture/scenarios.ts";
import { watchModules } from "../../host/torture/tracing.ts";
import { heal } from "../../host/torture/verdict.ts";
import { Keyring } from "../support/keyring.ts";
import type { Secret } from "../support/sealedMessages.ts";
import { SecretSearch } from "../support/secretSearch.ts";

afterEach(() => watchModules(null));

/** A world from its first keys on, and where secrets were found. */
function watched(name: string) {
  const ring = new Keyring();
  const search = new SecretSearch();
  const found = new Set<string>();
  let events = 0;
  ring.onRest = (module) => {
    events += 1;
    for (const { secret, place, length } of search.search(module, ring.secrets)) {
      found.add(`${module.image}: ${length} bytes of ${secret.name} at ${place}, event ${events}`);
    }
  };
  watchModules(ring);
  const scenario = SCENARIOS[name]!(1);
  watchModules(null);
  return { ring, scenario, found, events: () => events };
}

function run(scenario: Scenario): void {
  scenario.prepare();
  scenario.order(1);
  scenario.world.pass(600_000);
}

/** What a ring must have got to know, or it would look for nothing. */
const EVERYWHERE = [
  ...["a signing seed", "a sealing secret", "a device key", "a one-time key", "R(A)", "R(B)"],
  ...["an ephemeral secret of a box", "a secret of a box", "an agreed point", "R(A) xor R(B)"],
  ...["the root of a session's keys", "a session's key", "a session's exporter"],
  ...["a pairing secret", "a local key", "the root of the local keys"],
];
const IN_PAYMENTS = ["R(1) or R(2)", "R(1) xor R(2)", "key (TA/MM)", "the root of key (TA/MM)"];

describe("no secret is left in", () => {
  test.each(Object.keys(SCENARIOS))("%s", (name) => {
    const { ring, scenario, found, events } = watched(name);
    run(scenario);
    expect([...found]).toEqual([]);
    expect(events()).toBeGreaterThan(200);
    const names = new Set([...ring.secrets.values()].map((secret) => secret.name));
    expect([...names]).toEqual(expect.arrayContaining([...EVERYWHERE, ...IN_PAYMENTS]));
  });
});

describe("no secret is left where a transaction meets", () => {
  test.each([
    ["purchase", 30, "line.late"],
    ["purchase", 55, "host.M.late"],
    ["sale", 45, "power.M.soon"],
    ["payment", 40, "power.C.late"],
    ["withdrawal", 8, "line.late"],
    ["exchange", 60, "message.dropped"],
  ])("%s, event %i, %s", (name, event, fault) => {
    const { scenario, found } = watched(name);
    let events = 0;
    scenario.world.onNext = () => {
      if (events++ === event) makeFault(scenario.world, fault, new Random(1));
    };
    run(scenario);
    scenario.world.onNext = null;
    expect(events).toBeGreaterThan(event);
    heal(scenario, 1);
    expect([...found]).toEqual([]);
  });
});

test("keys that a module needs are found in it while it needs them", () => {
  const { ring, scenario } = watched("purchase");
  const seen = new Set<string>();
  ring.onRest = (module) => {
    // As if nobody might hold anything.
    const strict = new Map<string, Secret>();
    for (const [key, secret] of ring.secrets) strict.set(key, { ...secret, holders: new Map() });
    for (const { secret, length } of new SecretSearch().search(module, strict)) {
      if (length === 32) seen.add(secret.name);
    }
  };
  run(scenario);
  expect([...seen].sort()).toEqual([
    "R(1) or R(2)",
    "R(A)",
    "R(B)",
    "a local key",
    "a one-time key",
    "a session's exporter",
    "a session's key",
    "key (TA/MM)",
  ]);
});
