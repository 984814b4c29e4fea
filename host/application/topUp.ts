// SPDX-License-Identifier: Apache-2.0
// A merchant whose device is short of money (Fig. 7, steps 730-748): its other devices pay first,
// then a bank where it has an account pays out, else the customer's purchase is aborted. Nothing is
// moved before what can be had is known to be enough. An event machine: (state, event) -> effects
// over plain state, one shortage after the other, so that no money is promised twice.
import { step } from "../patent/step.ts";

const HOST = "merchant's host";

/** How long the device may be kept waiting; its agent gives up after 60 s (par. 75). */
export const TOP_UP_PATIENCE_MS = 40_000;
/** How long a device or a bank may take over one order before another is asked. */
const ORDER_MS = 15_000;
/** How long money that was sent may take to be spendable. */
const ARRIVAL_MS = 5_000;

/** What a device's agent lacks for a customer (728). Devices are named by their place. */
export interface Shortage {
  readonly device: number;
  /** The agents' session, hexadecimal. */
  readonly tag: string;
  readonly missingMinor: number;
  readonly unit: string;
}

/** What another device can give: spendable, less what its own customers are promised. */
export interface DeviceFunds {
  readonly device: number;
  readonly freeMinor: number;
}

/** An account of the merchant that its devices may draw on. */
export interface AccountFunds {
  readonly bank: string;
  readonly account: string;
  readonly balanceMinor: number;
}

export type FundsSource =
  | { readonly type: "device"; readonly device: number }
  | { readonly type: "account"; readonly bank: string; readonly account: string };

/** One movement of money into the device that is short. */
export interface FundsOrder {
  readonly source: FundsSource;
  readonly device: number;
  readonly amountMinor: number;
  readonly unit: string;
}

type Phase = "polling" | "looking" | "moving" | "arriving";

interface Running {
  readonly shortage: Shortage;
  readonly untilMs: number;
  remainingMinor: number;
  phase: Phase;
  devices: readonly DeviceFunds[];
  orders: FundsOrder[];
  /** Sources that failed, by `sourceKey`: they are not asked again for this shortage. */
  failed: string[];
  /** The pay id of money that was sent and is not here yet; null where none is awaited. */
  awaited: string | null;
  /** The customer is gone: what is under way ends, nothing more is begun. */
  isGone: boolean;
}

/** Plain, cloneable state of one merchant. */
export interface TopUp {
  waiting: { shortage: Shortage; untilMs: number }[];
  running: Running | null;
  /** Counts what is asked of the shell; an answer to anything but the last question is too late. */
  turn: number;
  /** Pay ids of money that came before its payer's host said that it was sent. */
  arrived: string[];
}

export type TopUpEvent =
  | { type: "short"; shortage: Shortage }
  /** 730: the answers of the devices that could be reached. */
  | { type: "polled"; turn: number; devices: readonly DeviceFunds[] }
  /** 740: the merchant's accounts in that unit. */
  | { type: "looked"; turn: number; accounts: readonly AccountFunds[] }
  /** An order ended; `payId` (hexadecimal) where it is known. */
  | { type: "moved"; turn: number; isMoved: boolean; payId: string | null }
  /** A device's module has money of this payment. */
  | { type: "arrived"; device: number; payId: string }
  /** The customer's transaction is over; nobody waits for an answer any more. */
  | { type: "gone"; tag: string }
  | { type: "timer"; turn: number };

export type TopUpEffect =
  /** Ask every device but this one. */
  | { type: "poll"; turn: number; except: number; unit: string }
  | { type: "look"; turn: number; unit: string }
  | { type: "order"; turn: number; order: FundsOrder }
  | { type: "answer"; device: number; tag: string; isAvailable: boolean }
  /** Tell `timer` after so many milliseconds. */
  | { type: "timer"; turn: number; delayMs: number };

export function newTopUp(): TopUp {
  return { waiting: [], running: null, turn: 0, arrived: [] };
}

