// SPDX-License-Identifier: Apache-2.0
// The bank's shell: modules behind devices, books in a database, a restart in between.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HostMessage, hostBody, parseHostBody } from "../../host/application/hostPort.ts";
import type { DeviceEvent } from "../../host/device/types.ts";
import { type BankSettings, OPEN_ROUND_MS } from "../../host/network/bank/bank.ts";
import { type Clock, systemClock } from "../../host/link/clock.ts";
import { type BankDevice, BankService } from "../../host/network/bank/bankService.ts";
import { memoryLedgerStore } from "../../host/network/bank/memoryLedger.ts";
import type { Conviction } from "../../host/network/bank/redeemedNotes.ts";
import { sqlLedgerStore } from "../../host/network/bank/sqlLedger.ts";
import { type Database, openDatabase } from "../../host/network/store/database.ts";
import { migrate } from "../../host/network/store/migrations.ts";
import { MIGRATIONS } from "../../host/network/store/schema.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";
import { ModelModule } from "./bank-module.ts";

const TELLER = "00000000000000aa";
const CUSTOMER = "00000000000000bb";
const PAY = "01".repeat(16);
const SETTINGS: BankSettings = {
  bank: "First Bank",
  tellers: [TELLER],
  generators: [],
  correspondentTellers: {},
  correspondentGenerators: {},
  issuers: { EUR: ["First Bank"] },
};
const DEPOSITS = ["alice", "bob"].map((account) => ({
  account,
  owner: account,
  unit: "EUR",
  drawers: [CUSTOMER],
  openingMinor: 1000,
}));

/** A device around the model of a teller; unplugged, it neither hears nor speaks. */
class TellerDevice implements BankDevice {
  readonly module = new ModelModule();
  /** What is in stock, less what it paid out. */
  stockMinor = 10_000;
  isPlugged = true;
  /** It is unplugged when it is told this message, which it does not hear any more. */
  lostAt: number | null = null;
  pays = true;
  private readonly listeners = new Set<(event: DeviceEvent) => void>();

  command(_target: unknown, body: Uint8Array): Promise<Uint8Array> {
    const { number } = parseHostBody(body)!;
    if (number === this.lostAt) this.isPlugged = false;
    if (!this.isPlugged) return Promise.reject(new Error("unplugged"));
    if (number === HostMessage.BALANCE) {
      const spendableMinor = this.stockMinor - (this.module.paidMinor.EUR ?? 0);
      return Promise.resolve(hostBody(number, [["EUR", spendableMinor, 0, 0, 0]]));
    }
    if (number === HostMessage.EXPORT) return Promise.resolve(hostBody(number, 2, null, null));
    const replies = this.module.receive(body, this.pays);
    for (const reply of replies) this.say(reply);
    return Promise.resolve(hostBody(number));
  }

