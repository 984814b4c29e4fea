// SPDX-License-Identifier: Apache-2.0
// The bank inside the simulated world (docs/protocol.md section 6, Ledger): its host dies between
// what it stores and what it sends, its messages are lost, late and repeated, and each payment ends
// in the books as it ended in the modules.
import { beforeAll, describe, expect, test } from "vitest";
import { ownAccount } from "../../host/network/bank/chart.ts";
import { openPayments } from "../../host/torture/bankHost.ts";
import { judgeBank, judgeTeller } from "../../host/torture/bankVerdict.ts";
import { hex } from "../../host/torture/agentWorld.ts";
import { Explorer } from "../../host/torture/explorer.ts";
import { count } from "../../host/torture/verdict.ts";
import type { Letter } from "../../host/torture/wires.ts";

const KINDS = ["withdrawal", "deposit", "refresh", "issue", "redemption"];
describe.each(KINDS)("a bank around a payment: %s", (name) => {
  let explorer: Explorer;
  let ids: string[];
  /** Place of the payment that faults are made around among those of its kind. */
  let place: number;
  beforeAll(() => {
    explorer = new Explorer(name, 1);
    ids = explorer.singles();
    place = states().length - 1;
  });

  /** The payments of this kind in the bank's books, and their states. */
  const payments = () => {
    const { bank, bankName } = explorer.scenario.world;
    return Object.values(bank!.ledger[bankName]!.payments).filter(({ kind }) => kind === name);
  };
  const states = () => payments().map(({ state }) => state);

  test("its host dies before its store has written, and before it sends what it wrote", () => {
    const deaths = ids.filter((id) => id.includes("/bank."));
    // At the question for a hold and at each report of an end, at either moment, soon or late.
    expect(deaths.length).toBeGreaterThanOrEqual(8);
    for (const id of deaths) {
      expect([id, explorer.attempt(id).complaints]).toEqual([id, []]);
      expect([id, openPayments(explorer.scenario.world.bank!.ledger, "Bank of Tests")]).toEqual([
        id,
        [],
      ]);
    }
  });

  test("a hold that was written and never answered goes back", () => {
    const [hold] = ids.filter((id) => id.endsWith("/bank.written.soon"));
    expect(explorer.attempt(hold!)).toMatchObject({ isCommitted: false, complaints: [] });
    expect(states()[place]).toBe("released");
  });

  test("an end that was booked and never noted is told again, and booked once", () => {
    const end = ids.filter((id) => id.endsWith("/bank.written.soon")).at(-1);
    expect(explorer.attempt(end!)).toMatchObject({ isCommitted: true, complaints: [] });
    expect(states()[place]).toBe("settled");
    // Told again, it is noted (85), and the module may forget it.
    const { payId } = payments()[place]!;
    const isNoted = ({ wire, body }: Letter) =>
      wire === "command" && body[2] === 85 && hex(body).includes(payId);
    const noted = explorer.scenario.world.log.filter(isNoted);
    expect(noted.length).toBeGreaterThan(0);
  });

  test("a question for a hold that comes when its payment is over is asked about, and ends", () => {
    const [hold] = ids.filter((id) => id.endsWith("/bank.written.soon"));
    const late = hold!.replace("bank.written.soon", "message.only-behind-all-time-outs");
    expect(explorer.attempt(late)).toMatchObject({ isCommitted: false, complaints: [] });
    expect(states()[place]).toBe("released");
  });

  test("bank and module begin anew at any event, apart and together", () => {
    const begun = ids.filter((id) => /\/(host|power|both)\.T\.soon$/.test(id));
    expect(begun.length).toBeGreaterThan(3 * 20);
    for (const id of begun) expect([id, explorer.attempt(id).complaints]).toEqual([id, []]);
  });

  test("each message between the bank and its module dropped, repeated or late", () => {
    // Behind each message for the bank comes what it says or asks in return.
    const forBank = ids.filter((id) => id.endsWith("/bank.written.soon")).map(eventOf);
    const events = forBank.flatMap((event) => [event, event + 1, event + 2]);
    const spoilt = ids.filter((id) => id.includes("/message.") && events.includes(eventOf(id)));
    expect(spoilt.length).toBeGreaterThanOrEqual(6 * 5);
    for (const id of spoilt) expect([id, explorer.attempt(id).complaints]).toEqual([id, []]);
  });
});