/** Takes one event and changes `state`; returns what is to be done, in order. */
export function stepTopUp(state: TopUp, event: TopUpEvent, nowMs: number): TopUpEffect[] {
  switch (event.type) {
    case "short":
      state.waiting.push({ shortage: event.shortage, untilMs: nowMs + TOP_UP_PATIENCE_MS });
      return next(state, nowMs);
    case "gone":
      state.waiting = state.waiting.filter(({ shortage }) => shortage.tag !== event.tag);
      if (state.running?.shortage.tag === event.tag) state.running.isGone = true;
      return [];
    case "arrived":
      return takeArrival(state, event.payId, nowMs);
    default:
      return state.running === null || event.turn !== state.turn
        ? []
        : takeRunning(state, state.running, event, nowMs);
  }
}

/** Begins the next shortage where none runs. */
function next(state: TopUp, nowMs: number): TopUpEffect[] {
  if (state.running !== null) return [];
  const first = state.waiting.shift();
  if (first === undefined) return [];
  const { shortage, untilMs } = first;
  state.running = {
    shortage,
    untilMs,
    remainingMinor: shortage.missingMinor,
    phase: "polling",
    devices: [],
    orders: [],
    failed: [],
    awaited: null,
    isGone: false,
  };
  return poll(state, state.running, nowMs);
}

/** 730 */
function poll(state: TopUp, running: Running, nowMs: number): TopUpEffect[] {
  if (running.isGone || nowMs >= running.untilMs) return giveUp(state, nowMs);
  step(HOST, 730);
  running.phase = "polling";
  state.turn += 1;
  const { device, unit } = running.shortage;
  return [{ type: "poll", turn: state.turn, except: device, unit }];
}

function takeRunning(
  state: TopUp,
  running: Running,
  event: Extract<TopUpEvent, { turn: number }>,
  nowMs: number,
): TopUpEffect[] {
  if (event.type === "polled" && running.phase === "polling") {
    return decideDevices(state, running, event.devices, nowMs);
  }
  if (event.type === "looked" && running.phase === "looking") {
    return decideBank(state, running, event.accounts, nowMs);
  }
  if (event.type === "moved" && running.phase === "moving") {
    return takeMoved(state, running, event, nowMs);
  }
  if (event.type === "timer" && running.phase === "moving") {
    return takeMoved(state, running, { isMoved: false, payId: null }, nowMs);
  }
  // Money that was sent did not come: it is in doubt, and the device's own when it comes.
  if (event.type === "timer" && running.phase === "arriving") return giveUp(state, nowMs);
  return [];
}

/** 732: one other device where it has all, else several of them, the richest first. */
function decideDevices(
  state: TopUp,
  running: Running,
  devices: readonly DeviceFunds[],
  nowMs: number,
): TopUpEffect[] {
  step(HOST, 732);
  // A device that is short itself keeps what it has for its own customer.
  const isShort = (device: number) =>
    state.waiting.some(({ shortage }) => shortage.device === device);
  const able = devices.filter(
    ({ device, freeMinor }) =>
      freeMinor > 0 &&
      !isShort(device) &&
      !running.failed.includes(sourceKey({ type: "device", device })),
  );
  // The smallest that has all, so that the others stay able; equal ones in their order.
  const alone = able
    .filter(({ freeMinor }) => freeMinor >= running.remainingMinor)
    .sort((a, b) => a.freeMinor - b.freeMinor || a.device - b.device)[0];
  running.devices =
    alone === undefined
      ? able.sort((a, b) => b.freeMinor - a.freeMinor || a.device - b.device)
      : [alone];
  if (total(running.devices) >= running.remainingMinor) {
    running.orders = deviceOrders(running, running.remainingMinor);
    return move(state, running, nowMs);
  }
  step(HOST, 740);
  running.phase = "looking";
  state.turn += 1;
  return [{ type: "look", turn: state.turn, unit: running.shortage.unit }];
}

