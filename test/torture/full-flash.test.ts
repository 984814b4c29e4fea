// SPDX-License-Identifier: Apache-2.0
// A flash that becomes full while a transaction runs, and stays so (docs/protocol.md rule 4.1): what
// has not begun is refused with the reason, what has begun ends in the room that was promised to it.
import { beforeAll, describe, expect, test } from "vitest";
import { hex } from "../../host/torture/agentWorld.ts";
import { Explorer } from "../../host/torture/explorer.ts";
import { freeBytes, FullFlash } from "../../host/torture/fullFlash.ts";
import { commandOf } from "../../host/torture/scenarios.ts";

/** Reason of docs/protocol.cddl section 9. */
const JOURNAL_FULL = 6;
const ABORTED = 1;
/** The order that the explorer makes faults around. */
const ORDER = 2;

describe.each([
  ["purchase", ["C.agent", "C.module", "M.agent", "M.module"]],
  ["payment", ["C.agent", "C.module", "D.agent", "D.module"]],
  ["withdrawal", ["C.module", "T.module"]],
])("a %s", (name, halves) => {
  let explorer: Explorer;
  beforeAll(() => {
    explorer = new Explorer(name, 1);
  });

  /** How the order ended, as the first device told its host last: state and reason. */
  const ending = () => {
    const id = hex(commandOf(ORDER));
    const { heard } = explorer.scenario.first;
    const told = heard.findLast((one) => one[0] === 29 && hex(one[1] as Uint8Array) === id);
    return told === undefined ? null : [told[2], told[3]];
  };

  test.each(halves)("%s full: refused up to one event, and behind it carried out", (half) => {
    const ids = explorer.singles().filter((id) => id.endsWith(`/full.${half}`));
    const results = ids.map((id) => ({ ...explorer.attempt(id), ending: ending() }));
    expect(results.flatMap(({ complaints }) => complaints)).toEqual([]);
    const begun = results.findIndex(({ isCommitted }) => isCommitted);
    expect(begun).toBeGreaterThan(0);
    expect(results.slice(begun).filter(({ isCommitted }) => !isCommitted)).toEqual([]);
    for (const { id, ending } of results.slice(0, begun)) {
      // A command that finds the module full is refused itself: no order is there to end.
      if (ending !== null) expect([id, ending]).toEqual([id, [ABORTED, JOURNAL_FULL]]);
    }
  });

  test.each(halves)("%s full, and its power lost: the room is kept over the boot", (half) => {
    const [device] = half.split(".");
    const ids = explorer.singles().filter((id) => id.endsWith(`/full.${half}`));
    // The boot comes while the payment is open, at its end, or behind it.
    const pairs = ids.map((id, index) => `${id}+${1 + (index % 3)}/power.${device}.soon`);
    for (const id of pairs) expect([id, explorer.attempt(id).complaints]).toEqual([id, []]);
  });
});

test("a full module has no room to give, after a boot too; then it has what it had", () => {
  const { world } = new Explorer("payment", 1).scenario;
  const { agent, module } = world.devices[0]!;
  const before = freeBytes(module!);
  const full = new FullFlash();
  full.begin(module!);
  expect(freeBytes(module!)).toBe(0);
  expect(freeBytes(agent)).toBeGreaterThan(0);
  module!.reboot();
  full.forget(module!);
  full.fill(module!);
  expect(freeBytes(module!)).toBe(0);
  full.end();
  expect(freeBytes(module!)).toBe(before);
  module!.powerOff();
  expect(freeBytes(module!)).toBeNull();
});
