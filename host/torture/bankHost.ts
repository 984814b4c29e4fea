// SPDX-License-Identifier: Apache-2.0
// The host of a bank in a world (docs/protocol.md section 6, Ledger): its decisions, its books in
// memory and its teller's stock, put together as network/bank/bankService.ts and tellerStock.ts put
// them together around devices and databases. One event at a time, over plain state.
import {
  ExportKind,
  FieldReader,
  HostMessage,
  HostPortError,
  hostBody,
  parseHostBody,
} from "../application/hostPort.ts";
import { readBalances } from "../application/wallet.ts";
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
} from "../network/bank/bank.ts";
import { stockEvents } from "../network/bank/bankService.ts";
import type { PaymentRecord } from "../network/bank/ledger.ts";
import { applyToState, type BankBooks, type LedgerState } from "../network/bank/memoryLedger.ts";
import { parseModuleMessage } from "../network/bank/moduleMessages.ts";
import {
  DEFAULT_STOCK_POLICY,
  newStock,
  type Stock,
  type StockEvent,
  type StockState,
  stepStock,
} from "../network/bank/stock.ts";
import type { Root } from "../trust/certificates.ts";
import { parseNote } from "../trust/notes.ts";
import { type Desk, RedemptionWork } from "./redemptionWork.ts";
import { encodedOnce } from "./remembered.ts";

/** A command's answer is waited for so long (host/device/device.ts). */
const PATIENCE_MS = 30_000;

/** Who the bank is; it does not change in a run. */
export interface BankConfig {
  readonly settings: BankSettings;
  /** Ids of its teller's and generator's modules, 16 hexadecimal digits. */
  readonly teller: string;
  readonly generator: string;
  /** Root of the modules' certificates. */
  readonly moduleRoot: Root;
}

/** A look into the teller's module that is under way: balances first, then note by note. */
interface Look {
  readonly unit: string;
  readonly countsNotes: boolean;
  /** What its module has spendable and to refresh; null until it has answered. */
  readonly sums: readonly [number, number] | null;
  readonly notes: number;
  /** Request whose answer is awaited, and until when (virtual time). */
  readonly request: number | null;
  readonly untilMs: number;
}

/** A bank's host at one moment; a value. */
export interface BankHost {
  /** What its store keeps. All else is forgotten when the host dies. */
  readonly ledger: LedgerState;
  readonly stock: StockState;
  readonly look: Look | null;
  readonly desk: Desk | null;
  /** When it looks for what is open next, and what was open then. */
  readonly round: { readonly atMs: number; readonly payIds: readonly string[] } | null;
  /** What a person has to look at. */
  readonly alarms: readonly string[];
}

/** A command for a module of the bank; its answer is waited for where it is asked. */
export interface BankCommand {
  /** The module's id. */
  readonly module: string;
  readonly body: Uint8Array;
  readonly isAsked: boolean;
}

/** A host that has just begun over these books. */
export function newBankHost(ledger: LedgerState): BankHost {
  return { ledger, stock: newStock(), look: null, desk: null, round: null, alarms: [] };
}

/** The same books, to be changed apart from these; no record in them is changed itself. */
export function copyLedger(ledger: LedgerState): LedgerState {
  const copy = ({ convictions, ...books }: BankBooks): BankBooks => ({
    accounts: { ...books.accounts },
    entries: { ...books.entries },
    payments: { ...books.payments },
    leaves: { ...books.leaves },
    transfers: { ...books.transfers },
    convictions: [...convictions],
    aborted: { ...books.aborted },
  });
  return Object.fromEntries(Object.entries(ledger).map(([bank, books]) => [bank, copy(books)]));
}

/** Payments that the books hold. */
export function openPayments(ledger: LedgerState, bank: string): PaymentRecord[] {
  return Object.values(ledger[bank]!.payments).filter(({ state }) => state === "held");
}

