// SPDX-License-Identifier: Apache-2.0
// The shell around stock.ts: a teller's module behind its device, and the generators at which its
// bank orders. It says who may take notes, and never holds any.
import { ask } from "../../application/commandRunner.ts";
import { ExportKind, HostMessage, RequestKind } from "../../application/hostPort.ts";
import { exportItems, readBalances } from "../../application/wallet.ts";
import type { TransactionDevice } from "../../device/types.ts";
import type { Clock } from "../../link/clock.ts";
import { parseNote } from "../../trust/notes.ts";
import {
  isIdle,
  newStock,
  type Stock,
  type StockEffect,
  type StockEvent,
  type StockPolicy,
  stepStock,
} from "./stock.ts";

/** Reasons of docs/protocol.cddl section 9. */
const TOO_MANY_SESSIONS = 7;
const INSUFFICIENT_FUNDS = 29;
/** Time in which a session that took the place of an order has opened and says what it wants. */
const PAUSE_MS = 500;

/** How an order at a generator ended. */
export interface OrderResult {
  readonly isDone: boolean;
  /** One sentence without a final stop; empty where it is done. */
  readonly reason: string;
  /** Number of docs/protocol.cddl section 9. */
  readonly reasonNumber: number;
}

/** A generator that a bank's teller deals with. */
export interface GeneratorLine {
  /** The bank that issues by it. */
  readonly bank: string;
  readonly units: readonly string[];
  /** Has the teller's module carry out command 81, over a line to this generator. */
  order(
    request: typeof RequestKind.ISSUE | typeof RequestKind.REDEEM,
    amountMinor: number,
    unit: string,
  ): Promise<OrderResult>;
}

export interface TellerStockOptions {
  readonly device: Pick<TransactionDevice, "command">;
  /** In the order in which they are asked. */
  readonly generators: readonly GeneratorLine[];
  readonly policy: StockPolicy;
  /** Sees to it that new notes can be paid for at the bank that issues them. */
  readonly fund: (issuer: string, unit: string, amountMinor: number) => Promise<void>;
  /** The payment may take its notes, or is given up. */
  readonly answer: (payId: string, isGranted: boolean) => void;
  readonly clock: Pick<Clock, "after">;
  readonly onAlarm: (text: string) => void;
}

export class TellerStock {
  private readonly options: TellerStockOptions;
  private readonly state = newStock();
  private readonly issues = new Map<number, (result: OrderResult) => void>();
  private nextIssue = 1;
  private running = 0;
  private readonly idle: (() => void)[] = [];

  constructor(options: TellerStockOptions) {
    this.options = options;
  }

  take(event: StockEvent): void {
    for (const effect of stepStock(this.state, event, this.options.policy)) this.perform(effect);
    this.tellIdle();
  }

  /** Has notes issued into the stock, when it is this order's turn. */
  issue(unit: string, amountMinor: number): Promise<OrderResult> {
    const id = this.nextIssue++;
    return new Promise((resolve) => {
      this.issues.set(id, resolve);
      this.take({ type: "issue", order: { id, unit, amountMinor } });
    });
  }

  /** Resolves when nothing is under way. What waits for a payment to end is not. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.idle.push(resolve);
      this.tellIdle();
    });
  }

  private tellIdle(): void {
    if (this.running > 0 || !isIdle(this.state)) return;
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private perform(effect: StockEffect): void {
    if (effect.type === "grant" || effect.type === "refuse") {
      this.options.answer(effect.payId, effect.type === "grant");
    } else if (effect.type === "issue over") {
      const { id, isDone, reason } = effect;
      this.issues.get(id)?.({ isDone, reason, reasonNumber: 0 });
      this.issues.delete(id);
    } else if (effect.type === "look") {
      this.run(this.look(effect.unit, effect.countsNotes), (stock) => ({ type: "look", stock }));
    } else if (effect.type === "pause") {
      this.run(this.pause(), () => ({ type: "pause over" }));
    } else {
      this.run(this.order(effect), ({ isDone, reason, reasonNumber }) => {
        const isCrowded = !isDone && reasonNumber === TOO_MANY_SESSIONS;
        return { type: "order over", isDone, isCrowded, reason };
      });
    }
  }

  private run<Result>(work: Promise<Result>, eventOf: (result: Result) => StockEvent): void {
    this.running += 1;
    work.then((result) => {
      this.running -= 1;
      this.take(eventOf(result));
    });
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      this.options.clock.after(PAUSE_MS, resolve);
    });
  }

  /** What the module has; null where it does not say. */
  private async look(unit: string, countsNotes: boolean): Promise<Stock | null> {
    const { device } = this.options;
    try {
      const balances = readBalances(await ask(device, "module", HostMessage.BALANCE));
      const own = balances.find((balance) => balance.unit === unit);
      const items = countsNotes ? await exportItems(device, ExportKind.NOTES, "module") : [];
      return {
        spendableMinor: own?.spendableMinor ?? 0,
        refreshMinor: own?.refreshMinor ?? 0,
        notes: items.filter((bytes) => parseNote(bytes)?.body.unit === unit).length,
      };
    } catch {
      return null;
    }
  }

  private async order(effect: StockEffect & { type: "order" }): Promise<OrderResult> {
    const { kind, unit, amountMinor } = effect;
    let result: OrderResult = { isDone: false, reason: `no bank issues ${unit}`, reasonNumber: 0 };
    for (const generator of this.options.generators) {
      if (!generator.units.includes(unit)) continue;
      try {
        if (kind === "issue") await this.options.fund(generator.bank, unit, amountMinor);
        const request = kind === "issue" ? RequestKind.ISSUE : RequestKind.REDEEM;
        result = await generator.order(request, amountMinor, unit);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        result = { isDone: false, reason, reasonNumber: 0 };
      }
      // Notes are redeemed by their own issuer: of this one's there may be none in the stock.
      if (kind === "issue" || result.isDone || result.reasonNumber !== INSUFFICIENT_FUNDS) break;
    }
    if (!result.isDone && kind === "redeem" && result.reasonNumber !== TOO_MANY_SESSIONS) {
      this.options.onAlarm(`Notes of ${unit} could not be sent back: ${result.reason}.`);
    }
    return result;
  }
}
