// SPDX-License-Identifier: Apache-2.0
// The bank's service between a teller and generators: notes on demand, correspondent banks that pay
// for them, notes that go back, and a bank that is killed on the way (docs/protocol.md section 6).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  HostMessage,
  hostBody,
  PaymentState,
  parseHostBody,
  RequestKind,
} from "../../host/application/hostPort.ts";
import type { DeviceEvent } from "../../host/device/types.ts";
import type { BankSettings } from "../../host/network/bank/bank.ts";
import { systemClock } from "../../host/link/clock.ts";
import { type BankDevice, BankService } from "../../host/network/bank/bankService.ts";
import type { LedgerStore } from "../../host/network/bank/ledger.ts";
import { memoryLedgerStore } from "../../host/network/bank/memoryLedger.ts";
import { sqlLedgerStore } from "../../host/network/bank/sqlLedger.ts";
import type { GeneratorLine, OrderResult } from "../../host/network/bank/tellerStock.ts";
import { type Database, openDatabase } from "../../host/network/store/database.ts";
import { migrate } from "../../host/network/store/migrations.ts";
import { MIGRATIONS } from "../../host/network/store/schema.ts";
import { ModelModule } from "./bank-module.ts";

const [TELLER, GENERATOR, CUSTOMER] = ["aa", "0f", "bb"].map((end) => end.padStart(16, "0")) as [
  string,
  string,
  string,
];
const pay = (number: number) => number.toString(16).padStart(32, "0");

/** A bank's device around the model of a module. */
class ModelDevice implements BankDevice {
  readonly module = new ModelModule();
  spendableMinor = 0;
  /** Whether granted payments succeed; null keeps them running. */
  pays: boolean | null = true;
  readonly heard: number[] = [];
  private readonly listeners = new Set<(event: DeviceEvent) => void>();

  command(_target: unknown, body: Uint8Array): Promise<Uint8Array> {
    const { number } = parseHostBody(body)!;
    this.heard.push(number);
    if (number === HostMessage.EXPORT) return Promise.resolve(hostBody(number, 2, null, null));
    if (number === HostMessage.BALANCE) {
      const paidMinor = this.module.paidMinor.EUR ?? 0;
      return Promise.resolve(hostBody(number, [["EUR", this.spendableMinor - paidMinor, 0, 0, 0]]));
    }
    if (number !== HostMessage.HOLD || this.pays !== null) {
      for (const reply of this.module.receive(body, this.pays === true)) this.say(reply);
    }
    return Promise.resolve(hostBody(number));
  }

