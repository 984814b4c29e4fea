// SPDX-License-Identifier: Apache-2.0
// Banks killed at each of their lines while a customer draws money, pays it in or has it made fresh
// (protocol section 6, Ledger): each is booked once or not at all, what is held is what was issued
// less what was redeemed, and nothing stays open.
import { describe, expect, it } from "vitest";
import { PaymentState, RequestKind } from "../../host/application/hostPort.ts";
import { sqlLedgerStore } from "../../host/network/bank/sqlLedger.ts";
import { useBooks } from "./cuts/life.ts";
import { type BankPlan, BankTown, CUSTOMERS_PAY_ID, OPENING_MINOR } from "./cuts/bankTown.ts";

const books = useBooks(["setTimeout", "clearTimeout", "Date"]);

async function expectSound(town: BankTown, { bank }: BankPlan): Promise<void> {
  const store = sqlLedgerStore(books());
  const balance = async (name: string, account: string) =>
    (await store.account(name, account))?.balanceMinor ?? 0;
  for (const name of ["First", "Second"] as const) {
    const [totals] = await store.trialBalance(name);
    const opened = await balance(name, "alice");
    const paidMinor = town.tellers[name].paidMinor;
    expect({
      bank: name,
      sum: totals!.debitMinor - totals!.creditMinor,
      inTransitMinor: totals!.inTransitMinor,
      open: await store.openPayments(name),
      aliceMinor: opened,
      onHandMinor: totals!.onHandMinor,
      modulesOpen: town.tellers[name].open,
    }).toEqual({
      bank: name,
      sum: 0,
      inTransitMinor: 0,
      open: [],
      aliceMinor: OPENING_MINOR - paidMinor,
      onHandMinor: town.tellers[name].stockMinor,
      modulesOpen: 0,
    });
  }
  const { First, Second } = town.tellers;
  const heldMinor = First.stockMinor + Second.stockMinor + First.paidMinor + Second.paidMinor;
  const [issuer] = await store.trialBalance("First");
  expect(issuer!.issuedMinor - issuer!.redeemedMinor).toBe(heldMinor);
  expect(town.generator.paidMinor).toBe(heldMinor);
  expect(town.generator.open).toBe(0);
  const there = await balance("First", "deposit-of-correspondent:Second:EUR");
  expect(await balance("Second", "deposit-at-correspondent:First:EUR")).toBe(there);
  const payment = town.tellers[bank].module.payments.get(CUSTOMERS_PAY_ID)!;
  expect([PaymentState.COMMITTED, PaymentState.ABORTED]).toContain(payment.state);
  if (town.duringDoubt) expect(await town.duringDoubt).toBe("held");
  // A generator's bank that was away: the notes stay, and go back after the next payment.
  const stay = "Notes of EUR could not be sent back: refused by its bank.";
  expect(town.alarms.filter((alarm) => alarm !== stay)).toEqual([]);
  expect(town.isQuiet).toBe(true);
}

const { WITHDRAW, DEPOSIT, REFRESH } = RequestKind;
/** `least`: how many lines the banks come to at least. */
const cases = [
  { what: "a withdrawal", bank: "First", request: WITHDRAW, end: "commits", least: 49 },
  { what: "a withdrawal", bank: "Second", request: WITHDRAW, end: "commits", least: 79 },
  { what: "a deposit", bank: "First", request: DEPOSIT, end: "commits", least: 50 },
  { what: "a deposit", bank: "Second", request: DEPOSIT, end: "commits after a doubt", least: 65 },
  { what: "a deposit", bank: "First", request: DEPOSIT, end: "aborts after a doubt", least: 15 },
  { what: "a refresh", bank: "First", request: REFRESH, end: "commits", least: 70 },
] as const;

const deaths: (Partial<BankPlan> & { name: string })[] = [
  { name: "back at once" },
  { name: "away for long", awayMs: 200_000, isCoarse: true },
  { name: "both banks at once", isOneProcess: true, isCoarse: true },
];

/** Lives through the plan once, and once more for each line; gives the number of lines. */
async function killAtEachLine(plan: BankPlan): Promise<number> {
  const calm = await BankTown.live(books(), plan);
  await expectSound(calm, plan);
  const { state } = calm.tellers[plan.bank].module.payments.get(CUSTOMERS_PAY_ID)!;
  const isCommitted = plan.end.startsWith("commits");
  expect(state).toBe(isCommitted ? PaymentState.COMMITTED : PaymentState.ABORTED);
  const lines = calm.knife.reached;
  for (let cutAt = 1; cutAt <= lines; cutAt += 1) {
    const town = await BankTown.live(books(), { ...plan, cutAt });
    expect(town.knife.where).toBeDefined();
    await expectSound(town, plan).catch((error: unknown) => {
      const where = `line ${cutAt}, ${town.knife.where}`;
      throw new Error(`killed at ${where}: ${String(error)}`, { cause: error });
    });
  }
  return lines;
}

describe.each(cases)("$what at $bank that $end, $least lines or more", ({ least, ...some }) => {
  // Where both banks have a part in it, one may be away for long.
  const possible = deaths.filter(({ awayMs }) => awayMs === undefined || some.bank === "Second");

  it.each(possible)("killed at every line: $name", async (death) => {
    const lines = await killAtEachLine({ ...some, ...death, amountMinor: 400 });
    expect(lines).toBeGreaterThanOrEqual(death.isCoarse ? least / 3 : least);
  });
});

it("killed at each of 60 lines or more while both banks start", async () => {
  const life = { bank: "Second", request: REFRESH, amountMinor: 1, end: "aborts" } as const;
  expect(await killAtEachLine({ ...life, countsStart: true })).toBeGreaterThanOrEqual(60);
});
