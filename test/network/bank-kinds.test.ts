// SPDX-License-Identifier: Apache-2.0
// Deposits, refreshes and redemptions in a bank's books, and what a module may not ask for
// (docs/protocol.md, "Ledger").
import { describe, expect, it } from "vitest";
import { RequestKind } from "../../host/application/hostPort.ts";
import { decideRefusal, holdAnswer } from "../../host/network/bank/bank.ts";
import { openDepositBatch } from "../../host/network/bank/chart.ts";
import { memoryLedgerStore } from "../../host/network/bank/memoryLedger.ts";
import { ModelModule } from "./bank-module.ts";
import {
  CUSTOMER,
  FOREIGN_GENERATOR,
  FOREIGN_TELLER,
  GENERATOR,
  NOW,
  pay,
  SETTINGS,
  STRANGER,
  TELLER,
  World,
} from "./bank-world.ts";

/** Asks, is granted, and tells that it committed. */
async function runThrough(
  world: World,
  name: string,
  ...[payId, peer, amountMinor, unit, account, request]: Parameters<ModelModule["want"]>
): Promise<string[]> {
  const module = new ModelModule();
  const wanted = module.want(payId, peer, amountMinor, unit, account, request);
  const answers = [await world.answer(name, wanted)];
  if (answers[0] === "refused") return answers;
  module.payments.get(payId)!.state = 2;
  for (const _ of [1, 2]) answers.push(await world.answer(name, module.settle(payId)));
  return answers;
}

const DONE = ["granted", "noted", "noted"];

describe("a deposit", () => {
  const deposit = (world: World, account: string | null, unit = "EUR", peer = STRANGER) =>
    runThrough(world, TELLER, pay(1), peer, 120, unit, account, RequestKind.DEPOSIT);

  it("is credited when the module committed, by whoever's module, and only once", async () => {
    const [world, teller] = [new World(), new ModelModule()];
    const wanted = teller.want(pay(1), STRANGER, 120, "EUR", "alice", RequestKind.DEPOSIT);
    expect(await world.answer(TELLER, wanted)).toBe("granted");
    expect([world.balance("alice"), world.balance("notes-on-hand:EUR")]).toEqual([1000, 0]);
    teller.payments.get(pay(1))!.state = 2;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    expect([world.balance("alice"), world.balance("notes-on-hand:EUR")]).toEqual([1120, 120]);
    expect(world.balance("in-transit:EUR")).toBe(0);
  });

  it.each([
    ["aborted", 1, "noted"],
    ["in doubt", 3, "nothing"],
  ])("credits nothing while it is %s", async (_what, state, answer) => {
    const [world, teller] = [new World(), new ModelModule()];
    await world.answer(
      TELLER,
      teller.want(pay(1), STRANGER, 120, "EUR", "alice", RequestKind.DEPOSIT),
    );
    teller.payments.get(pay(1))!.state = state;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe(answer);
    expect([world.balance("alice"), world.balance("notes-on-hand:EUR")]).toEqual([1000, 0]);
    expect(world.open()).toBe(answer === "noted" ? 0 : 1);
  });

  it.each<[string, string | null, string]>([
    ["an unknown account", "carol", "EUR"],
    ["no account", null, "EUR"],
    ["the bank's own account", "reserve:EUR", "EUR"],
    ["another bank's account", "deposit-of-correspondent:Second Bank:EUR", "EUR"],
    ["another unit", "alice", "USD"],
    ["a closed account", "closed", "EUR"],
  ])("is refused: %s", async (_what, account, unit) => {
    const world = new World();
    world.apply(
      openDepositBatch(
        SETTINGS.bank,
        { account: "closed", owner: "eve", unit: "EUR", drawers: [], openingMinor: 0 },
        NOW,
      ),
    );
    world.apply({ bank: SETTINGS.bank, close: "closed" });
    const before = structuredClone(world.state);
    expect(await deposit(world, account, unit)).toEqual(["refused"]);
    expect(world.state).toEqual(before);
  });

  it("in doubt gives its place in the teller free, and brings nothing yet", async () => {
    const [world, teller] = [new World(), new ModelModule()];
    const wanted = teller.want(pay(1), STRANGER, 120, "EUR", "alice", RequestKind.DEPOSIT);
    expect((await world.decide(TELLER, wanted))[0]).toMatchObject({ type: "begun" });
    const ended = (broughtMinor: number) => ({ type: "ended", payId: pay(1), broughtMinor });
    teller.payments.get(pay(1))!.state = 3;
    expect(await world.decide(TELLER, teller.settle(pay(1)))).toMatchObject([ended(0)]);
    teller.payments.get(pay(1))!.state = 2;
    const settled = await world.decide(TELLER, teller.settle(pay(1)));
    expect(settled).toMatchObject([{ type: "send" }, ended(120)]);
    const again = await world.decide(TELLER, teller.settle(pay(1)));
    expect(again).toMatchObject([{ type: "send" }, ended(0)]);
  });

  it("still arrives when the account was closed after it was agreed to", async () => {
    const [world, teller] = [new World(), new ModelModule()];
    await world.answer(
      TELLER,
      teller.want(pay(1), STRANGER, 120, "EUR", "bob", RequestKind.DEPOSIT),
    );
    world.apply({ bank: SETTINGS.bank, close: "bob" });
    teller.payments.get(pay(1))!.state = 2;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    expect(world.balance("bob")).toBe(620);
    const drawn = new ModelModule().want(pay(2), CUSTOMER, 5, "EUR", "bob");
    expect(await world.answer(TELLER, drawn)).toBe("refused");
  });
});