  onEvent(listener: (event: DeviceEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  say(body: Uint8Array): void {
    if (this.isPlugged) this.tell({ type: "message", target: "module", body });
  }

  tell(event: DeviceEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

let database: Database;
beforeAll(async () => {
  database = await openDatabase("memory:");
  await migrate(database, MIGRATIONS);
}, 60_000);
afterAll(() => database.close());

async function openBank(store = memoryLedgerStore({}), clock: Pick<Clock, "after"> = systemClock) {
  const alarms: string[] = [];
  const convicted: Conviction[] = [];
  const bank = new BankService(SETTINGS, store, {
    nowSeconds: () => 1_800_000_000,
    clock,
    moduleRoot: { id: new Uint8Array(8), key: new Uint8Array(32) },
    onAlarm: (text: string) => alarms.push(text),
    onConviction: async (conviction) => {
      convicted.push(conviction);
    },
    onAcquittal: async () => undefined,
  });
  await bank.open(["EUR"], DEPOSITS);
  return { bank, alarms, convicted };
}

/** Lets every reply to a reply be worked off. */
async function settle(bank: BankService): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    await bank.settled();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function balances(bank: BankService) {
  const { accounts } = await bank.report();
  return Object.fromEntries(accounts.map(({ account, balanceMinor }) => [account, balanceMinor]));
}

describe("the bank's service", () => {
  it("serves a withdrawal to its end", async () => {
    const { bank, alarms } = await openBank();
    const device = new TellerDevice();
    await bank.attachTeller(TELLER, device, []);
    device.say(device.module.want(PAY, CUSTOMER, 400, "EUR", "alice"));
    await settle(bank);
    expect(device.module.payments.get(PAY)).toMatchObject({ state: 2, noted: true });
    expect(await balances(bank)).toMatchObject({ alice: 600, "in-transit:EUR": 0 });
    expect((await bank.report()).open).toEqual([]);
    expect(alarms).toEqual([]);
  });

  it("counts the sessions that its modules refused before anything was asked", async () => {
    const { bank } = await openBank();
    const device = new TellerDevice();
    await bank.attachTeller(TELLER, device, []);
    const tag = new Uint8Array(8);
    for (const reason of [12, 12, 11]) device.say(hostBody(HostMessage.REFUSED, tag, reason));
    device.say(hostBody(HostMessage.REFUSED, tag, "no number"));
    const lastSeconds = 1_800_000_000;
    expect((await bank.report()).refusals).toEqual([
      { module: TELLER, reason: 12, times: 2, lastSeconds },
      { module: TELLER, reason: 11, times: 1, lastSeconds },
    ]);
  });

  it("takes two withdrawals from one balance in turn", async () => {
    const { bank } = await openBank(sqlLedgerStore(database));
    const device = new TellerDevice();
    await bank.attachTeller(TELLER, device, []);
    const other = "02".repeat(16);
    const [first, second] = [PAY, other].map((payId) =>
      device.module.want(payId, CUSTOMER, 800, "EUR", "bob"),
    );
    device.say(first!);
    device.say(second!);
    await settle(bank);
    expect([PAY, other].map((payId) => device.module.payments.get(payId)?.state)).toEqual([2, 1]);
    expect((await balances(bank)).bob).toBe(200);
  });

  it("decides anew when the books changed between looking and writing", async () => {
    const store = memoryLedgerStore({});
    const { bank } = await openBank(store);
    const device = new TellerDevice();
    await bank.attachTeller(TELLER, device, []);
    device.pays = false;
    device.say(device.module.want(PAY, CUSTOMER, 400, "EUR", "alice"));
    await settle(bank);
    const { payment } = store;
    let looks = 0;
    store.payment = (...names) => {
      looks += 1;
      return looks === 1 ? undefined : payment(...names);
    };
    device.pays = true;
    // As the books know, this pay id was released: nothing more is granted under it.
    device.say(device.module.want(PAY, CUSTOMER, 300, "EUR", "alice"));
    await settle(bank);
    expect(device.module.paidMinor).toEqual({});
    expect(await balances(bank)).toMatchObject({ alice: 1000 });
  });

  it("asks about what was open when it starts again", async () => {
    const store = memoryLedgerStore({});
    const first = await openBank(store);
    const device = new TellerDevice();
    const stop = await first.bank.attachTeller(TELLER, device, []);
    device.lostAt = HostMessage.HOLD;
    device.say(device.module.want(PAY, CUSTOMER, 400, "EUR", "alice"));
    await settle(first.bank);
    expect((await first.bank.report()).open).toHaveLength(1);
    stop();
    device.lostAt = null;
    device.isPlugged = true;
    const { bank } = await openBank(store);
    await bank.attachTeller(TELLER, device, []);
    await settle(bank);
    expect(device.module.payments.get(PAY)).toMatchObject({ state: 1, noted: true });
    expect(await balances(bank)).toMatchObject({ alice: 1000, "in-transit:EUR": 0 });
  });

  it("a module says once that it aborted and the books miss it: it is asked again", async () => {
    const store = memoryLedgerStore({});
    const clock = new VirtualClock(0);
    const { bank, alarms } = await openBank(store, clock);
    const device = new TellerDevice();
    await bank.attachTeller(TELLER, device, []);
    const { apply } = store;
    // The module aborts, says so once, and the books cannot take it.
    device.pays = false;
    store.apply = (batch) =>
      batch.payment?.record.state === "released"
        ? Promise.reject(new Error("disk full"))
        : apply(batch);
    device.say(device.module.want(PAY, CUSTOMER, 400, "EUR", "alice"));
    await settle(bank);
    expect(alarms).toHaveLength(1);
    expect(await balances(bank)).toMatchObject({ alice: 600, "in-transit:EUR": 400 });
    store.apply = apply;
    clock.advance(OPEN_ROUND_MS - 1);
    await settle(bank);
    expect((await bank.report()).open).toHaveLength(1);
    clock.advance(1);
    await settle(bank);
    expect(await balances(bank)).toMatchObject({ alice: 1000, "in-transit:EUR": 0 });
    // With nothing open it looks no more.
    clock.advance(OPEN_ROUND_MS);
    await settle(bank);
    expect(clock.nextTimerMs()).toBeNull();
  });

  it("asks about what was open when a module was started anew", async () => {
    const { bank } = await openBank();
    const device = new TellerDevice();
    await bank.attachTeller(TELLER, device, []);
    const wanted = device.module.want(PAY, CUSTOMER, 400, "EUR", "alice");
    device.module.payments.clear();
    device.say(wanted);
    await settle(bank);
    expect(await balances(bank)).toMatchObject({ alice: 600 });
    device.tell({ type: "restarted", target: "module", isStopped: true });
    await settle(bank);
    expect(await balances(bank)).toMatchObject({ alice: 600 });
    device.tell({ type: "restarted", target: "module", isStopped: false });
    await settle(bank);
    expect(await balances(bank)).toMatchObject({ alice: 1000, "in-transit:EUR": 0 });
  });

  it("lets a new device draw once it is admitted", async () => {
    const { bank } = await openBank();
    const device = new TellerDevice();
    await bank.attachTeller(TELLER, device, []);
    const stranger = "00000000000000cc";
    const ask = async (payId: string) => {
      device.say(device.module.want(payId, stranger, 100, "EUR", "alice"));
      await settle(bank);
      return device.module.payments.get(payId)?.state;
    };
    expect(await ask(PAY)).toBe(1);
    await bank.admit("alice", stranger);
    expect(await ask("02".repeat(16))).toBe(2);
    await expect(bank.admit("reserve:EUR", stranger)).rejects.toThrow("unknown account");
  });

  it("books a card posting once and tells when it cannot", async () => {
    const { bank } = await openBank();
    const posting = {
      mandateHash: "aa".repeat(32),
      cardIssuer: "Card Bank",
      merchantAccount: "bob",
      direction: "buy" as const,
      amountMinor: 105,
      unit: "EUR",
    };
    await bank.bookCardPosting(posting);
    await bank.bookCardPosting(posting);
    expect(await balances(bank)).toMatchObject({ bob: 1105, "settlement:Card Bank:EUR": 105 });
    await expect(bank.bookCardPosting({ ...posting, amountMinor: 106 })).rejects.toThrow(
      "entry differs",
    );
  });

  it("raises an alarm when its books fail, and serves on", async () => {
    const store = memoryLedgerStore({});
    const { bank, alarms } = await openBank(store);
    const device = new TellerDevice();
    await bank.attachTeller(TELLER, device, []);
    const { apply } = store;
    store.apply = () => Promise.reject(new Error("disk full"));
    device.say(device.module.want(PAY, CUSTOMER, 400, "EUR", "alice"));
    await settle(bank);
    expect(alarms).toEqual(["The bank could not carry out an event: disk full"]);
    expect(device.module.payments.get(PAY)?.state).toBe(4);
    store.apply = apply;
    device.say(device.module.holdWanted(PAY));
    await settle(bank);
    expect(device.module.payments.get(PAY)).toMatchObject({ state: 2, noted: true });
  });
});
