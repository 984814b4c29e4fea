// SPDX-License-Identifier: Apache-2.0
// The shell around bank.ts: modules behind their devices, the books behind a store, one event after
// the other. Whatever was open when the process ended is asked about as soon as a module is there.
import { randomBytes } from "node:crypto";
import { bytesToHex } from "@noble/hashes/utils.js";
import { moduleLog } from "../../application/deviceLogs.ts";
import type { TransactionDevice } from "../../device/types.ts";
import type { Clock, Timer } from "../../link/clock.ts";
import type { Root } from "../../trust/certificates.ts";
import {
  type BankDecision,
  type BankEffect,
  type BankSettings,
  closeQuestions,
  decideMessage,
  decideRefusal,
  holdAnswer,
  OPEN_ROUND_MS,
  overduePayments,
} from "./bank.ts";
import {
  type CardPosting,
  cardPostingBatch,
  correspondentAccount,
  correspondentBatches,
  type DepositOpening,
  openBankBatch,
  openDepositBatch,
} from "./chart.ts";
import type {
  Account,
  ApplyResult,
  LedgerBatch,
  LedgerStore,
  PaymentRecord,
  UnitTotals,
} from "./ledger.ts";
import { parseModuleMessage, refusalReason } from "./moduleMessages.ts";
import { judgeAborted } from "./abortedPayments.ts";
import type { AbortedStatement, Conviction } from "./redeemedNotes.ts";
import { RedemptionDesk } from "./redemptionDesk.ts";
import { DEFAULT_STOCK_POLICY, type StockEvent, type StockPolicy } from "./stock.ts";
import { type GeneratorLine, type OrderResult, TellerStock } from "./tellerStock.ts";
import { compareLog } from "./transactionReconciliation.ts";

/** The part of a device that the bank needs. */
export type BankDevice = Pick<TransactionDevice, "command" | "onEvent">;

/** Sessions that a module refused for one reason since the bank was opened (87). */
export interface SessionRefusals {
  readonly module: string;
  /** Reason of docs/protocol.cddl section 9. */
  readonly reason: number;
  readonly times: number;
  readonly lastSeconds: number;
}

export interface BankReport {
  readonly bank: string;
  readonly refusals: readonly SessionRefusals[];
  readonly accounts: readonly Account[];
  readonly totals: readonly UnitTotals[];
  readonly open: readonly PaymentRecord[];
}

export interface BankOptions {
  readonly nowSeconds: () => number;
  readonly clock: Pick<Clock, "after">;
  /** Root of the modules' certificates. */
  readonly moduleRoot: Root;
  /** Told in one sentence what a person has to look at. */
  readonly onAlarm: (text: string) => void;
  /** A module is to be put on the Certification Agency's list; told again at each start. */
  readonly onConviction: (conviction: Conviction) => Promise<void>;
  /** A module is not guilty after all, of anything that this bank knows. */
  readonly onAcquittal: (module: string) => Promise<void>;
  readonly policy?: StockPolicy;
}

export class BankService {
  private readonly settings: BankSettings;
  private readonly store: LedgerStore;
  private readonly options: BankOptions;
  private readonly devices = new Map<string, BankDevice>();
  private readonly stocks = new Map<string, TellerStock>();
  private readonly desks = new Map<string, RedemptionDesk>();
  /** By module: when it is asked about payments that stay open. */
  private readonly rounds = new Map<string, Timer>();
  /** By module and reason. */
  private readonly refusals = new Map<string, SessionRefusals>();
  /** The end of the last event's work: each event begins when the one before is done. */
  private queue: Promise<void> = Promise.resolve();

  constructor(settings: BankSettings, store: LedgerStore, options: BankOptions) {
    this.settings = settings;
    this.store = store;
    this.options = options;
  }

  /** Opens the bank's own accounts and the deposits; it may be repeated at each start. */
  async open(units: readonly string[], deposits: readonly DepositOpening[]): Promise<void> {
    const now = this.options.nowSeconds();
    const { bank, issuers } = this.settings;
    const openings = deposits.map((deposit) => openDepositBatch(bank, deposit, now));
    for (const batch of [openBankBatch(bank, units, issuers), ...openings]) await this.book(batch);
    // The agency hears of a conviction again, in case the process ended before it did.
    for (const conviction of await this.store.convictions(bank)) {
      await this.options.onConviction(conviction);
    }
  }

  /** Lets a customer's money module draw on an account. */
  async admit(account: string, module: string): Promise<void> {
    await this.book({ bank: this.settings.bank, admit: { account, module } });
  }

  /** Closes a customer's account: nothing new is drawn on it or paid into it. */
  async closeAccount(account: string): Promise<void> {
    await this.book({ bank: this.settings.bank, close: account });
  }

  /** Books a card authorization that its issuer posted; repeated, it is booked once. */
  async bookCardPosting(posting: CardPosting): Promise<void> {
    await this.book(cardPostingBatch(this.settings.bank, posting, this.options.nowSeconds()));
  }