describe("a refresh", () => {
  it("is on record and changes no balance", async () => {
    const world = new World();
    const before = structuredClone(world.state[SETTINGS.bank]!.accounts);
    const { REFRESH } = RequestKind;
    const answers = await runThrough(world, TELLER, pay(1), STRANGER, 300, "EUR", null, REFRESH);
    expect(answers).toEqual(DONE);
    const books = world.state[SETTINGS.bank]!;
    expect(books.accounts).toEqual(before);
    expect(books.payments[`${TELLER}/${pay(1)}`]).toMatchObject({
      kind: "refresh",
      state: "settled",
    });
  });

  it("is refused in a unit that nobody issues, and where an account is named", async () => {
    const world = new World();
    const wanted = (unit: string, account: string | null) =>
      new ModelModule().want(pay(1), STRANGER, 300, unit, account, RequestKind.REFRESH);
    expect(await world.answer(TELLER, wanted("JPY", null))).toBe("refused");
    expect(await world.answer(TELLER, wanted("EUR", "alice"))).toBe("refused");
  });

  it("gives back what was held when the stock cannot cover a payment after all", async () => {
    const [world, teller] = [new World(), new ModelModule()];
    await world.answer(TELLER, teller.want(pay(1), CUSTOMER, 300, "EUR", "alice"));
    const store = memoryLedgerStore(world.state);
    const payment = await store.payment(SETTINGS.bank, TELLER, pay(1));
    const { batch, whenApplied } = decideRefusal(SETTINGS, payment, NOW);
    world.apply(batch!);
    expect(whenApplied).toEqual([holdAnswer(TELLER, pay(1), false)]);
    expect([world.balance("alice"), world.balance("in-transit:EUR")]).toEqual([1000, 0]);
    teller.payments.get(pay(1))!.state = 1;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    const settled = await store.payment(SETTINGS.bank, TELLER, pay(1));
    expect(decideRefusal(SETTINGS, settled, NOW).batch).toBeUndefined();
  });
});

