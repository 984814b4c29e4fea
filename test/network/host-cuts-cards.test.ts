// SPDX-License-Identifier: Apache-2.0
// The card side with each host killed at each of its lines, and each message of the card network
// lost, doubled, late, out of order, repeated or flipped (protocol section 6): one hold, one
// posting or void, never while in doubt, and the bank's books as the card issuer's.
import { describe, expect, it, vi } from "vitest";
import { mandate } from "./authorization-world.ts";
import { useBooks } from "./cuts/life.ts";
import { CardTown, type Plan } from "./cuts/cardTown.ts";
import { LINE_FAULTS } from "./cuts/memoryNet.ts";

vi.mock("node:net", () => import("./cuts/memoryNet.ts"));

const books = useBooks(["setTimeout", "clearTimeout", "Date"]);

/** The card side of one transaction, whole; the amount is 10.00 EUR. */
async function expectSound(town: CardTown, plan: Plan): Promise<void> {
  const { agent } = town;
  const isPosted = agent.hasMoneyMoved;
  const sign = plan.mandate.direction === "buy" ? 1 : -1;
  const [transaction] = await books().query("SELECT state FROM card_transactions");
  const [card] = await books().query("SELECT * FROM card_accounts WHERE card_number LIKE '4%'");
  const entries = await books().query("SELECT transaction FROM ledger_entries");
  const [lines] = await books().query("SELECT SUM(debit_minor) AS sum FROM ledger_lines");
  const balances = await books().query("SELECT balance_minor FROM ledger_accounts");
  const ended = isPosted ? ["posted"] : ["voided", "refused"];
  expect(ended).toContain(agent.state);
  expect(isPosted ? ["posted"] : [undefined, "voided", "refused"]).toContain(transaction?.state);
  expect({
    balanceMinor: Number(card!.balance_minor),
    heldMinor: Number(card!.held_debit_minor) + Number(card!.held_credit_minor),
    entries: entries.length,
    sum: Number(lines!.sum ?? 0),
    // The shop's account and what the card issuer owes for it, or is owed.
    balances: balances.map((row) => Number(row.balance_minor)),
    isQuiet: town.isQuiet,
    isServing: agent.isServing,
    alarms: town.alarms,
  }).toEqual({
    balanceMinor: 100_000 - (isPosted ? sign * 1_000 : 0),
    heldMinor: 0,
    entries: isPosted ? 1 : 0,
    sum: 0,
    balances: isPosted ? [sign * 1_000, sign * 1_000] : balances.map(() => 0),
    isQuiet: true,
    isServing: true,
    alarms: [],
  });
  // In doubt: held once, neither posted nor voided.
  if (town.duringDoubt) {
    expect(await town.duringDoubt).toEqual({ state: "held", heldMinor: 1_000 });
  }
}

/** `least`: how many lines the hosts come to at least, so that no test goes by in silence. */
const trades = [
  { money: "commits", order: { direction: "buy" }, ends: "posted", least: 48 },
  { money: "commits after a doubt", order: { direction: "sell" }, ends: "posted", least: 48 },
  { money: "aborts after a doubt", order: { direction: "buy" }, ends: "voided", least: 34 },
  {
    money: "commits",
    order: { direction: "buy", accountAmountMinor: 900_000 },
    ends: "refused",
    least: 18,
  },
] as const;

const deaths: (Partial<Plan> & { name: string })[] = [
  { name: "one host, back at once" },
  { name: "one host, away for longer than a hold is asked for", awayMs: 90_000, isCoarse: true },
  { name: "all hosts at once", isOneProcess: true, isCoarse: true },
];

const title = "$order.direction, the money $money: $ends, $least lines or more";
describe.each(trades)(title, ({ money, order, ends, least }) => {
  const plan = (): Plan => ({ mandate: mandate(order), money });
  /** The life in which nothing happens. */
  const calm = async (change: Partial<Plan> = {}) => {
    const whole = { ...plan(), ...change };
    const town = await CardTown.live(books(), whole);
    expect(town.agent.state).toBe(ends);
    await expectSound(town, whole);
    return town;
  };

  it.each(deaths)("killed at every line: $name", async (death) => {
    const lines = (await calm(death)).knife.reached;
    expect(lines).toBeGreaterThanOrEqual(death.isCoarse ? least / 2 : least);
    for (let cutAt = 1; cutAt <= lines; cutAt += 1) {
      const cut: Plan = { ...plan(), ...death, cutAt };
      const town = await CardTown.live(books(), cut);
      expect(town.knife.where).toBeDefined();
      await expectSound(town, cut).catch((error: unknown) => {
        const where = `line ${cutAt}, ${town.knife.where}`;
        throw new Error(`killed at ${where}: ${String(error)}`, { cause: error });
      });
    }
  });

  it.each(LINE_FAULTS)("every message %s", async (fault) => {
    const messages = (await calm()).net.sent;
    // There and back over two lines, twice; once where the card is refused.
    expect(messages).toBe(ends === "refused" ? 4 : 8);
    for (let faultAt = 1; faultAt <= messages; faultAt += 1) {
      const faulty: Plan = { ...plan(), faultAt, fault };
      const town = await CardTown.live(books(), faulty);
      await expectSound(town, faulty).catch((error: unknown) => {
        throw new Error(`message ${faultAt} ${fault}: ${String(error)}`, { cause: error });
      });
      // What did not arrive was sent again.
      const isGone = fault === "lost" || fault === "flipped";
      if (isGone) expect(town.net.sent).toBeGreaterThan(messages);
    }
  });

  it.each([false, true])(
    "the shop's device away at every command, power lost: %s",
    async (losesPower) => {
      const { commands } = await calm();
      expect(commands).toBe(ends === "refused" ? 3 : 4);
      for (let at = 1; at <= commands; at += 1) {
        const away: Plan = { ...plan(), leaves: { at, losesPower } };
        const town = await CardTown.live(books(), away);
        // Who starts a shop whose device is not there is told.
        expect(town.alarms.splice(0)).toEqual(at <= 2 ? ["the device is not there"] : []);
        await expectSound(town, away);
      }
    },
  );
});

it.each([1, 2])(
  "the bank's books fail at write %d: the posting is booked all the same",
  async (at) => {
    const plan: Plan = { mandate: mandate(), money: "commits", booksFailAt: at };
    const town = await CardTown.live(books(), plan);
    expect(town.alarms.splice(0)).toEqual(["the disk is full"]);
    await expectSound(town, plan);
  },
);