  /**
   * Serves a teller, whose id (hexadecimal) the settings name. Its open payments are asked about
   * now, and again whenever its link comes up or it is started anew.
   * @param generators where its notes come from and go back to, in the order they are asked
   * @returns a function that ends the service
   */
  async attachTeller(
    module: string,
    device: BankDevice,
    generators: readonly GeneratorLine[],
  ): Promise<() => void> {
    const stock = new TellerStock({
      device,
      generators,
      policy: this.options.policy ?? DEFAULT_STOCK_POLICY,
      fund: (issuer, unit, amountMinor) => this.fund(issuer, unit, amountMinor),
      answer: (payId, isGranted) => this.answerHold(module, payId, isGranted),
      clock: this.options.clock,
      onAlarm: this.options.onAlarm,
    });
    this.stocks.set(module, stock);
    const stop = await this.attach(module, device);
    for (const unit of Object.keys(this.settings.issuers)) {
      stock.take({ type: "tidy", unit, broughtMinor: 0 });
    }
    return () => {
      stop();
      this.stocks.delete(module);
    };
  }

  /** Serves a generator likewise; what lies in it is reconciled. */
  async attachGenerator(module: string, device: BankDevice): Promise<() => void> {
    const desk = new RedemptionDesk({
      bank: this.settings.bank,
      generator: module,
      device,
      store: this.store,
      ...this.options,
      reviewAborted: (statement) => this.takeAborted(statement),
    });
    this.desks.set(module, desk);
    const stop = await this.attach(module, device);
    desk.request();
    return () => {
      stop();
      this.desks.delete(module);
    };
  }

  /** Has the generator issue notes into the first teller's stock. */
  async issue(unit: string, amountMinor: number): Promise<OrderResult> {
    const stock = this.stocks.get(this.settings.tellers[0] ?? "");
    if (stock !== undefined) return stock.issue(unit, amountMinor);
    return { isDone: false, reason: "the bank's teller is not attached", reasonNumber: 0 };
  }

  /**
   * Takes the signed word of a payment's decider that it was aborted, which the Certification
   * Agency has verified: who paid the same money again is not guilty, who spent it is. Repeated, it
   * changes nothing.
   */
  async takeAborted(statement: AbortedStatement): Promise<void> {
    const { bank } = this.settings;
    const before = await this.store.convictions(bank);
    const transfers = await this.store.transfersOf(bank, statement.payId);
    const now = this.options.nowSeconds();
    const { finding, alarms } = judgeAborted(statement, transfers, before, now);
    const known = await this.store.aborted(bank);
    await this.book({ bank, aborted: finding });
    const after = await this.store.convictions(bank);
    const guilty = new Set(after.map(({ module }) => module));
    for (const { module } of before)
      if (!guilty.has(module)) await this.options.onAcquittal(module);
    for (const conviction of finding.convictions) await this.options.onConviction(conviction);
    if (!known.some(({ hash }) => hash === statement.hash)) alarms.forEach(this.options.onAlarm);
  }

  async report(): Promise<BankReport> {
    const { bank } = this.settings;
    return {
      bank,
      refusals: [...this.refusals.values()],
      accounts: await this.store.accounts(bank),
      totals: await this.store.trialBalance(bank),
      open: await this.store.openPayments(bank),
    };
  }

  /**
   * Transaction reconciliation: one sentence for each payment that modules and books tell apart.
   */
  async compareLogs(): Promise<string[]> {
    const payments = await this.store.payments(this.settings.bank);
    const problems: string[] = [];
    for (const [module, device] of this.devices) {
      problems.push(...compareLog(module, await moduleLog(device), payments));
    }
    return problems;
  }

  /** Resolves when every event so far is worked off, and what it began in the modules too. */
  async settled(): Promise<void> {
    await this.queue;
    for (const stock of this.stocks.values()) await stock.settled();
    await this.queue;
    for (const desk of this.desks.values()) await desk.settled();
  }

  private async attach(module: string, device: BankDevice): Promise<() => void> {
    const stop = device.onEvent((event) => {
      if (event.type === "message" && event.target === "module") this.receive(module, event.body);
      // A module that started anew has forgotten what it had not promised, and says so when asked.
      const isAnew = event.type === "restarted" && event.target === "module" && !event.isStopped;
      if (event.type === "linkUp" || isAnew) {
        this.enqueue(() => this.askOpenPayments(module));
        this.stocks.get(module)?.take({ type: "restarted" });
        this.desks.get(module)?.request();
      }
    });
    this.devices.set(module, device);
    this.enqueue(() => this.askOpenPayments(module));
    await this.queue;
    return () => {
      stop();
      this.devices.delete(module);
      this.rounds.get(module)?.cancel();
      this.rounds.delete(module);
    };
  }

  private receive(module: string, body: Uint8Array): void {
    const reason = refusalReason(body);
    if (reason !== undefined) this.countRefusal(module, reason);
    const message = parseModuleMessage(body);
    if (message === undefined) return;
    this.enqueue(() =>
      this.decide(module, message.payId, (payment, now) =>
        decideMessage(this.settings, module, message, payment, now),
      ),
    );
  }

