// SPDX-License-Identifier: Apache-2.0
// The bank as its modules' own side: what is held, settled, released and issued, under repeated and
// contradicting messages, and under crashes at every point (docs/protocol.md, "Ledger").
import { bytesToHex } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostBody, parseHostBody, RequestKind } from "../../host/application/hostPort.ts";
import {
  type BankEffect,
  type BankSettings,
  closeQuestions,
  decideMessage,
  decideRefusal,
  holdAnswer,
} from "../../host/network/bank/bank.ts";
import {
  cardPostingBatch,
  correspondentBatches,
  openBankBatch,
  openDepositBatch,
} from "../../host/network/bank/chart.ts";
import type { LedgerBatch } from "../../host/network/bank/ledger.ts";
import {
  applyToState,
  type LedgerState,
  memoryLedgerStore,
} from "../../host/network/bank/memoryLedger.ts";
import { parseModuleMessage } from "../../host/network/bank/moduleMessages.ts";
import { ModelModule } from "./bank-module.ts";

const NOW = 1_800_000_000;
const id = (value: number) => value.toString(16).padStart(16, "0");
const pay = (value: number) => value.toString(16).padStart(32, "0");
const [TELLER, GENERATOR, CUSTOMER, STRANGER] = [id(1), id(2), id(3), id(4)];
const [FOREIGN_TELLER, FOREIGN_GENERATOR] = [id(5), id(6)];
const SETTINGS: BankSettings = {
  bank: "First Bank",
  tellers: [TELLER],
  generators: [GENERATOR],
  correspondentTellers: { [FOREIGN_TELLER]: "Second Bank" },
  correspondentGenerators: { [FOREIGN_GENERATOR]: "Third Bank" },
  issuers: { EUR: ["First Bank", "Third Bank"], USD: ["Third Bank"] },
};

/** The bank over books in memory; messages in, messages out, as the shell does it. */
class World {
  state: LedgerState = {};
  alarms: string[] = [];

  constructor() {
    const deposit = (account: string, openingMinor: number) =>
      this.apply(
        openDepositBatch(
          SETTINGS.bank,
          { account, owner: account, unit: "EUR", drawers: [CUSTOMER], openingMinor },
          NOW,
        ),
      );
    this.apply(openBankBatch(SETTINGS.bank, ["EUR", "USD"], SETTINGS.issuers));
    deposit("alice", 1000);
    deposit("bob", 500);
    const paid = { bank: "Second Bank", issuer: SETTINGS.bank, unit: "EUR" };
    this.apply(correspondentBatches("second", paid, 500, NOW)[1]);
    const own = { bank: SETTINGS.bank, issuer: "Third Bank", unit: "EUR" };
    this.apply(correspondentBatches("third", own, 700, NOW)[0]);
  }

  apply(batch: LedgerBatch): void {
    const result = applyToState(this.state, batch);
    expect(["applied", "repeated"]).toContain(result.status);
  }

  /** Durable work of one message; the effects are what a crash can still lose. */
  async decide(module: string, body: Uint8Array): Promise<readonly BankEffect[]> {
    const message = parseModuleMessage(body)!;
    const store = memoryLedgerStore(this.state);
    const payment = await store.payment(SETTINGS.bank, module, message.payId);
    const decision = decideMessage(SETTINGS, module, message, payment, NOW);
    const { batch, whenApplied, whenRefused } = decision;
    const result = batch ? applyToState(this.state, batch) : { status: "applied" };
    const effects = result.status === "refused" ? whenRefused : whenApplied;
    for (const effect of effects) if (effect.type === "alarm") this.alarms.push(effect.text);
    // The stock covers everything here; stock.ts has tests of its own.
    return effects.map((effect) =>
      effect.type === "notes wanted" ? holdAnswer(module, effect.request.payId, true) : effect,
    );
  }

  /** What the bank answers, in short. */
  async answer(module: string, body: Uint8Array): Promise<string> {
    const effects = await this.decide(module, body);
    if (effects.some(({ type }) => type === "alarm")) return "alarm";
    const effect = effects.find(({ type }) => type === "send");
    if (effect?.type !== "send") return "nothing";
    expect(effect.module).toBe(module);
    const { number, fields } = parseHostBody(effect.body)!;
    expect(bytesToHex(fields[0] as Uint8Array)).toHaveLength(32);
    return { 83: fields[1] ? "granted" : "refused", 85: "noted" }[number] ?? "unknown";
  }

