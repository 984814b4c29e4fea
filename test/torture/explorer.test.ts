// SPDX-License-Identifier: Apache-2.0
// The explorer itself: a point repeats exactly, whatever was tried before it; a part goes on where
// the last one ended; and each invariant is seen to be broken where it is.
import { beforeAll, describe, expect, test } from "vitest";
import type { BareModule } from "../../host/torture/bareModule.ts";
import { Explorer } from "../../host/torture/explorer.ts";
import { worldOfPoint } from "../../host/torture/pointId.ts";
import { commandOf } from "../../host/torture/scenarios.ts";
import { tour } from "../../host/torture/tour.ts";
import { reopen } from "../../host/torture/reopening.ts";
import { count, heal, judge, tryOnceMore } from "../../host/torture/verdict.ts";

const SEED = 1;
let purchase: Explorer;
beforeAll(() => {
  purchase = new Explorer("purchase", SEED);
});

/** All that a replay prints. */
function traceOf(explorer: Explorer, id: string): string[] {
  const lines: string[] = [];
  explorer.attempt(id, (line) => lines.push(line));
  return lines;
}

describe("a point", () => {
  test("repeats exactly in the same world and in one that was built anew", () => {
    const ids = purchase.singles().filter((_, index) => index % 601 === 300);
    expect(ids.length).toBeGreaterThan(4);
    const first = ids.map((id) => traceOf(purchase, id));
    // Behind other points, and in another order.
    const second = ids.toReversed().map((id) => traceOf(purchase, id));
    expect(second.toReversed()).toEqual(first);
    const anew = new Explorer("purchase", SEED);
    expect(ids.map((id) => traceOf(anew, id))).toEqual(first);
  });

  test("of another seed is another run", () => {
    const other = new Explorer("purchase", 2);
    const cards = ({ scenario }: Explorer) =>
      Object.keys(scenario.world.cards!.issuer.books.transactions);
    expect(cards(other)).not.toEqual(cards(purchase));
  });

  test("has an id that tells its world; what is none is refused", () => {
    expect(worldOfPoint("top-up:7:12/power.C.soon+3/line.late")).toEqual({
      scenario: "top-up",
      seed: 7,
    });
    expect(() => worldOfPoint("purchase:1")).toThrow("no id of a point");
    expect(() => purchase.attempt("purchase:1:9999/line.soon")).toThrow("no event 9999");
  });

  test("is named once", () => {
    const ids = purchase.singles();
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(4_000);
  });
});

