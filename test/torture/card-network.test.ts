// SPDX-License-Identifier: Apache-2.0
// The card network inside the simulated world (docs/protocol.md section 6): its hosts die between
// two lines, its messages are lost, spoilt and repeated, and each trade ends with one posting or
// with none, by the issuer's own books.
import { beforeAll, describe, expect, test } from "vitest";
import { Explorer } from "../../host/torture/explorer.ts";
import { SCENARIOS } from "../../host/torture/scenarios.ts";
import { heal } from "../../host/torture/verdict.ts";

describe.each(["purchase", "sale"])("a card network around a %s", (name) => {
  let explorer: Explorer;
  /** Points at card messages, in the order of the run. */
  let atCards: string[];
  beforeAll(() => {
    explorer = new Explorer(name, 1);
    const ids = explorer.singles();
    const forIssuer = ids.filter((id) => id.endsWith("/issuer.written.soon")).map(eventOf);
    // Before a message for the issuer comes the one for the switch, behind it the two answers.
    const events = forIssuer.flatMap((event) => [event - 1, event, event + 1, event + 2]);
    atCards = ids.filter((id) => events.includes(eventOf(id)));
  });

  const states = () => {
    const { transactions } = explorer.scenario.world.cards!.issuer.books;
    return Object.values(transactions).map(({ state }) => state);
  };

  test("the issuer dies before its store has written, and before it answers", () => {
    const deaths = atCards.filter((id) => /issuer\.(un)?written/.test(id));
    expect(deaths).toHaveLength(8);
    for (const id of deaths) {
      expect([id, explorer.attempt(id).complaints]).toEqual([id, []]);
      expect([id, states().filter((state) => state !== "posted" && state !== "voided")]).toEqual([
        id,
        [],
      ]);
    }
  });

  test("an issuer that is soon back after it wrote the hold answers the same; the trade goes on", () => {
    const [hold] = atCards.filter((id) => id.endsWith("issuer.written.soon"));
    expect(explorer.attempt(hold!)).toMatchObject({ isCommitted: true, complaints: [] });
    expect(states()).toEqual(["posted", "posted"]);
  });

  test("switch or issuer down, or the line cut, at each card message", () => {
    const downs = atCards.filter((id) => /\/(switch|issuer|cards)\.(soon|late|down)$/.test(id));
    expect(downs).toHaveLength(8 * 5);
    for (const id of downs) expect([id, explorer.attempt(id).complaints]).toEqual([id, []]);
  });

  test("each card message dropped, repeated, late, spoilt or replaced", () => {
    const spoilt = atCards.filter((id) => id.includes("/message."));
    expect(spoilt.length).toBeGreaterThanOrEqual(8 * 15);
    for (const id of spoilt) expect([id, explorer.attempt(id).complaints]).toEqual([id, []]);
  });

  test("a bit flipped in a card message is seen by its code, dropped and counted", () => {
    const [event] = atCards.filter((id) => id.endsWith("/message.bit-flipped-in-its-head"));
    expect(explorer.attempt(event!)).toMatchObject({ isCommitted: true, complaints: [] });
    expect(explorer.scenario.world.cards!.switch.counters.authentication).toBe(1);
  });
});

test("a void that overtook its request is kept and kills it: nothing is held", () => {
  const scenario = SCENARIOS.purchase!(1);
  const { world } = scenario;
  const requests: number[] = [];
  world.fault = (letter) => {
    const type = Buffer.from(letter.body.subarray(0, 4)).toString("latin1");
    if (letter.leg !== "switch>issuer" || type !== "0100") return [letter];
    // The first comes when the merchant's host has long given up, the others never.
    if (requests.length === 0) world.hold(letter, false, 60_000);
    requests.push(world.clock.nowMs());
    return [];
  };
  const before = Object.keys(world.cards!.issuer.books.transactions);
  scenario.prepare();
  scenario.order(1);
  world.pass(300_000);
  heal(scenario, 1);
  expect(requests.length).toBeGreaterThan(1);
  const { transactions } = world.cards!.issuer.books;
  const news = Object.entries(transactions).filter(([hash]) => !before.includes(hash));
  expect(news.map(([, { state }]) => state)).toEqual(["refused"]);
});

/** Number of the event in a point's id. */
function eventOf(id: string): number {
  return Number(/:(\d+)\//.exec(id)![1]);
}