/** One event of the bank's host. */
export class BankWork {
  /** What it says to its modules, in order. */
  readonly sent: BankCommand[] = [];
  private readonly config: BankConfig;
  private readonly nowMs: number;
  private readonly epochMs: number;
  private readonly ledger: LedgerState;
  private readonly stock: StockState;
  private readonly alarms: string[];
  private look: Look | null;
  private desk: Desk | null;
  private round: BankHost["round"];

  /** `nowMs`: the world's virtual time; `epochMs`: its date. */
  constructor(config: BankConfig, host: BankHost, nowMs: number, epochMs: number) {
    this.config = config;
    this.nowMs = nowMs;
    this.epochMs = epochMs;
    this.ledger = copyLedger(host.ledger);
    this.stock = structuredClone(host.stock);
    this.alarms = [...host.alarms];
    this.look = host.look;
    this.desk = host.desk;
    this.round = host.round;
  }

  /** The host's state behind the event. */
  get host(): BankHost {
    const { ledger, stock, look, desk, alarms } = this;
    const payIds = this.open().map(({ payId }) => payId);
    const next = payIds.length === 0 ? null : { atMs: this.nowMs + OPEN_ROUND_MS, payIds };
    return { ledger, stock, look, desk, alarms, round: this.round ?? next };
  }

  /** A module said something, decoded, in the course of a request (docs/link.md). */
  told(module: string, said: readonly unknown[], request: number): void {
    const bytes = encodedOnce(said);
    const { settings, generator, teller } = this.config;
    if (module === teller && this.look?.request === request) {
      this.answered(bytes);
      return;
    }
    if (module === generator && this.desk?.request === request) {
      this.desk = this.redemption().answered(this.desk, bytes);
      return;
    }
    const message = parseModuleMessage(bytes);
    if (message === undefined) return;
    this.decide(module, message.payId, (payment, nowSeconds) =>
      decideMessage(settings, module, message, payment, nowSeconds),
    );
  }

  /** The host has begun to serve a module: what is open is asked about, and the rest looked at. */
  attached(module: string): void {
    this.ask(this.open().filter((payment) => payment.module === module));
    if (module === this.config.generator) this.reconcile();
    if (module !== this.config.teller) return;
    for (const unit of Object.keys(this.config.settings.issuers)) {
      this.take({ type: "tidy", unit, broughtMinor: 0 });
    }
  }

  /** A module's link is up again: it may have forgotten what it had not promised. */
  linkUp(module: string): void {
    this.ask(this.open().filter((payment) => payment.module === module));
    if (module === this.config.teller) this.take({ type: "restarted" });
    if (module === this.config.generator) this.reconcile();
  }

  /** A module's link is down: what was asked is not answered. */
  linkDown(module: string): void {
    if (module === this.config.teller && this.look !== null) this.looked(null);
    if (module === this.config.generator && this.desk !== null) {
      this.desk = this.redemption().over(this.desk);
    }
  }

  /** Time has come to what was waited for. */
  tick(): void {
    if (this.look !== null && this.look.untilMs <= this.nowMs) this.looked(null);
    const { desk } = this;
    if (desk !== null && desk.untilMs <= this.nowMs) this.desk = this.redemption().over(desk);
    if (this.round === null || this.round.atMs > this.nowMs) return;
    this.ask(overduePayments(this.open(), this.round.payIds));
    this.round = null;
  }

  /** The question to this module went under this request. */
  asked(module: string, request: number): void {
    if (module === this.config.teller && this.look !== null) this.look = { ...this.look, request };
    if (module === this.config.generator && this.desk !== null) {
      this.desk = { ...this.desk, request };
    }
  }

  private open(): PaymentRecord[] {
    return openPayments(this.ledger, this.config.settings.bank);
  }

  private ask(open: readonly PaymentRecord[]): void {
    this.perform(closeQuestions(open));
  }

  private reconcile(): void {
    this.desk = this.redemption().request(this.desk);
  }

  private redemption(): RedemptionWork {
    const { settings, generator, moduleRoot } = this.config;
    return new RedemptionWork({
      bank: settings.bank,
      generator,
      moduleRoot,
      ledger: this.ledger,
      nowSeconds: Math.floor(this.epochMs / 1000),
      untilMs: this.nowMs + PATIENCE_MS,
      ask: (number, ...fields) => {
        this.sent.push({ module: generator, body: hostBody(number, ...fields), isAsked: true });
      },
      alarm: (text) => this.alarms.push(text),
    });
  }

