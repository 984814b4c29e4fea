// SPDX-License-Identifier: Apache-2.0
// The bank as its modules' own side: withdrawals and issues, under repeated and contradicting
// messages, and all kinds under crashes at every point (docs/protocol.md, "Ledger").
import { hexToBytes } from "@noble/hashes/utils.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HostMessage,
  hostBody,
  PaymentState,
  parseHostBody,
  RequestKind,
} from "../../host/application/hostPort.ts";
import { closeQuestions } from "../../host/network/bank/bank.ts";
import { cardPostingBatch } from "../../host/network/bank/chart.ts";
import { memoryLedgerStore } from "../../host/network/bank/memoryLedger.ts";
import { parseModuleMessage } from "../../host/network/bank/moduleMessages.ts";
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

/** As a module answers about a payment that it has no record of (docs/protocol.cddl, 88). */
function noRecord(payId: string): Uint8Array {
  const names = [hexToBytes(payId), PaymentState.ABORTED, RequestKind.NONE];
  return hostBody(HostMessage.SETTLE, ...names, 0, "XXX", new Uint8Array(8));
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

  it.each([
    ["settled", 2, [700, -300]],
    ["released", 1, [1000, 0]],
  ])("that is %s stays so where its module has no record of it any more", async (...row) => {
    const [, state, balances] = row;
    const [world, teller] = [new World(), new ModelModule()];
    await world.answer(TELLER, teller.want(pay(1), CUSTOMER, 300, "EUR", "alice"));
    teller.payments.get(pay(1))!.state = state;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("noted");
    // Noted, it is forgotten; the answer to a question (88) that was long on its way says so.
    expect(await world.answer(TELLER, noRecord(pay(1)))).toBe("noted");
    expect(world.alarms).toEqual([]);
    expect([world.balance("alice"), world.balance("notes-on-hand:EUR")]).toEqual(balances);
  });

  it("that is held goes back where its module has no record of it", async () => {
    const [world, teller] = [new World(), new ModelModule()];
    await world.answer(TELLER, teller.want(pay(1), CUSTOMER, 300, "EUR", "alice"));
    expect(await world.answer(TELLER, noRecord(pay(1)))).toBe("noted");
    expect([world.balance("alice"), world.balance("in-transit:EUR")]).toEqual([1000, 0]);
    // What was given back stays so: a record that it was carried out contradicts it.
    teller.payments.get(pay(1))!.state = 2;
    expect(await world.answer(TELLER, teller.settle(pay(1)))).toBe("alarm");
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