describe("a pair", () => {
  test("has a second fault within what is left of the run, which is made; and none is twice", () => {
    const turns = purchase.pairTurns();
    const ids: string[] = [];
    for (let turn = turns.next(); ids.length < 60; turn = turns.next()) {
      const id = purchase.pairOf(turn.value!);
      if (id !== null) ids.push(id);
    }
    for (const id of ids) {
      const [, first, second] = /\/([^+]+)\+\d+\/(.+)$/.exec(id)!;
      const made = traceOf(purchase, id).filter((line) => line.startsWith("-- "));
      expect([id, ...made]).toEqual([id, `-- ${first}`, `-- ${second}`]);
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("of one first fault has every second one at every event behind it, once", () => {
    const first = purchase.singles().findLast((id) => id.endsWith("power.M.soon"));
    const all: string[] = [];
    for (let round = 0, id: string | null = ""; id !== null; round += 1) {
      id = purchase.pairOf({ first: first!, round });
      if (id !== null) all.push(id);
    }
    expect(new Set(all).size).toBe(all.length);
    const farthest = Math.max(...all.map((id) => Number(/\+(\d+)\//.exec(id)![1])));
    const made = (distance: number) => traceOf(purchase, `${first}+${distance}/line.soon`);
    // The first fault, the event at its place, and so many behind it.
    expect(made(farthest).indexOf("-- line.soon")).toBe(farthest + 2);
    // What is farther comes when all is at rest.
    expect(made(9999).indexOf("-- line.soon")).toBe(farthest + 2);
    expect(made(9999)).not.toEqual(made(farthest));
  });

  test("counts as made where its second fault met what it waits for", () => {
    const first = "purchase:1:12/power.C.soon";
    expect(purchase.attempt(`${first}+1/line.soon`).isSecondMade).toBe(true);
    // Nothing is posted any more behind the end of the run.
    const last = purchase.singles().findLast((id) => id.endsWith("power.M.soon"));
    expect(purchase.attempt(`${last}+1/clearing.soon`).isSecondMade).toBe(false);
    expect(purchase.attempt(first).isSecondMade).toBe(false);
  });
});

test("a tour in parts tries what one tour tries", () => {
  const options = { scenario: "payment", faults: "pair", seed: SEED, timeMs: Infinity } as const;
  const part = (limit: number, from: string | null) =>
    tour(
      { ...options, limit, from, stride: 1 },
      () => 0,
      () => {},
    );
  const whole = part(6, null);
  const first = part(4, null);
  const second = part(2, first.next);
  expect(first.committed + second.committed).toBe(whole.committed);
  expect(first.pairsMade + second.pairsMade).toBe(whole.pairsMade);
  expect(second.next).toBe(whole.next);
  const single = { ...options, faults: "single", limit: 1, stride: 1 } as const;
  const nowhere = { ...single, from: "payment:1:0/nothing" };
  expect(() =>
    tour(
      nowhere,
      () => 0,
      () => {},
    ),
  ).toThrow("no point of this run");
});

describe("what is wrong is said", () => {
  test("money that is gone, or too much, a card without an order, a hold that stays", () => {
    const { scenario } = purchase;
    purchase.attempt(purchase.singles()[0]!);
    const before = count(scenario);
    const wrong = (change: Partial<typeof before>) =>
      judge(scenario, { ...before, ...change }, 99).complaints;
    expect(wrong({})).toEqual([]);
    expect(wrong({ totals: { USD: before.totals.USD! + 5 } })).toEqual(["5 minor units are lost"]);
    expect(wrong({ totals: { USD: before.totals.USD! - 5 } })).toEqual(["5 minor units are made"]);
    expect(wrong({ first: { USD: 0 } })).toEqual([
      expect.stringContaining("where its order says 0"),
    ]);
    expect(wrong({ posted: before.posted - 1 })).toEqual(["1 postings for 0 orders"]);
    expect(wrong({ held: before.held - 1 })).toEqual(["a card stays held"]);
    expect(wrong({ cardHeldMinor: before.cardHeldMinor - 1 })).toEqual([
      "the card account holds 1 more than before",
    ]);
    expect(wrong({ cardMinor: before.cardMinor + 1 })).toEqual([
      "the card account changed by -1 for 0 orders",
    ]);
    expect(wrong({ tickets: before.tickets - 1 })).toEqual(["1 receipts for 0 orders"]);
    expect(wrong({ accountMinor: before.accountMinor + 1 })).toEqual([
      "the account changed by -1, not 0",
    ]);
  });

  test("a flash window copied back after a payment: the module does not open", () => {
    const payment = new Explorer("payment", SEED);
    const { world, first } = payment.scenario;
    const old = first.module!.snapshot();
    payment.scenario.order(40);
    world.pass(300_000);
    const now = first.module!.snapshot();
    first.module!.restore({ ...now, flash: old.flash });
    world.losePower(first, 0);
    world.pass(1_000);
    expect(() => count(payment.scenario)).toThrow("is silent");
  });

  test("a merchant that is paid for nothing, an alarm, a conflict, a worn page", () => {
    const { scenario } = purchase;
    const { world } = scenario;
    purchase.attempt(purchase.singles()[0]!);
    const before = count(scenario);
    const judged = (change: Partial<typeof before> = {}, of = scenario) =>
      judge(of, { ...before, ...change }, 99).complaints;
    expect(judged({ merchantMinor: before.merchantMinor - 1 })).toEqual([
      "the merchant's account changed by 1 for 0 orders",
    ]);
    world.conflicts.push("voided and posted");
    expect(judged()).toEqual(["voided and posted"]);
    world.bank = { ...world.bank!, alarms: ["a note came twice"] };
    expect(judged()).toEqual(["a note came twice", "voided and posted"]);
    purchase.attempt(purchase.singles()[0]!);
    const [part] = world.parts;
    const { module } = part!;
    const worn: BareModule = Object.create(module, { wear: { get: () => 5 } });
    part!.module = worn;
    try {
      expect(judged()).toEqual(["the flash is worn unevenly by 5"]);
    } finally {
      part!.module = module;
    }
    expect(judged()).toEqual([]);
  });

  test("money in doubt, what stays open, and a half that does not answer", () => {
    const payment = new Explorer("payment", SEED);
    const { scenario } = payment;
    const { world, first, second } = scenario;
    const isInDoubt = (id: string) => {
      payment.attempt(id);
      return count(scenario).inDoubtMinor > 0;
    };
    expect(payment.hostiles().some((id) => id.includes("/silent.C") && isInDoubt(id))).toBe(true);
    const before = count(scenario);
    const silence = () => {
      world.fault = ({ wire, ...letter }) => (wire === "peer" ? [] : [{ wire, ...letter }]);
    };
    expect(heal(scenario, 2, silence)).toContain("D has 1 payments open");
    expect(judge(scenario, before, 99).complaints).toContain("700 minor units stay in doubt");
    payment.attempt(payment.singles()[0]!);
    expect(heal(scenario, 2)).toEqual([]);
    world.losePower(second, Infinity);
    expect(heal(scenario, 2)).toEqual(["the module of D does not say what is open"]);
    expect(reopen(scenario, [first])).toEqual([]);
  });

  test("a half that does not open again, or with less than it had", () => {
    const payment = new Explorer("payment", SEED);
    const { scenario } = payment;
    const { world, first } = scenario;
    payment.attempt(payment.singles()[0]!);
    expect(reopen(scenario, world.devices)).toEqual([]);
    const old = first.module!.snapshot();
    scenario.order(40);
    world.pass(300_000);
    // What lies in flash is read at a boot alone.
    const { flash } = old;
    first.module!.restore({ ...first.module!.snapshot(), flash });
    expect(reopen(scenario, world.devices)).toEqual([
      "the module of C does not open its journal again",
      expect.stringMatching(/^C has agent .*, module nothing behind a boot, not agent /),
    ]);
  });

  test("an order that cannot be carried out afterwards, or does another thing than it says", () => {
    const payment = new Explorer("payment", SEED);
    const { scenario } = payment;
    payment.attempt(payment.singles()[0]!);
    expect(tryOnceMore({ ...scenario, order() {} }, 41)).toEqual([
      "afterwards: the next order fails",
    ]);
    expect(tryOnceMore({ ...scenario, gainMinor: { USD: -1 } }, 42)).toEqual([
      "afterwards: the first device gained -700 USD where its order says -1",
    ]);
    expect(tryOnceMore(scenario, 43)).toEqual([]);
  });

  test("the order that stays open in the bank's books", () => {
    const deposit = new Explorer("deposit", SEED);
    const { scenario } = deposit;
    const { world } = scenario;
    deposit.attempt(deposit.singles()[0]!);
    const books = world.bank!.ledger[world.bankName]!;
    const [key, paid] = Object.entries(books.payments).at(-1)!;
    const payments = { ...books.payments, [key]: { ...paid, state: "held" as const } };
    world.bank = { ...world.bank!, ledger: { [world.bankName]: { ...books, payments } } };
    // It would ask its module; that does not answer any more.
    world.losePower(world.teller!, Infinity);
    expect(heal(scenario, 2)).toContain("the bank has 1 payments open");
  });

  test.each([
    ["a payment that stays open", [89, 1], "C has 1 payments open"],
    ["a card that stays open", [56, 1], "M has 1 cards open"],
    ["an order without an end", [29, commandOf(2), 4], "the order has no end"],
    ["a journal that does not open", [1], "the module of M does not open its journal again"],
  ])("%s fails each point and each deed", (_name, lie, complaint) => {
    const { world } = purchase.scenario;
    const { ask } = world;
    const isAbout = (message: unknown[]) => message[0] === lie[0];
    world.ask = (device, half, command) => {
      const heard = ask.call(world, device, half, command);
      // A message that says nothing but its number is left out.
      if (lie.length === 1) return heard.filter((message) => !isAbout(message));
      return heard.map((message) => (isAbout(message) ? lie : message));
    };
    // An order to an agent that was opened is nobody's complaint, nor is its own journal.
    const deed = lie.length === 1 ? "fork.C" : "liar.M.reorders";
    try {
      for (const fault of ["message.duplicated", deed]) {
        expect(purchase.attempt(`purchase:1:0/${fault}`).complaints).toContain(complaint);
      }
    } finally {
      world.ask = ask;
    }
    expect(purchase.attempt("purchase:1:0/message.duplicated").complaints).toEqual([]);
  });

  test("of the points that order once more, one that fails", () => {
    const payment = new Explorer("payment", SEED);
    const { order } = payment.scenario;
    const changed = payment.scenario as { order: typeof order };
    changed.order = () => {};
    const failed = payment
      .singles()
      .slice(0, 64)
      .flatMap((id) => payment.attempt(id).complaints);
    expect(failed.length).toBeGreaterThan(0);
    expect(new Set(failed)).toEqual(new Set(["afterwards: the next order fails"]));
  });
});
