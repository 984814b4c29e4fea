// SPDX-License-Identifier: Apache-2.0
// A bounded sample of `florin torture --faults hostile`: flash copied back, dead random sources,
// devices gone or opened, hosts that lie. Nothing is made, and others lose nothing
// (docs/protocol.md rule 8); what breaks this is said.
import { beforeAll, describe, expect, test } from "vitest";
import { Explorer } from "../../host/torture/explorer.ts";
import { hex } from "../../host/torture/agentWorld.ts";
import { type Deed, deedOf } from "../../host/torture/hostile.ts";
import { fundsOfAll, judgeDeed } from "../../host/torture/hostileVerdict.ts";
import { countCards } from "../../host/torture/verdict.ts";
import { commandOf, SCENARIOS } from "../../host/torture/scenarios.ts";
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
  expect([...kinds].sort()).toEqual([
    "copied",
    "dead",
    "fork",
    "gone",
    "liar",
    "lie",
    "rollback",
    "silent",
  ]);
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

/** How the order of a number ended by the first device's word: state and reason. */
function endOf({ scenario }: Explorer, number: number): string {
  const { world, first, half } = scenario;
  const name = hex(commandOf(number));
  const told = world
    .ask(first, half, [30, commandOf(number)])
    .findLast(([kind, id]) => kind === 29 && hex(id as Uint8Array) === name);
  return `${told?.[2]}/${told?.[3]}`;
}

/** The number under which an opened device orders again, and how that may end. */
const SECOND_ORDER = 3;
const COMMITTED = "2/0";
const DUPLICATED = "1/39";
/** What the payee pays in an exchange is refused by its payer, which says so in an abort. */
const ENDS = [COMMITTED, DUPLICATED, "1/29"];
/** Here notes of the branch that the payee holds are paid to it once more. */
const REPAID = ["purchase", "sale", "payment", "top-up", "deposit", "exchange", "full-holder"];

test.each(Object.keys(SCENARIOS))("an opened device orders a %s again: it gets so far", (name) => {
  const explorer = new Explorer(name, 1);
  const forks = explorer.hostiles().filter((id) => id.includes("/fork."));
  const ends = forks
    .filter((_, index) => index % 7 === 0)
    .map((id) => {
      expect([id, explorer.attempt(id).complaints]).toEqual([id, []]);
      return endOf(explorer, SECOND_ORDER);
    });
  expect(ends.length).toBeGreaterThan(5);
  expect(ends.filter((end) => !ENDS.includes(end))).toEqual([]);
  if (REPAID.includes(name)) expect(ends).toContain(DUPLICATED);
});

test("a module that says nothing more leaves the other in doubt, and both have what they had", () => {
  const silent = payment.hostiles().filter((id) => id.includes("/silent.C"));
  const doubts = silent.filter((id) => {
    expect([id, payment.attempt(id).complaints]).toEqual([id, []]);
    return fundsOfAll(payment.scenario).get("D")!.inDoubtMinor > 0;
  });
  expect(doubts.length).toBeGreaterThan(0);
  expect(doubts.length).toBeLessThan(silent.length);
});

describe("a merchant's host that withholds", () => {
  const id = "purchase:1:0/liar.M.withholds";
  const withheld = (explorer: Explorer) => {
    const { scenario } = explorer;
    const before = countCards(scenario.world).posted;
    const result = explorer.attempt(id);
    return { before, result, after: countCards(scenario.world) };
  };

  test("never posts: the hold stays, whoever asks it, and the next run's host is honest", () => {
    const explorer = new Explorer("purchase", 1);
    const { before, result, after } = withheld(explorer);
    expect(result).toMatchObject({ isCommitted: true, complaints: [] });
    // One run was posted before the recorded one, and that once more after it.
    expect([before, after]).toMatchObject([2, { posted: 1, held: 1 }]);
    const { world, second } = explorer.scenario;
    expect(world.ask(second, "agent", [56])).toContainEqual([56, 1]);
    explorer.attempt("purchase:1:0/message.duplicated");
    expect(countCards(world)).toMatchObject({ posted: 2, held: 0 });
  });

  test("is complained of if something was posted all the same, or if it was to post", () => {
    const explorer = new Explorer("purchase", 1);
    const { scenario } = explorer;
    explorer.attempt("purchase:1:0/dead.M");
    const funds = fundsOfAll(scenario);
    withheld(explorer);
    const judged = (more: Partial<Deed>, postedBefore: number) =>
      judgeDeed(scenario, deedOf(scenario.second, more), funds, postedBefore).complaints;
    expect(judged({ isWithholding: true }, 1)).toEqual([]);
    expect(judged({ isWithholding: true }, 0)).toEqual([
      "1 postings and 1 holds where completions are withheld",
    ]);
    expect(judged({}, 1)).toEqual(["a card stays held"]);
    explorer.attempt("purchase:1:0/message.duplicated");
    expect(judged({ isWithholding: true }, 1)).toEqual([
      "1 postings and 0 holds where completions are withheld",
    ]);
    expect(judged({}, 1)).toEqual([]);
  });
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

  test("an honest device in doubt where nobody is gone, an alarm, a conflict", () => {
    const { scenario } = payment;
    payment.attempt(payment.singles()[0]!);
    const before = fundsOfAll(scenario);
    const judged = (more: Partial<Deed>) => judgeDeed(scenario, deed(more), before, 0).complaints;
    const isInDoubt = (id: string) => {
      payment.attempt(id);
      return fundsOfAll(scenario).get("D")!.inDoubtMinor > 0;
    };
    expect(payment.hostiles().some((id) => id.includes("/silent.C") && isInDoubt(id))).toBe(true);
    expect(judged({})).toContain("700 stay in doubt");
    expect(judged({ isGone: true })).toEqual([]);
    scenario.world.conflicts.push("voided and posted");
    expect(judged({ isGone: true })).toEqual(["voided and posted"]);
    scenario.world.bank = { ...scenario.world.bank!, alarms: ["a note came twice"] };
    expect(judged({ isGone: true })).toEqual(["a note came twice", "voided and posted"]);
    expect(judged({ isGone: true, isOpened: true })).toEqual([]);
  });

  test("an honest device that is silent", () => {
    const { scenario } = payment;
    const { world } = scenario;
    payment.attempt(payment.singles()[0]!);
    const before = fundsOfAll(scenario);
    const other = world.devices.find(({ name }) => name === "D")!;
    world.losePower(other, Infinity);
    expect(judgeDeed(scenario, deed({}), before, 0).complaints).toContain(
      "the money module of D is silent",
    );
  });

  test("an honest teller whose log says another thing than the books", () => {
    const deposit = new Explorer("deposit", 1);
    const { scenario } = deposit;
    const { world, first } = scenario;
    deposit.attempt(deposit.singles()[0]!);
    const before = fundsOfAll(scenario);
    const judged = () => judgeDeed(scenario, deedOf(first, {}), before, 0).complaints;
    expect(judged()).toEqual([]);
    const books = world.bank!.ledger[world.bankName]!;
    const [key, paid] = Object.entries(books.payments).at(-1)!;
    const payments = { ...books.payments, [key]: { ...paid, state: "released" as const } };
    world.bank = { ...world.bank!, ledger: { [world.bankName]: { ...books, payments } } };
    expect(judged()).toHaveLength(1);
  });
});