  balance(account: string): number {
    return this.state[SETTINGS.bank]!.accounts[account]!.balanceMinor;
  }

  open(): number {
    const payments = Object.values(this.state[SETTINGS.bank]!.payments);
    return payments.filter(({ state }) => state === "held").length;
  }
}

describe("a withdrawal", () => {
  it("is held before it is granted and leaves the stock when the module committed", async () => {
    const [world, teller] = [new World(), new ModelModule()];
    const wanted = teller.want(pay(1), CUSTOMER, 300, "EUR", "alice");
    expect(await world.answer(TELLER, wanted)).toBe("granted");
    expect([world.balance("alice"), world.balance("in-transit:EUR")]).toEqual([700, 300]);
    expect(await world.answer(TELLER, wanted)).toBe("granted");
    expect(world.balance("alice")).toBe(700);
    teller.payments.get(pay(1))!.state = 2;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    expect([world.balance("alice"), world.balance("in-transit:EUR")]).toEqual([700, 0]);
    expect(world.balance("notes-on-hand:EUR")).toBe(-300);
    expect(await world.answer(TELLER, wanted)).toBe("refused");
  });

  it.each([
    ["aborted", 1],
    ["never begun", 0],
  ])("is given back when it was %s", async (_what, state) => {
    const [world, teller] = [new World(), new ModelModule()];
    await world.answer(TELLER, teller.want(pay(1), CUSTOMER, 300, "EUR", "alice"));
    teller.payments.get(pay(1))!.state = state;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    expect([world.balance("alice"), world.balance("in-transit:EUR")]).toEqual([1000, 0]);
    expect(await world.answer(TELLER, teller.holdWanted(pay(1)))).toBe("refused");
  });

  it.each([
    ["running", 4],
    ["in doubt", 3],
  ])("stays held while it is %s", async (_what, state) => {
    const [world, teller] = [new World(), new ModelModule()];
    await world.answer(TELLER, teller.want(pay(1), CUSTOMER, 300, "EUR", "alice"));
    teller.payments.get(pay(1))!.state = state;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("nothing");
    expect(world.balance("in-transit:EUR")).toBe(300);
  });

  it.each<[string, [string, number, string, string | null]]>([
    ["more than there is", [CUSTOMER, 1001, "EUR", "alice"]],
    ["nothing", [CUSTOMER, 0, "EUR", "alice"]],
    ["an unknown account", [CUSTOMER, 5, "EUR", "carol"]],
    ["the bank's own account", [CUSTOMER, 5, "EUR", "reserve:EUR"]],
    ["no account", [CUSTOMER, 5, "EUR", null]],
    ["another unit", [CUSTOMER, 5, "USD", "alice"]],
    ["a unit that the bank does not keep", [CUSTOMER, 5, "JPY", "alice"]],
    ["for a module that may not draw", [STRANGER, 5, "EUR", "alice"]],
  ])("is refused: %s", async (_what, [peer, amountMinor, unit, account]) => {
    const [world, teller] = [new World(), new ModelModule()];
    const before = structuredClone(world.state);
    const wanted = teller.want(pay(1), peer, amountMinor, unit, account);
    expect(await world.answer(TELLER, wanted)).toBe("refused");
    expect(world.state).toEqual(before);
  });

  it("has one content under one pay id", async () => {
    const [world, teller] = [new World(), new ModelModule()];
    await world.answer(TELLER, teller.want(pay(1), CUSTOMER, 300, "EUR", "alice"));
    for (const [peer, amountMinor, account] of [
      [CUSTOMER, 301, "alice"],
      [STRANGER, 300, "alice"],
      [CUSTOMER, 300, "bob"],
    ] as const) {
      const wanted = teller.want(pay(1), peer, amountMinor, "EUR", account);
      expect(await world.answer(TELLER, wanted)).toBe("refused");
    }
    expect(world.balance("in-transit:EUR")).toBe(300);
  });

  it("raises an alarm, and is not noted, when module and books contradict each other", async () => {
    const [world, teller] = [new World(), new ModelModule()];
    await world.answer(TELLER, teller.want(pay(1), CUSTOMER, 300, "EUR", "alice"));
    const settle = (state: number, amountMinor = 300, payId = pay(1)) => {
      teller.want(payId, CUSTOMER, amountMinor, "EUR", "alice");
      teller.payments.get(payId)!.state = state;
      return world.answer(TELLER, teller.settle(payId));
    };
    expect(await settle(2, 299)).toBe("alarm");
    expect(await settle(2, 300, pay(2))).toBe("alarm");
    expect(await settle(1, 300, pay(3))).toBe("noted");
    expect(await settle(2)).toBe("noted");
    expect(await settle(1)).toBe("alarm");
    expect(world.alarms).toHaveLength(3);
    expect(world.balance("notes-on-hand:EUR")).toBe(-300);
  });
});