  private countRefusal(module: string, reason: number): void {
    const key = `${module}/${reason}`;
    const times = (this.refusals.get(key)?.times ?? 0) + 1;
    this.refusals.set(key, { module, reason, times, lastSeconds: this.options.nowSeconds() });
  }

  /** The stock's word on a payment that waited for notes. */
  private answerHold(module: string, payId: string, isGranted: boolean): void {
    if (isGranted) {
      this.perform([holdAnswer(module, payId, true)]);
      return;
    }
    this.enqueue(() =>
      this.decide(module, payId, (payment, now) => decideRefusal(this.settings, payment, now)),
    );
  }

  /** Decides about a payment as the books have it, anew if they changed before it was written. */
  private async decide(
    module: string,
    payId: string,
    decideOn: (payment: PaymentRecord | undefined, nowSeconds: number) => BankDecision,
  ): Promise<void> {
    for (;;) {
      const payment = await this.store.payment(this.settings.bank, module, payId);
      const decision = decideOn(payment, this.options.nowSeconds());
      if (!(await this.carryOut(decision))) continue;
      if (decision.batch?.payment?.record.state === "held") await this.watchOpen(module);
      return;
    }
  }

  private async askOpenPayments(module: string): Promise<void> {
    this.perform(closeQuestions(await this.openPayments(module)));
    await this.watchOpen(module);
  }

  private async openPayments(module: string): Promise<PaymentRecord[]> {
    const open = await this.store.openPayments(this.settings.bank);
    return open.filter((payment) => payment.module === module);
  }

  /** As long as payments are open, asks about those that stay so. */
  private async watchOpen(module: string): Promise<void> {
    if (this.rounds.has(module) || !this.devices.has(module)) return;
    const open = await this.openPayments(module);
    if (open.length === 0) return;
    const before = open.map(({ payId }) => payId);
    const round = async () => {
      this.rounds.delete(module);
      this.perform(closeQuestions(overduePayments(await this.openPayments(module), before)));
      await this.watchOpen(module);
    };
    const timer = this.options.clock.after(OPEN_ROUND_MS, () => this.enqueue(round));
    this.rounds.set(module, timer);
  }

  /** False when the books changed in between, so that the decision must be taken anew. */
  private async carryOut({ batch, whenApplied, whenRefused }: BankDecision): Promise<boolean> {
    const result: ApplyResult = batch ? await this.store.apply(batch) : { status: "applied" };
    if (result.status === "conflict") return false;
    this.perform(result.status === "refused" ? whenRefused : whenApplied);
    return true;
  }

  private perform(effects: readonly BankEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "alarm") this.options.onAlarm(effect.text);
      else if (effect.type === "send") this.send(effect.module, effect.body);
      else if (effect.type === "reconcile") this.desks.get(effect.module)?.request();
      else for (const event of stockEvents(effect)) this.stocks.get(effect.module)?.take(event);
    }
  }

  /** Sends without waiting: what a module answers comes in like any other message. */
  private send(module: string, body: Uint8Array): void {
    // A module that cannot be reached asks or reports again; after a restart it is asked.
    this.devices
      .get(module)
      ?.command("module", body)
      .then((answer) => this.receive(module, answer))
      .catch(() => undefined);
  }

  /**
   * Pays into the bank's deposit at an issuer what is missing there for new notes, from reserve to
   * reserve. In turn with the modules' messages, so that the books know the last order's end.
   */
  private fund(issuer: string, unit: string, amountMinor: number): Promise<void> {
    const { bank } = this.settings;
    if (issuer === bank) return Promise.resolve();
    return this.inTurn(async () => {
      const own = await this.store.account(bank, correspondentAccount(issuer, unit));
      const missingMinor = amountMinor - (own?.balanceMinor ?? 0);
      if (missingMinor <= 0) return;
      const payment = `fund:${bytesToHex(new Uint8Array(randomBytes(16)))}`;
      const now = this.options.nowSeconds();
      const batches = correspondentBatches(payment, { bank, issuer, unit }, missingMinor, now);
      const result = await this.store.applyTogether(batches);
      if (result.status !== "applied") throw new Error(`${bank} could not pay into ${issuer}`);
    });
  }

  private inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.queue.then(work);
    this.queue = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  private enqueue(work: () => Promise<void>): void {
    this.inTurn(work).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      this.options.onAlarm(`The bank could not carry out an event: ${text}`);
    });
  }

  private async book(batch: LedgerBatch): Promise<void> {
    const result = await this.store.apply(batch);
    if (result.status === "refused") {
      throw new Error(`The books of ${batch.bank} refuse it: ${result.reason}.`);
    }
  }
}

/** What an effect of the books means to a teller's stock. */
export function stockEvents(
  effect: BankEffect & { type: "notes wanted" | "begun" | "ended" },
): StockEvent[] {
  if (effect.type === "notes wanted") return [{ type: "wanted", request: effect.request }];
  if (effect.type === "begun") return [{ type: "begun", payId: effect.payId }];
  const { payId, unit, broughtMinor } = effect;
  const ended: StockEvent = { type: "ended", payId };
  return broughtMinor > 0 ? [{ type: "tidy", unit, broughtMinor }, ended] : [ended];
}