  private decide(
    module: string,
    payId: string,
    decideOn: (payment: PaymentRecord | undefined, nowSeconds: number) => BankDecision,
  ): void {
    const { settings } = this.config;
    const payment = this.ledger[settings.bank]!.payments[`${module}/${payId}`];
    const nowSeconds = Math.floor(this.epochMs / 1000);
    const { batch, whenApplied, whenRefused } = decideOn(payment, nowSeconds);
    const status = batch === undefined ? "applied" : applyToState(this.ledger, batch).status;
    if (status === "conflict") throw new Error("The bank decided by books that it does not have.");
    this.perform(status === "refused" ? whenRefused : whenApplied);
  }

  private perform(effects: readonly BankEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "alarm") this.alarms.push(effect.text);
      else if (effect.type === "send") {
        this.sent.push({ module: effect.module, body: effect.body, isAsked: false });
      } else if (effect.type === "reconcile") this.reconcile();
      else for (const one of stockEvents(effect)) this.take(one);
    }
  }

  private take(event: StockEvent): void {
    const { settings, teller } = this.config;
    for (const effect of stepStock(this.stock, event, DEFAULT_STOCK_POLICY)) {
      if (effect.type === "grant") this.perform([holdAnswer(teller, effect.payId, true)]);
      else if (effect.type === "refuse") {
        this.decide(teller, effect.payId, (payment, now) => decideRefusal(settings, payment, now));
      } else if (effect.type === "look") {
        const { unit, countsNotes } = effect;
        this.look = { unit, countsNotes, sums: null, notes: 0, request: null, untilMs: 0 };
        this.question(HostMessage.BALANCE);
      } else if (effect.type === "order") {
        const reason = "nobody orders for this stock";
        this.take({ type: "order over", isDone: false, isCrowded: false, reason });
      }
    }
  }

  private question(number: number, ...fields: unknown[]): void {
    this.look = { ...this.look!, request: null, untilMs: this.nowMs + PATIENCE_MS };
    const body = hostBody(number, ...fields);
    this.sent.push({ module: this.config.teller, body, isAsked: true });
  }

  /** As tellerStock.ts does: what the module does not say is not known. */
  private answered(bytes: Uint8Array): void {
    try {
      this.read(bytes);
    } catch (error) {
      if (!(error instanceof HostPortError)) throw error;
      this.looked(null);
    }
  }

  private read(bytes: Uint8Array): void {
    const { unit, countsNotes, sums, notes } = this.look!;
    const body = parseHostBody(bytes);
    if (body?.number !== (sums === null ? HostMessage.BALANCE : HostMessage.EXPORT)) {
      this.looked(null);
      return;
    }
    if (sums === null) {
      const own = readBalances(body).find((balance) => balance.unit === unit);
      const found = [own?.spendableMinor ?? 0, own?.refreshMinor ?? 0] as const;
      this.look = { ...this.look!, sums: found };
      if (countsNotes) this.question(HostMessage.EXPORT, ExportKind.NOTES, 0);
      else this.looked({ spendableMinor: found[0], refreshMinor: found[1], notes });
      return;
    }
    const reader = new FieldReader(body, "an exported item");
    reader.uint();
    const cursor = reader.uintOrNull();
    const item = reader.bytesOrNull();
    const isOwn = item !== null && parseNote(item)?.body.unit === unit;
    const counted = notes + (isOwn ? 1 : 0);
    this.look = { ...this.look!, notes: counted };
    if (cursor !== null) this.question(HostMessage.EXPORT, ExportKind.NOTES, cursor);
    else this.looked({ spendableMinor: sums[0], refreshMinor: sums[1], notes: counted });
  }

  private looked(stock: Stock | null): void {
    this.look = null;
    this.take({ type: "look", stock });
  }
}
