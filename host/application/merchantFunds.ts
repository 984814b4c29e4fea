// SPDX-License-Identifier: Apache-2.0
// The money of one merchant in all its devices and accounts: the shell around topUp.ts (Fig. 7,
// steps 728-748). Device C pays device B by a money module payment without a ticket; what no device
// has is withdrawn by B's own module from a bank.
import type { Clock, Timer } from "../link/clock.ts";
import type { TransactionDevice } from "../device/types.ts";
import { HostMessage, hostBody, parseHostBody } from "./hostPort.ts";
import type { MerchantService } from "./merchant.ts";
import { promisedMinor } from "./merchantApplication.ts";
import { PeerLines } from "./peerLines.ts";
import { orderPayment } from "./personPayments.ts";
import {
  type AccountFunds,
  type FundsOrder,
  newTopUp,
  stepTopUp,
  type TopUp,
  type TopUpEffect,
  type TopUpEvent,
} from "./topUp.ts";
import { readBalances } from "./wallet.ts";

/** A device that does not tell its balance within this time is taken to have nothing. */
const POLL_TIMEOUT_MS = 3_000;

/** One device of the merchant, in service. */
export interface FundedDevice {
  readonly name: string;
  /** Where the other devices reach it. */
  readonly url: string;
  readonly device: TransactionDevice;
  readonly service: Pick<MerchantService, "state" | "answerFunds">;
}

/** A movement of money into a device that was short, as reports show it. */
export interface TopUpEntry {
  /** Names of the device that was short and of what it was to get the money from. */
  to: string;
  from: string;
  amount: number;
  unit: string;
  outcome: "ok" | "refused";
  reason?: string;
}

export interface MerchantFundsOptions {
  readonly clock: Clock;
  /** The accounts that the merchant's devices may draw on, in one unit. */
  readonly accounts: (unit: string) => Promise<AccountFunds[]>;
  /** Has a device's module withdraw; rejects with one sentence. */
  readonly withdraw: (device: number, order: FundsOrder) => Promise<void>;
  readonly onTopUp: (entry: TopUpEntry) => void;
}

export class MerchantFunds {
  readonly state: TopUp = newTopUp();
  /** What was moved for devices that were short, oldest first, since the start. */
  readonly topUps: TopUpEntry[] = [];
  private readonly devices: FundedDevice[] = [];
  private readonly lines = new Map<FundedDevice, PeerLines>();
  private readonly options: MerchantFundsOptions;
  private timer: Timer | null = null;

  constructor(options: MerchantFundsOptions) {
    this.options = options;
  }

  /** Adds a device; gives its number, by which the other methods know it. */
  add(device: FundedDevice): number {
    this.lines.set(device, new PeerLines(device.device, this.options.clock));
    return this.devices.push(device) - 1;
  }

  /** 728: a device lacks money for the customer of a session. */
  short(device: number, tag: string, missingMinor: number, unit: string): void {
    this.take({ type: "short", shortage: { device, tag, missingMinor, unit } });
  }

  /** A device's module has money of this payment. */
  arrived(device: number, payId: string): void {
    this.take({ type: "arrived", device, payId });
  }

  /** The transaction of a session is over. */
  gone(tag: string): void {
    this.take({ type: "gone", tag });
  }

  /** The most that one customer can buy of a unit: what all devices and one account can give. */
  async largestSaleMinor(unit: string): Promise<number> {
    let sum = 0;
    for (const device of this.devices) sum += await this.freeMinor(device, unit);
    const accounts = await this.options.accounts(unit);
    return sum + Math.max(0, ...accounts.map(({ balanceMinor }) => balanceMinor));
  }

  /** Ends the wait for whatever is under way. */
  close(): void {
    this.timer?.cancel();
  }

  private take(event: TopUpEvent): void {
    const nowMs = this.options.clock.nowMs();
    const { turn } = this.state;
    const effects = stepTopUp(this.state, event, nowMs);
    // What the timer was set for is over.
    if (this.state.turn !== turn) this.timer?.cancel();
    for (const effect of effects) this.carryOut(effect);
  }

  private carryOut(effect: TopUpEffect): void {
    switch (effect.type) {
      case "poll":
        this.poll(effect.turn, effect.except, effect.unit);
        break;
      case "look":
        this.look(effect.turn, effect.unit);
        break;
      case "order":
        this.order(effect.turn, effect.order);
        break;
      case "answer":
        this.devices[effect.device]?.service.answerFunds(effect.tag, effect.isAvailable);
        break;
      case "timer":
        this.timer = this.options.clock.after(effect.delayMs, () => {
          this.take({ type: "timer", turn: effect.turn });
        });
    }
  }

  private async poll(turn: number, except: number, unit: string): Promise<void> {
    const others = [...this.devices.keys()].filter((number) => number !== except);
    const devices = await Promise.all(
      others.map(async (device) => ({
        device,
        // One that cannot be reached has nothing to give now.
        freeMinor: await this.freeMinor(this.devices[device]!, unit).catch(() => 0),
      })),
    );
    this.take({ type: "polled", turn, devices });
  }

  private async look(turn: number, unit: string): Promise<void> {
    const accounts = await this.options.accounts(unit).catch(() => []);
    this.take({ type: "looked", turn, accounts });
  }

  private async order(turn: number, order: FundsOrder): Promise<void> {
    const { source, amountMinor, unit } = order;
    const to = this.devices[order.device]!;
    const from =
      source.type === "device"
        ? (this.devices[source.device]?.name ?? "")
        : `account ${source.account} at ${source.bank}`;
    let payId: string | null = null;
    let reason: string | undefined;
    try {
      if (source.type === "device") payId = await this.payBetween(source.device, to, order);
      else await this.options.withdraw(order.device, order);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    const outcome = reason === undefined ? { outcome: "ok" as const } : refusal(reason);
    const entry: TopUpEntry = { to: to.name, from, amount: amountMinor, unit, ...outcome };
    this.topUps.push(entry);
    this.options.onTopUp(entry);
    this.take({ type: "moved", turn, isMoved: reason === undefined, payId });
  }

  /** 734: device C pays device B; gives the pay id. */
  private async payBetween(
    from: number,
    to: FundedDevice,
    { amountMinor, unit }: FundsOrder,
  ): Promise<string | null> {
    const payer = this.devices[from]!;
    const { device } = payer;
    const { clock } = this.options;
    const result = await this.lines
      .get(payer)!
      .use(to.url, (connection) =>
        orderPayment({ device, clock, connection }, (id) =>
          hostBody(HostMessage.PAY, id, amountMinor, unit),
        ),
      );
    if (result.state !== "committed") throw new Error(result.reason);
    return result.payId;
  }

  private async freeMinor({ device, service }: FundedDevice, unit: string): Promise<number> {
    const body = hostBody(HostMessage.BALANCE);
    const answer = await device.command("module", body, { timeoutMs: POLL_TIMEOUT_MS });
    const balances = readBalances(parseHostBody(answer) ?? { number: 0, fields: [] });
    const spendable = balances.find((balance) => balance.unit === unit);
    return Math.max(0, (spendable?.spendableMinor ?? 0) - promisedMinor(service.state, unit));
  }
}

function refusal(reason: string): { outcome: "refused"; reason: string } {
  return { outcome: "refused", reason };
}