describe("new money", () => {
  it("for the own teller is booked as issued and on hand when the generator committed", async () => {
    const [world, generator, teller] = [new World(), new ModelModule(), new ModelModule()];
    const wanted = generator.want(pay(1), TELLER, 900, "EUR", null);
    expect(await world.answer(GENERATOR, wanted)).toBe("granted");
    expect(world.balance("money-issued:EUR")).toBe(0);
    generator.payments.get(pay(1))!.state = 2;
    expect(await world.answer(GENERATOR, generator.settle(pay(1)))).toBe("noted");
    expect(await world.answer(GENERATOR, generator.settle(pay(1)))).toBe("noted");
    // The teller's own report of what it received adds nothing.
    teller.want(pay(1), GENERATOR, 900, "EUR", null);
    teller.payments.get(pay(1))!.state = 2;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    expect([world.balance("money-issued:EUR"), world.balance("notes-on-hand:EUR")]).toEqual([
      900, 900,
    ]);
  });

  it("for another bank's teller comes out of that bank's deposit", async () => {
    const [world, generator] = [new World(), new ModelModule()];
    const wanted = (payId: string, amountMinor: number, peer = FOREIGN_TELLER) =>
      world.answer(GENERATOR, generator.want(payId, peer, amountMinor, "EUR", null));
    expect(await wanted(pay(1), 501)).toBe("refused");
    expect(await wanted(pay(1), 100, STRANGER)).toBe("refused");
    expect(await wanted(pay(1), 400)).toBe("granted");
    expect(await wanted(pay(1), 400)).toBe("granted");
    expect(await wanted(pay(2), 400)).toBe("refused");
    generator.payments.get(pay(1))!.state = 2;
    expect(await world.answer(GENERATOR, generator.settle(pay(1)))).toBe("noted");
    expect(world.balance("deposit-of-correspondent:Second Bank:EUR")).toBe(100);
    expect([world.balance("money-issued:EUR"), world.balance("in-transit:EUR")]).toEqual([400, 0]);
  });

  it("from another bank's generator comes out of the deposit there, once", async () => {
    const [world, teller] = [new World(), new ModelModule()];
    teller.want(pay(1), FOREIGN_GENERATOR, 250, "EUR", null);
    teller.payments.get(pay(1))!.state = 2;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    expect(world.balance("notes-on-hand:EUR")).toBe(250);
    expect(world.balance("deposit-at-correspondent:Third Bank:EUR")).toBe(450);
  });
});

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

describe("posted card authorizations", () => {
  it("credit the merchant for a purchase and debit him for a sale, once each", () => {
    const world = new World();
    const posting = (mandateHash: string, direction: "buy" | "sell", amountMinor: number) =>
      world.apply(
        cardPostingBatch(
          SETTINGS.bank,
          {
            mandateHash,
            cardIssuer: "Card Bank",
            merchantAccount: "alice",
            direction,
            amountMinor,
            unit: "EUR",
          },
          NOW,
        ),
      );
    posting("m1", "buy", 105);
    posting("m1", "buy", 105);
    expect(world.balance("settlement:Card Bank:EUR")).toBe(105);
    expect(world.balance("alice")).toBe(1105);
    posting("m2", "sell", 200);
    expect(world.balance("settlement:Card Bank:EUR")).toBe(-95);
    expect(world.balance("alice")).toBe(905);
  });
});

