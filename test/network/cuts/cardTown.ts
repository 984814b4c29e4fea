// SPDX-License-Identifier: Apache-2.0
// A shop with its bank's books, a switch and a card issuer: the real shells over a real database,
// on lines in memory and virtual time, each a host that may be killed and starts again from what
// its store has. Whoever uses it replaces node:net by memoryNet.ts and setTimeout by fake timers.
import { vi } from "vitest";
import { type MerchantOptions, MerchantService } from "../../../host/application/merchant.ts";
import { bookSettlement } from "../../../host/economy/merchants.ts";
import { systemClock } from "../../../host/link/clock.ts";
import { Acquirer } from "../../../host/network/authorization/acquirer.ts";
import { IssuerHost } from "../../../host/network/authorization/issuerHost.ts";
import type { Mandate } from "../../../host/network/authorization/signedObjects.ts";
import { SwitchHost } from "../../../host/network/authorization/switchHost.ts";
import { BankService } from "../../../host/network/bank/bankService.ts";
import type { LedgerStore } from "../../../host/network/bank/ledger.ts";
import { sqlIssuerStore } from "../../../host/network/bank/sqlIssuerStore.ts";
import { sqlLedgerStore } from "../../../host/network/bank/sqlLedger.ts";
import type { Database } from "../../../host/network/store/database.ts";
import {
  accounts,
  acquirerKey,
  identity,
  issuerConfig,
  MERCHANT,
  NOW_MS,
  switchConfig,
} from "../authorization-world.ts";
import { commandName, MerchantAgent, type Money } from "./merchantAgent.ts";
import { bury, type Death, type Host, liveThrough } from "./life.ts";
import { type LineFault, Net, useNet } from "./memoryNet.ts";
import { HostProcess, Knife, never, rest } from "./process.ts";

const ISSUER_PORT = 5001;
const SWITCH_PORT = 5002;
const SHOP_BANK = "Shop Bank";

export interface Plan extends Death {
  readonly mandate: Mandate;
  readonly money: Money;
  /** The command of the shop's host at which its device leaves, and whether without its power. */
  readonly leaves?: { readonly at: number; readonly losesPower: boolean };
  /** The write to the bank's books that fails, from 1. */
  readonly booksFailAt?: number;
  /** The message that something happens to, and what. */
  readonly faultAt?: number;
  readonly fault?: LineFault;
}

type HostName = "shop" | "switch" | "issuer";

export class CardTown {
  readonly knife: Knife;
  readonly net: Net;
  readonly agent: MerchantAgent;
  readonly alarms: string[] = [];
  /** Commands that the shop's hosts gave to their device. */
  commands = 0;
  /** Nobody repeats anything any more. */
  isQuiet = false;
  private booked = 0;
  /** What the card issuer's books showed when a doubt ended. */
  duringDoubt: Promise<unknown> | undefined;
  private readonly database: Database;
  private readonly plan: Plan;
  private readonly hosts = new Map<HostName, Host>();

  private constructor(database: Database, plan: Plan) {
    this.database = database;
    this.plan = plan;
    this.knife = new Knife(plan.cutAt, plan.isCoarse);
    this.net = new Net(plan.faultAt, plan.fault);
    this.agent = new MerchantAgent(plan.mandate, plan.money);
    this.agent.onDoubtOver = () => {
      this.duringDoubt = this.cardState();
    };
  }

  /** Lives through the plan, from an empty database to a quiet end. */
  static async live(database: Database, plan: Plan): Promise<CardTown> {
    const tables = "card_transactions card_voided_mandates card_accounts ledger_lines";
    const books = "ledger_entries ledger_payments ledger_accounts";
    for (const table of `${tables} ${books}`.split(" "))
      await database.query(`DELETE FROM ${table}`);
    await sqlIssuerStore(database).apply(
      accounts().map((account) => ({ kind: "putAccount", account })),
    );
    vi.setSystemTime(NOW_MS);
    const town = new CardTown(database, plan);
    useNet(town.net);
    try {
      await town.run();
    } finally {
      for (const { end } of town.hosts.values()) end();
      await rest(town.knife);
      vi.clearAllTimers();
    }
    return town;
  }

  private async cardState() {
    const [row] = await this.database.query("SELECT state FROM card_transactions");
    const held = "SELECT held_debit_minor + held_credit_minor AS held FROM card_accounts";
    const sums = await this.database.query(`${held} ORDER BY card_number`);
    return { state: row?.state, heldMinor: Number(sums[0]?.held) };
  }

