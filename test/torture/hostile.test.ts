// SPDX-License-Identifier: Apache-2.0
// A bounded sample of `florin torture --faults hostile`: flash copied back, dead random sources,
// devices gone or opened, hosts that lie. Nothing is made, and others lose nothing
// (docs/protocol.md rule 8); what breaks this is said.
import { beforeAll, describe, expect, test } from "vitest";
import { Explorer } from "../../host/torture/explorer.ts";
import { type Deed, deedOf } from "../../host/torture/hostile.ts";
import { fundsOfAll, judgeDeed } from "../../host/torture/hostileVerdict.ts";
import { countCards } from "../../host/torture/verdict.ts";
import { SCENARIOS } from "../../host/torture/scenarios.ts";
import { tour } from "../../host/torture/tour.ts";

/** Prime, so that a sample meets every kind of deed. */
const STRIDE = 31;

test.each(Object.keys(SCENARIOS))("a sample of hostile deeds in a %s", (scenario) => {
  const options = { scenario, faults: "hostile", seed: 1, timeMs: Infinity, from: null } as const;
  const report = tour(
    { ...options, limit: Infinity, stride: STRIDE },
    () => 0,
    () => {},
  );
  expect([report.failures, report.reasons]).toEqual([[], []]);
  expect(report.points).toBeGreaterThan(8);
  expect(report.made).toBe(0);
});

let payment: Explorer;
beforeAll(() => {
  payment = new Explorer("payment", 1);
});

test("every kind of deed is done somewhere in a purchase", () => {
  const kinds = new Set(
    new Explorer("purchase", 1).hostiles().map((id) => id.split("/")[1]!.split(".")[0]!),
  );
  expect([...kinds].sort()).toEqual(["copied", "dead", "fork", "gone", "liar", "lie", "rollback"]);
});

test("an old flash image behind a payment is refused, and the point repeats exactly", () => {
  const ids = payment.hostiles().filter((id) => id.includes("/rollback.C.module.first"));
  const id = ids.at(-1)!;
  const trace = () => {
    const lines: string[] = [];
    const result = payment.attempt(id, (line) => lines.push(line));
    return { lines, result };
  };
  const first = trace();
  expect(first.result.complaints).toEqual([]);
  payment.attempt(ids[0]!);
  expect(trace()).toEqual(first);
});

describe("what is wrong is said", () => {
  const deed = (more: Partial<Deed>) => deedOf(payment.scenario.first, more);

  test("money made, money lost, an old image that opens", () => {
    const { scenario } = payment;
    payment.attempt(payment.singles()[0]!);
    const before = fundsOfAll(scenario);
    const cards = countCards(scenario.world).posted;
    const changed = (name: string, byMinor: number) => {
      const all = structuredClone(before);
      all.get(name)!.sums.USD! += byMinor;
      return all;
    };
    const wrong = (funds: typeof before, more: Partial<Deed> = {}) =>
      judgeDeed(scenario, deed(more), funds, cards).complaints;
    expect(wrong(before)).toEqual([]);
    expect(wrong(changed("C", -5))).toEqual(["5 minor units are made"]);
    expect(wrong(changed("C", 5))).toEqual(["5 minor units are lost"]);
    expect(wrong(changed("C", 5), { isGone: true })).toEqual([]);
    expect(wrong(changed("D", -5))).toContain("D neither traded nor kept its money");
    // An opened payer may say what it likes; what others have more than it paid is made.
    expect(wrong(changed("D", -1_400), { isOpened: true, isGone: true })).toEqual([
      "700 minor units are made",
    ]);
    expect(wrong(before, { locked: "module" })).toEqual([
      "the module of C opens an old flash image, or does not say so",
    ]);
  });
});