test("what is wrong with the books is said", () => {
  const explorer = new Explorer("withdrawal", 1);
  const { world } = explorer.scenario;
  explorer.attempt(explorer.singles()[0]!);
  const { totals, onHand } = count(explorer.scenario);
  expect(judgeBank(world, totals, onHand)).toEqual([]);
  const usd = totals.USD!;
  expect(judgeBank(world, { ...totals, USD: usd - 1 }, onHand)).toEqual([
    expect.stringMatching(/^the books issued (\d+) USD, modules hold \d+$/),
  ]);
  expect(judgeBank(world, totals, { USD: onHand!.USD! + 1 })).toEqual([
    `the teller has ${onHand!.USD! + 1} USD, the books say ${onHand!.USD}`,
  ]);
  const books = world.bank!.ledger[world.bankName]!;
  const [key, payment] = Object.entries(books.payments).at(-1)!;
  const open = { ...books.payments, [key]: { ...payment, state: "held" as const } };
  const entry = Object.values(books.entries).at(-1)!;
  world.bank = {
    ...world.bank!,
    ledger: { [world.bankName]: { ...books, payments: open } },
  };
  expect(judgeBank(world, totals, onHand)).toEqual(["the bank still holds 1 payments open"]);
  // The module's log says that it was carried out, the books that it was not.
  const undone = { ...books.payments, [key]: { ...payment, state: "released" as const } };
  const honest = world.bank;
  world.bank = { ...honest, ledger: { [world.bankName]: { ...books, payments: undone } } };
  expect(judgeTeller(world, onHand!)).toHaveLength(1);
  expect(judgeBank(world, totals, onHand)).toEqual(judgeTeller(world, onHand!));
  const onTheWay = [
    { ...entry.lines[0]!, account: ownAccount("in-transit", "USD"), debitMinor: -5 },
    { ...entry.lines[0]!, account: ownAccount("reserve", "USD"), debitMinor: 5 },
  ];
  const entries = { ...books.entries, "on the way/1": { ...entry, lines: onTheWay } };
  world.bank = { ...honest, ledger: { [world.bankName]: { ...books, entries } } };
  expect(judgeBank(world, totals, onHand)).toEqual(["5 USD stay in transit"]);
  const name = `${entry.transaction}/${entry.leg}`;
  const lines = entry.lines.map((line) => ({ ...line, debitMinor: line.debitMinor + 1 }));
  world.bank = {
    ...world.bank,
    ledger: {
      [world.bankName]: { ...books, entries: { ...books.entries, [name]: { ...entry, lines } } },
    },
  };
  expect(judgeBank(world, totals, onHand)).toContain("the books of USD do not balance");
});

describe.each(["purchase", "sale"])("the merchant's bank and a %s", (name) => {
  test("a posting is booked before the agent hears of it, and once", () => {
    const explorer = new Explorer(name, 1);
    const deaths = explorer.singles().filter((id) => /\/clearing\./.test(id));
    // The answers to hold and posting come from the switch; only the posting is booked.
    expect(deaths).toHaveLength(4);
    for (const id of deaths) {
      expect([id, explorer.attempt(id)]).toEqual([
        id,
        expect.objectContaining({ isCommitted: true, complaints: [] }),
      ]);
    }
  });
});

/** Number of the event in a point's id. */
function eventOf(id: string): number {
  return Number(/:(\d+)\//.exec(id)![1]);
}
