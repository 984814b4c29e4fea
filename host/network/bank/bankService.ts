// SPDX-License-Identifier: Apache-2.0
// The shell around bank.ts: modules behind their devices, the books behind a store, one event after
// the other. Whatever was open when the process ended is asked about as soon as a module is there.
import type { TransactionDevice } from "../../device/types.ts";
import {
  type BankDecision,
  type BankEffect,
  type BankSettings,
  closeQuestions,
  decideMessage,
  parseModuleMessage,
} from "./bank.ts";
import {
  type CardPosting,
  cardPostingBatch,
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

/** The part of a device that the bank needs. */
export type BankDevice = Pick<TransactionDevice, "command" | "onEvent">;

export interface BankReport {
  readonly bank: string;
  readonly accounts: readonly Account[];
  readonly totals: readonly UnitTotals[];
  readonly open: readonly PaymentRecord[];
}

export interface BankOptions {
  readonly nowSeconds: () => number;
  /** Told in one sentence what a person has to look at. */
  readonly onAlarm: (text: string) => void;
}

export class BankService {
  private readonly settings: BankSettings;
  private readonly store: LedgerStore;
  private readonly options: BankOptions;
  private readonly devices = new Map<string, BankDevice>();
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
    const { bank } = this.settings;
    const openings = deposits.map((deposit) => openDepositBatch(bank, deposit, now));
    for (const batch of [openBankBatch(bank, units), ...openings]) await this.book(batch);
  }

  /** Lets a customer's money module draw on an account. */
  async admit(account: string, module: string): Promise<void> {
    await this.book({ bank: this.settings.bank, admit: { account, module } });
  }

  /** Books a card authorization that its issuer posted; repeated, it is booked once. */
  async bookCardPosting(posting: CardPosting): Promise<void> {
    await this.book(cardPostingBatch(this.settings.bank, posting, this.options.nowSeconds()));
  }

  /**
   * Serves a teller or generator, whose id (hexadecimal) the settings name. Its open payments are
   * asked about now, and again whenever its link comes up or it is started anew.
   * @returns a function that ends the service
   */
  async attach(module: string, device: BankDevice): Promise<() => void> {
    const stop = device.onEvent((event) => {
      if (event.type === "message" && event.target === "module") this.receive(module, event.body);
      // A module that started anew has forgotten what it had not promised, and says so when asked.
      const isAnew = event.type === "restarted" && event.target === "module" && !event.isStopped;
      if (event.type === "linkUp" || isAnew) this.enqueue(() => this.askOpenPayments(module));
    });
    this.devices.set(module, device);
    this.enqueue(() => this.askOpenPayments(module));
    await this.settled();
    return () => {
      stop();
      this.devices.delete(module);
    };
  }

  async report(): Promise<BankReport> {
    const { bank } = this.settings;
    return {
      bank,
      accounts: await this.store.accounts(bank),
      totals: await this.store.trialBalance(bank),
      open: await this.store.openPayments(bank),
    };
  }

  /** Resolves when every event so far is worked off. */
  settled(): Promise<void> {
    return this.queue;
  }

  private receive(module: string, body: Uint8Array): void {
    const message = parseModuleMessage(body);
    if (message === undefined) return;
    this.enqueue(async () => {
      for (;;) {
        const payment = await this.store.payment(this.settings.bank, module, message.payId);
        const now = this.options.nowSeconds();
        const decision = decideMessage(this.settings, module, message, payment, now);
        if (await this.carryOut(decision)) return;
      }
    });
  }

  private async askOpenPayments(module: string): Promise<void> {
    const open = await this.store.openPayments(this.settings.bank);
    this.perform(closeQuestions(open.filter((payment) => payment.module === module)));
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
      else this.send(effect.module, effect.body);
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

  private enqueue(work: () => Promise<void>): void {
    this.queue = this.queue.then(work).catch((error: unknown) => {
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