/** 742: the account with the most; other devices give the rest where it does not have all. */
function decideBank(
  state: TopUp,
  running: Running,
  accounts: readonly AccountFunds[],
  nowMs: number,
): TopUpEffect[] {
  step(HOST, 742);
  const [best] = accounts
    .filter((account) => !running.failed.includes(sourceKey({ type: "account", ...account })))
    .sort((a, b) => b.balanceMinor - a.balanceMinor || (a.bank < b.bank ? -1 : 1));
  const wanted = running.remainingMinor;
  const fromBank = Math.min(wanted, best?.balanceMinor ?? 0);
  if (best === undefined || fromBank + total(running.devices) < wanted) {
    return giveUp(state, nowMs);
  }
  const { bank, account } = best;
  const { device, unit } = running.shortage;
  const withdrawal: FundsOrder = {
    source: { type: "account", bank, account },
    device,
    amountMinor: fromBank,
    unit,
  };
  running.orders = [...deviceOrders(running, wanted - fromBank), withdrawal];
  return move(state, running, nowMs);
}

/** Orders to the devices of `running`, in their order, that add up to an amount. */
function deviceOrders(running: Running, amountMinor: number): FundsOrder[] {
  const { device: to, unit } = running.shortage;
  let left = amountMinor;
  return running.devices.flatMap(({ device, freeMinor }) => {
    const part = Math.min(left, freeMinor);
    left -= part;
    const source = { type: "device" as const, device };
    return part === 0 ? [] : [{ source, device: to, amountMinor: part, unit }];
  });
}

/** 734 and 748: the next order. */
function move(state: TopUp, running: Running, nowMs: number): TopUpEffect[] {
  const [order] = running.orders;
  if (order === undefined) return answer(state, running, true, nowMs);
  if (running.isGone || nowMs >= running.untilMs) return giveUp(state, nowMs);
  // What a bank is to give, the own module draws and marks itself (748).
  if (order.source.type === "device") step(HOST, 734);
  running.phase = "moving";
  state.turn += 1;
  const { turn } = state;
  return [
    { type: "order", turn, order },
    { type: "timer", turn, delayMs: ORDER_MS },
  ];
}

function takeMoved(
  state: TopUp,
  running: Running,
  { isMoved, payId }: { isMoved: boolean; payId: string | null },
  nowMs: number,
): TopUpEffect[] {
  const order = running.orders.shift();
  if (order === undefined) return [];
  if (!isMoved) {
    // What others gave is here to stay; the rest is sought anew without this one.
    running.failed.push(sourceKey(order.source));
    return poll(state, running, nowMs);
  }
  running.remainingMinor -= order.amountMinor;
  // What the own module drew from a bank is there already. A payer is done before its payee.
  const isHere = order.source.type === "account" || payId === null || take(state.arrived, payId);
  if (isHere) return move(state, running, nowMs);
  running.phase = "arriving";
  running.awaited = payId;
  state.turn += 1;
  return [{ type: "timer", turn: state.turn, delayMs: ARRIVAL_MS }];
}

function takeArrival(state: TopUp, payId: string, nowMs: number): TopUpEffect[] {
  const { running } = state;
  if (running === null) return [];
  if (running.phase === "arriving" && running.awaited === payId) {
    running.awaited = null;
    return move(state, running, nowMs);
  }
  state.arrived.push(payId);
  return [];
}

/** 744 */
function giveUp(state: TopUp, nowMs: number): TopUpEffect[] {
  step(HOST, 744);
  return answer(state, state.running!, false, nowMs);
}

function answer(
  state: TopUp,
  { shortage }: Running,
  isAvailable: boolean,
  nowMs: number,
): TopUpEffect[] {
  state.running = null;
  state.arrived = [];
  const { device, tag } = shortage;
  return [{ type: "answer", device, tag, isAvailable }, ...next(state, nowMs)];
}

function total(devices: readonly DeviceFunds[]): number {
  return devices.reduce((sum, { freeMinor }) => sum + freeMinor, 0);
}

function sourceKey(source: FundsSource): string {
  return source.type === "device"
    ? `device ${source.device}`
    : `account ${source.account} at ${source.bank}`;
}

function take(list: string[], item: string): boolean {
  const index = list.indexOf(item);
  if (index < 0) return false;
  list.splice(index, 1);
  return true;
}