  onEvent(listener: (event: DeviceEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  say(body: Uint8Array): void {
    for (const listener of this.listeners) listener({ type: "message", target: "module", body });
  }
}

/** Two banks over one store: First issues, Second has a deposit there. */
class Banks {
  readonly alarms: string[] = [];
  readonly generator = new ModelDevice();
  readonly tellers: Record<string, ModelDevice> = {};
  readonly services: Record<string, BankService> = {};
  readonly orders: string[] = [];
  /** How generators answer; undefined lets them do it. */
  refusal: OrderResult | undefined;
  private readonly store: LedgerStore;
  private payments = 1000;

  constructor(store: LedgerStore) {
    this.store = store;
  }

  async open(name: "First" | "Second", teller: string, deposits: number): Promise<ModelDevice> {
    const isIssuer = name === "First";
    const settings: BankSettings = {
      bank: name,
      tellers: [teller],
      generators: isIssuer ? [GENERATOR] : [],
      correspondentTellers: isIssuer ? { [`${TELLER.slice(0, -1)}c`]: "Second" } : {},
      correspondentGenerators: isIssuer ? {} : { [GENERATOR]: "First" },
      issuers: { EUR: ["First"] },
    };
    const service = new BankService(settings, this.store, {
      nowSeconds: () => 1_800_000_000,
      clock: systemClock,
      moduleRoot: { id: new Uint8Array(8), key: new Uint8Array(32) },
      onAlarm: (text) => this.alarms.push(text),
      onConviction: () => Promise.resolve(),
      onAcquittal: () => Promise.resolve(),
    });
    this.services[name] = service;
    const account = { account: "alice", owner: "alice", unit: "EUR", drawers: [CUSTOMER] };
    await service.open(["EUR"], [{ ...account, openingMinor: deposits }]);
    const device = this.tellers[name] ?? new ModelDevice();
    this.tellers[name] = device;
    await service.attachTeller(teller, device, [this.line(name, teller)]);
    if (isIssuer) await service.attachGenerator(GENERATOR, this.generator);
    return device;
  }

  /** Everything that was begun, on both sides, is worked off. */
  async settle(): Promise<void> {
    for (let round = 0; round < 8; round += 1) {
      for (const service of Object.values(this.services)) await service.settled();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async balance(bank: string, account: string): Promise<number> {
    return (await this.store.account(bank, account))?.balanceMinor ?? 0;
  }

  async sound(): Promise<void> {
    for (const [bank, service] of Object.entries(this.services)) {
      for (const { debitMinor, creditMinor, inTransitMinor } of (await service.report()).totals) {
        expect([bank, debitMinor - creditMinor, inTransitMinor]).toEqual([bank, 0, 0]);
      }
    }
    const there = await this.balance("First", "deposit-of-correspondent:Second:EUR");
    expect(await this.balance("Second", "deposit-at-correspondent:First:EUR")).toBe(there);
  }

  /** The generator asks its bank, moves the money, and both modules report. */
  private line(name: string, teller: string): GeneratorLine {
    return {
      bank: "First",
      units: ["EUR"],
      order: async (request, amountMinor, unit) => {
        this.orders.push(
          `${name} ${request === RequestKind.ISSUE ? "issue" : "redeem"} ${amountMinor}`,
        );
        if (this.refusal !== undefined) return this.refusal;
        const payId = pay(this.payments++);
        const device = this.tellers[name]!;
        this.generator.say(
          this.generator.module.want(payId, teller, amountMinor, unit, null, request),
        );
        const { payments } = this.generator.module;
        while (payments.get(payId)!.state === PaymentState.RUNNING) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        const { state } = payments.get(payId)!;
        device.module.want(payId, GENERATOR, amountMinor, unit, null, request);
        device.module.payments.get(payId)!.state = state;
        const isDone = state === PaymentState.COMMITTED;
        const sign = request === RequestKind.ISSUE ? 1 : -1;
        if (isDone) device.spendableMinor += sign * amountMinor;
        device.say(device.module.settle(payId));
        return { isDone, reason: isDone ? "" : "refused by its bank", reasonNumber: 44 };
      },
    };
  }
}

let database: Database;
beforeAll(async () => {
  database = await openDatabase("memory:");
  await migrate(database, MIGRATIONS);
}, 60_000);
afterAll(() => database.close());

/** Books of their own for each test: banks have the same names in all of them. */
async function clearedStore(): Promise<LedgerStore> {
  await database.query("TRUNCATE ledger_accounts, ledger_entries, ledger_lines, ledger_payments");
  return sqlLedgerStore(database);
}

const SECOND_TELLER = `${TELLER.slice(0, -1)}c`;

describe.each([
  ["memory", async () => memoryLedgerStore({})],
  ["SQL", clearedStore],
])("banks with books in %s", (_name, newStore) => {
  it("issue what a customer wants before the notes go", async () => {
    const banks = new Banks(await newStore());
    const teller = await banks.open("First", TELLER, 1000);
    teller.say(teller.module.want(pay(1), CUSTOMER, 400, "EUR", "alice"));
    await banks.settle();
    expect(banks.orders).toEqual(["First issue 400"]);
    expect(teller.module.payments.get(pay(1))).toMatchObject({ state: 2, noted: true });
    expect(await banks.balance("First", "alice")).toBe(600);
    expect(await banks.balance("First", "money-issued:EUR")).toBe(400);
    expect(await banks.balance("First", "notes-on-hand:EUR")).toBe(0);
    await banks.sound();
    expect(banks.alarms).toEqual([]);
  });

  it("pay into their deposit at the issuer what is missing there, and no more", async () => {
    const banks = new Banks(await newStore());
    await banks.open("First", TELLER, 0);
    const teller = await banks.open("Second", SECOND_TELLER, 1000);
    teller.say(teller.module.want(pay(1), CUSTOMER, 400, "EUR", "alice"));
    await banks.settle();
    expect(await banks.balance("Second", "reserve:EUR")).toBe(600);
    expect(await banks.balance("First", "reserve:EUR")).toBe(400);
    // A deposit goes back to the issuer by itself and pays for the next withdrawal.
    teller.say(teller.module.want(pay(2), CUSTOMER, 300, "EUR", "alice", RequestKind.DEPOSIT));
    await banks.settle();
    expect(await banks.balance("Second", "deposit-at-correspondent:First:EUR")).toBe(300);
    teller.say(teller.module.want(pay(3), CUSTOMER, 350, "EUR", "alice"));
    await banks.settle();
    expect(banks.orders).toEqual(["Second issue 400", "Second redeem 300", "Second issue 350"]);
    expect(await banks.balance("Second", "reserve:EUR")).toBe(550);
    expect(await banks.balance("Second", "alice")).toBe(1000 - 400 + 300 - 350);
    expect(await banks.balance("First", "money-issued:EUR")).toBe(450);
    await banks.sound();
    expect(banks.alarms).toEqual([]);
  });

  it("notes are in circulation whose issue rolls back: none are, and the hold is given back", async () => {
    const banks = new Banks(await newStore());
    const teller = await banks.open("First", TELLER, 1000);
    banks.refusal = { isDone: false, reason: "the generator is away", reasonNumber: 49 };
    teller.say(teller.module.want(pay(1), CUSTOMER, 400, "EUR", "alice"));
    await banks.settle();
    expect(teller.module.payments.get(pay(1))).toMatchObject({ state: 1, noted: true });
    expect(await banks.balance("First", "alice")).toBe(1000);
    await banks.sound();
  });

  it("make fresh notes for old ones, which go back", async () => {
    const banks = new Banks(await newStore());
    const teller = await banks.open("First", TELLER, 1000);
    teller.say(teller.module.want(pay(1), CUSTOMER, 250, "EUR", null, RequestKind.REFRESH));
    await banks.settle();
    expect(banks.orders).toEqual(["First issue 250", "First redeem 250"]);
    expect(await banks.balance("First", "money-issued:EUR")).toBe(0);
    expect(await banks.balance("First", "alice")).toBe(1000);
    await banks.sound();
  });

  it("tell a person what could not be sent back, and keep it", async () => {
    const banks = new Banks(await newStore());
    const teller = await banks.open("First", TELLER, 1000);
    banks.refusal = { isDone: false, reason: "the generator is away", reasonNumber: 49 };
    teller.say(teller.module.want(pay(1), CUSTOMER, 250, "EUR", "alice", RequestKind.DEPOSIT));
    await banks.settle();
    expect(banks.alarms).toEqual(["Notes of EUR could not be sent back: the generator is away."]);
    expect(await banks.balance("First", "notes-on-hand:EUR")).toBe(250);
  });

  it("issue into the stock for a person", async () => {
    const banks = new Banks(await newStore());
    await banks.open("First", TELLER, 0);
    expect(await banks.services.First!.issue("EUR", 700)).toMatchObject({ isDone: true });
    expect(await banks.services.First!.issue("USD", 700)).toMatchObject({
      isDone: false,
      reason: "no bank issues USD",
    });
    await banks.settle();
    expect(await banks.balance("First", "notes-on-hand:EUR")).toBe(700);
    await banks.sound();
  });

  it("killed between settling and noting, book once and note after the start", async () => {
    const store = await newStore();
    const first = new Banks(store);
    const teller = await first.open("First", TELLER, 1000);
    teller.pays = null;
    teller.say(teller.module.want(pay(1), CUSTOMER, 400, "EUR", "alice"));
    await first.settle();
    // The module committed; the bank books it and is killed before it says so.
    teller.module.payments.get(pay(1))!.state = PaymentState.COMMITTED;
    const { receive } = teller.module;
    teller.module.receive = (body, pays) =>
      parseHostBody(body)!.number === HostMessage.NOTED
        ? []
        : receive.call(teller.module, body, pays);
    teller.say(teller.module.settle(pay(1)));
    await first.settle();
    expect(teller.module.reports()).toHaveLength(1);
    teller.module.receive = receive;
    const second = new Banks(store);
    second.tellers.First = teller;
    await second.open("First", TELLER, 1000);
    for (const report of teller.module.reports()) teller.say(report);
    await second.settle();
    expect(teller.module.reports()).toEqual([]);
    expect(await second.balance("First", "alice")).toBe(600);
    expect(await second.balance("First", "in-transit:EUR")).toBe(0);
    expect(second.alarms).toEqual([]);
  });
});