describe("untrusted bytes", () => {
  it("are no message unless each field is of its kind", () => {
    const teller = new ModelModule();
    const sound = [teller.want(pay(1), CUSTOMER, 300, "EUR", "alice"), teller.settle(pay(1))];
    for (const body of sound) {
      expect(parseModuleMessage(body)).toBeDefined();
      for (let length = 0; length < body.length; length += 1) {
        expect(parseModuleMessage(body.subarray(0, length))).toBeUndefined();
      }
      const { number, fields } = parseHostBody(body)!;
      for (const [at] of fields.entries()) {
        const spoiled = fields.map((field, index) => (index === at ? false : field));
        expect(parseModuleMessage(hostBody(number, ...spoiled))).toBeUndefined();
      }
    }
    expect(
      parseModuleMessage(hostBody(84, new Uint8Array(16), 2, 1, 5, "eur", new Uint8Array(8))),
    ).toBe(undefined);
  });
});

describe("under crashes and lost messages", () => {
  it("loses and makes no unit, and nothing stays open once all is delivered", async () => {
    // What goes wrong with each message: lost before it is handled, the bank dies after its books
    // were written but before it sent, or nothing.
    const fault = fc.constantFrom("lost", "crash", "none", "none");
    const order = fc.record({
      amountMinor: fc.integer({ min: 1, max: 600 }),
      request: fc.integer({ min: RequestKind.WITHDRAW, max: RequestKind.REFRESH }),
      pays: fc.boolean(),
      faults: fc.array(fault, { minLength: 4, maxLength: 4 }),
      isRepeated: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(order, { maxLength: 10 }), async (orders) => {
        const world = new World();
        const modules = { [TELLER]: new ModelModule(), [GENERATOR]: new ModelModule() };
        const deliver = async (name: string, body: Uint8Array, pays: boolean, faults: string[]) => {
          const [now, ...later] = faults;
          if (now === "lost") return;
          const effects = await world.decide(name, body);
          if (now === "crash") return;
          for (const effect of effects) {
            if (effect.type !== "send") continue;
            for (const reply of modules[name]!.receive(effect.body, pays)) {
              await deliver(name, reply, pays, later);
            }
          }
        };
        for (const [
          index,
          { amountMinor, request, pays, faults, isRepeated },
        ] of orders.entries()) {
          const isOfGenerator = request === RequestKind.ISSUE || request === RequestKind.REDEEM;
          const name = isOfGenerator ? GENERATOR : TELLER;
          const peer = isOfGenerator ? TELLER : CUSTOMER;
          const isNamed = request === RequestKind.WITHDRAW || request === RequestKind.DEPOSIT;
          const account = isNamed ? "alice" : null;
          const wanted = modules[name]!.want(
            pay(index),
            peer!,
            amountMinor,
            "EUR",
            account,
            request,
          );
          await deliver(name, wanted, pays, faults);
          if (isRepeated) await deliver(name, wanted, pays, [...faults].reverse());
          expect(world.balance("alice")).toBeGreaterThanOrEqual(0);
        }
        // The bank starts again and asks; the modules report what was not noted.
        const open = await memoryLedgerStore(world.state).openPayments(SETTINGS.bank);
        for (const effect of closeQuestions(open)) {
          if (effect.type !== "send") continue;
          for (const reply of modules[effect.module]!.receive(effect.body, true)) {
            await deliver(effect.module, reply, true, []);
          }
        }
        for (const [name, module] of Object.entries(modules)) {
          for (const payId of module.payments.keys()) module.giveUp(payId);
          for (const report of module.reports()) await deliver(name, report, true, []);
          expect(module.reports()).toEqual([]);
        }
        const paid = modules[TELLER]!.paidMinor.EUR ?? 0;
        const issued = modules[GENERATOR]!.paidMinor.EUR ?? 0;
        expect(world.open()).toBe(0);
        expect(world.alarms).toEqual([]);
        expect(world.balance("alice")).toBe(1000 - paid);
        expect(world.balance("in-transit:EUR")).toBe(0);
        expect(world.balance("money-issued:EUR")).toBe(issued);
        expect(world.balance("notes-on-hand:EUR")).toBe(issued - paid);
        for (const totals of await memoryLedgerStore(world.state).trialBalance(SETTINGS.bank)) {
          expect(totals.debitMinor).toBe(totals.creditMinor);
        }
      }),
      { numRuns: 200, seed: 11 },
    );
  });
});