describe("a redemption", () => {
  const redeem = (world: World, peer: string, unit = "EUR") =>
    runThrough(world, GENERATOR, pay(9), peer, 200, unit, null, RequestKind.REDEEM);

  it("takes the own teller's notes out of stock and circulation", async () => {
    const world = new World();
    await runThrough(world, GENERATOR, pay(1), TELLER, 900, "EUR", null, RequestKind.ISSUE);
    expect(await redeem(world, TELLER)).toEqual(DONE);
    expect([world.balance("money-issued:EUR"), world.balance("notes-on-hand:EUR")]).toEqual([
      700, 700,
    ]);
    // The teller's own report of what it sent adds nothing.
    const teller = new ModelModule();
    teller.want(pay(9), GENERATOR, 200, "EUR", null, RequestKind.REDEEM);
    teller.payments.get(pay(9))!.state = 2;
    expect(await world.answer(TELLER, teller.settle(pay(9)))).toBe("noted");
    expect(world.balance("notes-on-hand:EUR")).toBe(700);
    const [euro] = await memoryLedgerStore(world.state).trialBalance(SETTINGS.bank);
    expect(euro).toMatchObject({ issuedMinor: 900, redeemedMinor: 200, reconciledMinor: 0 });
  });

  it("credits another bank's deposit for what its teller sent", async () => {
    const world = new World();
    await runThrough(world, GENERATOR, pay(1), FOREIGN_TELLER, 400, "EUR", null, RequestKind.ISSUE);
    expect(await redeem(world, FOREIGN_TELLER)).toEqual(DONE);
    expect(world.balance("deposit-of-correspondent:Second Bank:EUR")).toBe(300);
    expect(world.balance("money-issued:EUR")).toBe(200);
  });

  it("is booked at the bank that sent, against its deposit there", async () => {
    const [world, teller] = [new World(), new ModelModule()];
    for (const [payId, amountMinor, request] of [
      [pay(1), 250, RequestKind.ISSUE],
      [pay(2), 150, RequestKind.REDEEM],
    ] as const) {
      teller.want(payId, FOREIGN_GENERATOR, amountMinor, "EUR", null, request);
      teller.payments.get(payId)!.state = 2;
      expect(await world.answer(TELLER, teller.settle(payId))).toBe("noted");
      expect(await world.answer(TELLER, teller.settle(payId))).toBe("noted");
    }
    expect(world.balance("notes-on-hand:EUR")).toBe(100);
    expect(world.balance("deposit-at-correspondent:Third Bank:EUR")).toBe(600);
  });

  it("is refused to a stranger, and in a unit that this bank does not issue", async () => {
    const world = new World();
    expect(await redeem(world, STRANGER)).toEqual(["refused"]);
    expect(await redeem(world, TELLER, "USD")).toEqual(["refused"]);
    expect(world.state[SETTINGS.bank]!.payments).toEqual({});
  });

  it("leaves nothing when it aborts", async () => {
    const [world, generator] = [new World(), new ModelModule()];
    const before = structuredClone(world.state[SETTINGS.bank]!.accounts);
    const wanted = generator.want(pay(1), TELLER, 200, "EUR", null, RequestKind.REDEEM);
    expect(await world.answer(GENERATOR, wanted)).toBe("granted");
    generator.payments.get(pay(1))!.state = 1;
    expect(await world.answer(GENERATOR, generator.settle(pay(1)))).toBe("noted");
    expect(world.state[SETTINGS.bank]!.accounts).toEqual(before);
  });
});

describe("a module", () => {
  it.each([
    ["a teller issues", TELLER, RequestKind.ISSUE, null],
    ["a teller redeems", TELLER, RequestKind.REDEEM, null],
    ["a generator pays out", GENERATOR, RequestKind.WITHDRAW, "alice"],
    ["a generator takes a deposit", GENERATOR, RequestKind.DEPOSIT, "alice"],
    ["an unknown request", TELLER, 6, null],
  ])("is not let do another's work: %s", async (_what, module, request, account) => {
    const world = new World();
    const wanted = new ModelModule().want(pay(1), TELLER, 10, "EUR", account, request);
    expect(await world.answer(module, wanted)).toBe("refused");
  });
});
