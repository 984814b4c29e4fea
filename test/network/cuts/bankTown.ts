// SPDX-License-Identifier: Apache-2.0
// Two banks over one database, in virtual time: First issues, Second has a deposit there. Each is a
// host that may be killed and starts again from its books; tellers and the generator live on.
import { vi } from "vitest";
import { RequestKind } from "../../../host/application/hostPort.ts";
import { systemClock } from "../../../host/link/clock.ts";
import type { BankSettings } from "../../../host/network/bank/bank.ts";
import { type BankDevice, BankService } from "../../../host/network/bank/bankService.ts";
import { sqlLedgerStore } from "../../../host/network/bank/sqlLedger.ts";
import type { Database } from "../../../host/network/store/database.ts";
import { NOW_MS } from "../authorization-world.ts";
import { BankBoard, type End, order } from "./bankBoards.ts";
import { bury, type Death, type Host, liveThrough } from "./life.ts";
import { commandName } from "./merchantAgent.ts";
import { HostProcess, Knife, never, rest } from "./process.ts";

const [FIRST_TELLER, SECOND_TELLER, GENERATOR, CUSTOMER] = ["aa", "ac", "0f", "bb"].map((end) =>
  end.padStart(16, "0"),
) as [string, string, string, string];
export const CUSTOMERS_PAY_ID = "01".repeat(16);
/** What alice has at either bank. */
export const OPENING_MINOR = 1_000;
type BankName = "First" | "Second";

export interface BankPlan extends Death {
  /** Where alice goes, and what for (RequestKind). */
  readonly bank: BankName;
  readonly request: number;
  readonly amountMinor: number;
  readonly end: End;
  /** Lines count from the start of the banks on, or from when both are open. */
  readonly countsStart?: boolean;
}

export class BankTown {
  readonly knife: Knife;
  readonly tellers = { First: new BankBoard(), Second: new BankBoard() };
  readonly generator = new BankBoard();
  readonly alarms: string[] = [];
  isQuiet = false;
  /** The books about the customer's payment when its doubt ended. */
  duringDoubt: Promise<unknown> | undefined;
  private readonly hosts = new Map<BankName, Host>();
  private readonly database: Database;
  private readonly plan: BankPlan;
  private orders = 0;

  private constructor(database: Database, plan: BankPlan) {
    this.database = database;
    this.plan = plan;
    this.knife = new Knife(plan.cutAt, plan.isCoarse);
    const teller = this.tellers[plan.bank];
    teller.end = plan.end;
    teller.onDoubtOver = () => {
      const id = plan.bank === "First" ? FIRST_TELLER : SECOND_TELLER;
      const payment = sqlLedgerStore(database).payment(plan.bank, id, CUSTOMERS_PAY_ID);
      this.duringDoubt = Promise.resolve(payment).then((record) => record?.state);
    };
  }

  /** Lives through the plan, from empty books to a quiet end. */
  static async live(database: Database, plan: BankPlan): Promise<BankTown> {
    for (const table of ["lines", "entries", "payments", "accounts"]) {
      await database.query(`DELETE FROM ledger_${table}`);
    }
    vi.setSystemTime(NOW_MS);
    const town = new BankTown(database, plan);
    try {
      await town.run();
    } finally {
      for (const { end } of town.hosts.values()) end();
      vi.clearAllTimers();
    }
    return town;
  }

  private async run(): Promise<void> {
    this.knife.isCounting = this.plan.countsStart === true;
    for (const name of ["First", "Second"] as const) {
      void this.start(name);
      await rest(this.knife);
    }
    this.knife.isCounting = true;
    const { bank, request, amountMinor } = this.plan;
    const account = request === RequestKind.REFRESH ? null : "alice";
    setTimeout(() => {
      void this.tellers[bank].want(CUSTOMERS_PAY_ID, CUSTOMER, amountMinor, account, request);
    }, 1_000);
    this.isQuiet = await liveThrough(this.knife, () => {
      bury(this.knife, this.hosts, this.plan, (name) => this.start(name));
      vi.advanceTimersToNextTimer();
    });
  }

  private async start(name: BankName): Promise<void> {
    const process = new HostProcess(name, this.knife);
    const stops: (() => void)[] = [];
    const end = () => {
      for (const stop of stops) stop();
    };
    this.hosts.set(name, { process, end });
    const isIssuer = name === "First";
    const own = isIssuer ? FIRST_TELLER : SECOND_TELLER;
    const settings: BankSettings = {
      bank: name,
      tellers: [own],
      generators: isIssuer ? [GENERATOR] : [],
      correspondentTellers: isIssuer ? { [SECOND_TELLER]: "Second" } : {},
      correspondentGenerators: isIssuer ? {} : { [GENERATOR]: "First" },
      issuers: { EUR: ["First"] },
    };
    const service = new BankService(settings, sqlLedgerStore(process.over(this.database)), {
      nowSeconds: () => Math.floor(Date.now() / 1000),
      clock: systemClock,
      moduleRoot: { id: new Uint8Array(8), key: new Uint8Array(32) },
      onAlarm: (text) => this.alarms.push(text),
      onConviction: () => Promise.resolve(),
      onAcquittal: () => Promise.resolve(),
    });
    const alice = { account: "alice", owner: "alice", unit: "EUR", drawers: [CUSTOMER] };
    await service.open(["EUR"], [{ ...alice, openingMinor: OPENING_MINOR }]);
    const line = {
      bank: "First",
      units: ["EUR"],
      order: async (request: number, amountMinor: number) => {
        await process.comesTo("before order");
        this.orders += 1;
        const payId = this.orders.toString(16).padStart(32, "f");
        const ids = { payId, teller: own, generator: GENERATOR };
        const { generator, tellers } = this;
        const result = await order(tellers[name], generator, ids, amountMinor, request);
        await process.comesTo("after order");
        return result;
      },
    };
    const attached = service.attachTeller(own, this.deviceOf(process, this.tellers[name], stops), [
      line,
    ]);
    stops.push(await attached);
    if (!isIssuer) return;
    stops.push(
      await service.attachGenerator(GENERATOR, this.deviceOf(process, this.generator, stops)),
    );
  }

  /** A module on its host's own line. */
  private deviceOf(process: HostProcess, board: BankBoard, stops: (() => void)[]): BankDevice {
    return {
      command: async (_target, body) => {
        const answer = process.does(commandName(body), () => board.command(body));
        return answer !== undefined && process.isAlive ? answer : never();
      },
      onEvent: (listener) => {
        const stop = board.onEvent((event) => {
          if (process.isAlive) listener(event);
        });
        stops.push(stop);
        return stop;
      },
    };
  }
}