  private async run(): Promise<void> {
    // A start that is cut short never ends.
    for (const name of ["issuer", "switch", "shop"] as const) {
      void this.start(name);
      await rest(this.knife);
    }
    setTimeout(() => this.agent.begin(), 1_000);
    this.isQuiet = await liveThrough(this.knife, () => {
      const start = (name: HostName) => this.start(name);
      bury(this.knife, this.hosts, this.plan, start, (name, process) => {
        this.net.bury(process);
        if (name === "shop") this.agent.unplug();
      });
      if (!this.net.next()) vi.advanceTimersToNextTimer();
    });
  }

  private async start(name: HostName): Promise<void> {
    const process = new HostProcess(name, this.knife);
    const database = process.over(this.database);
    const host = "127.0.0.1";
    if (name === "issuer") {
      this.net.listeners.set(ISSUER_PORT, process);
      const nowS = () => Math.floor(Date.now() / 1000);
      const store = sqlIssuerStore(database);
      const config = issuerConfig;
      const where = { isOwnCard: () => true, host, port: ISSUER_PORT };
      const issuer = await IssuerHost.start({ config, store, nowS, ...where });
      this.hosts.set(name, { process, end: () => void issuer.close() });
    } else if (name === "switch") {
      this.net.callers.set(ISSUER_PORT, process);
      this.net.listeners.set(SWITCH_PORT, process);
      const issuerAddresses = { bank: { host, port: ISSUER_PORT } };
      const options = { config: switchConfig, host, port: SWITCH_PORT, issuerAddresses };
      const network = await SwitchHost.start(options);
      this.hosts.set(name, { process, end: () => void network.close() });
    } else await this.startShop(process, database);
  }

  private async startShop(process: HostProcess, database: Database): Promise<void> {
    this.net.callers.set(SWITCH_PORT, process);
    const timing = { firstRetryMs: 2_000, longestRetryMs: 15_000, holdPatienceMs: 20_000 };
    const acquirer = new Acquirer({
      config: { ...identity, linkKey: acquirerKey, ...timing },
      host: "127.0.0.1",
      port: SWITCH_PORT,
      firstTrace: Math.floor(Date.now() / 1000) % 1_000_000,
    });
    const ledger = this.failing(sqlLedgerStore(database));
    const onAlarm = (text: string) => {
      this.alarms.push(text);
    };
    const settings = { bank: SHOP_BANK, tellers: [], generators: [] };
    const nobody = { correspondentTellers: {}, correspondentGenerators: {}, issuers: {} };
    const service = new BankService({ ...settings, ...nobody }, ledger, {
      nowSeconds: () => Math.floor(Date.now() / 1000),
      clock: systemClock,
      moduleRoot: { id: new Uint8Array(8), key: new Uint8Array(32) },
      onAlarm,
      onConviction: () => Promise.resolve(),
      onAcquittal: () => Promise.resolve(),
    });
    const register = { of: () => [{ subject: "", authority: "" }] };
    const base = { database, ledger, register } as unknown as Parameters<typeof bookSettlement>[0];
    const merchant = new MerchantService({
      device: this.deviceOf(process),
      clock: systemClock,
      acquirer,
      agentId: MERCHANT,
      onSettled: (settlement) =>
        bookSettlement(base, { name: SHOP_BANK, service }, "Shop", settlement),
      onShort: () => undefined,
      onReceived: () => undefined,
      onServed: () => undefined,
      onAlarm,
    });
    const end = () => {
      merchant.close();
      acquirer.close();
    };
    this.hosts.set("shop", { process, end });
    await merchant.open().catch((error: Error) => onAlarm(error.message));
  }

  /** The books, one write of which fails as on a full disk. */
  private failing(ledger: LedgerStore): LedgerStore {
    return {
      ...ledger,
      apply: async (batch) => {
        this.booked += 1;
        if (this.booked === this.plan.booksFailAt) throw new Error("the disk is full");
        return ledger.apply(batch);
      },
    };
  }

  /** The merchant's device on the shop's own line. */
  private deviceOf(process: HostProcess): MerchantOptions["device"] {
    const { agent } = this;
    const give = (body: Uint8Array) => {
      this.commands += 1;
      const { leaves } = this.plan;
      if (this.commands === leaves?.at) agent.leave(leaves.losesPower);
      return process.does(commandName(body), () => agent.command(body));
    };
    return {
      command: async (_target, body) => {
        const answer = give(body);
        if (!process.isAlive) return never();
        if (answer === undefined) throw new Error("the device is not there");
        return answer;
      },
      send: (_target, body) => {
        give(body);
      },
      onEvent: (listener) =>
        agent.onEvent((event) => {
          if (process.isAlive) listener(event);
        }),
    };
  }
}
