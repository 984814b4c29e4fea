// SPDX-License-Identifier: Apache-2.0
// A teller's stock as an event machine (docs/protocol.md section 4, nested payments): notes are
// made on demand before a customer's payment goes on, and go back to their issuer when they are not
// needed any more. One order at a generator runs at a time; everything else waits in turn.

/** A payment that takes notes out of the stock. */
export interface StockRequest {
  /** Hexadecimal. */
  readonly payId: string;
  readonly unit: string;
  readonly amountMinor: number;
}

/** A person's order to have notes issued into the stock. */
export interface IssueOrder {
  /** Chosen by who orders; the answer carries it. */
  readonly id: number;
  readonly unit: string;
  readonly amountMinor: number;
}

export interface StockPolicy {
  /**
   * Most that stays in the stock, minor units of each unit, when it is put in order. What
   * customers brought goes back in any case: it has a history, fresh notes have none.
   */
  readonly keepMinor: number;
  /** Most notes that stay: what one packet takes, so that a withdrawal never needs more. */
  readonly keepNotes: number;
  /** Payments that the module has room for at a time; an order needs one of them. */
  readonly slots: number;
}

/** Pauses in a row after which an order is given up. */
const MOST_PAUSES = 20;

export const DEFAULT_STOCK_POLICY: StockPolicy = { keepMinor: 1_000_000, keepNotes: 8, slots: 3 };

/** What a teller has of one unit. */
export interface Stock {
  readonly spendableMinor: number;
  /** Only a bank takes it. */
  readonly refreshMinor: number;
  /** How many; 0 where they were not counted. */
  readonly notes: number;
}

type Order =
  | { readonly for: "payment"; readonly request: StockRequest }
  | { readonly for: "person"; readonly order: IssueOrder }
  | {
      readonly for: "return";
      readonly unit: string;
      readonly amountMinor: number;
      /** What the stock was before. */
      readonly beforeMinor: number;
    };

/** Plain state of one teller; `newStock` makes it. */
export interface StockState {
  /** Agreed to in the books and waiting for notes, oldest first. */
  waiting: StockRequest[];
  /** May take its notes; they count as stock until it has ended. */
  granted: StockRequest[];
  /** Pay ids of others that have a place in the module: deposits, and what was refused. */
  others: string[];
  issues: IssueOrder[];
  /** By unit: what came in from customers since the stock was last put in order. */
  untidy: Record<string, number>;
  /** A look into the module is under way. */
  looking: { readonly unit: string } | null;
  ordered: Order | null;
  /** Pay id of the waiting payment that an order was already made for. */
  servedOnce: string | null;
  /** The module had no place for an order: a pause runs, and how often that was so in a row. */
  paused: boolean;
  crowded: number;
  /** Notes went back; the next look tells how much that was. */
  sentBack: { readonly unit: string; readonly beforeMinor: number } | null;
}

export type StockEvent =
  | { readonly type: "wanted"; readonly request: StockRequest }
  /** A payment that takes nothing out of the stock has a place in the module. */
  | { readonly type: "begun"; readonly payId: string }
  | { readonly type: "issue"; readonly order: IssueOrder }
  | { readonly type: "look"; readonly stock: Stock | null }
  /** `isCrowded`: the module had no place for it, so that it was not begun. */
  | {
      readonly type: "order over";
      readonly isDone: boolean;
      readonly isCrowded: boolean;
      readonly reason: string;
    }
  | { readonly type: "pause over" }
  | { readonly type: "ended"; readonly payId: string }
  /** The module started anew, or its link did: what has a place there is not known any more. */
  | { readonly type: "restarted" }
  /** Puts the stock in order; `broughtMinor` of it came from customers. */
  | { readonly type: "tidy"; readonly unit: string; readonly broughtMinor: number };

export type StockEffect =
  /** Ask the module what it has; answered by "look", null where it cannot be asked. */
  | { readonly type: "look"; readonly unit: string; readonly countsNotes: boolean }
  /** Order at a generator; answered by "order over". */
  | {
      readonly type: "order";
      readonly kind: "issue" | "redeem";
      readonly unit: string;
      readonly amountMinor: number;
    }
  /** Let a moment pass; answered by "pause over". */
  | { readonly type: "pause" }
  | { readonly type: "grant"; readonly payId: string }
  | { readonly type: "refuse"; readonly payId: string }
  | {
      readonly type: "issue over";
      readonly id: number;
      readonly isDone: boolean;
      readonly reason: string;
    };

export function newStock(): StockState {
  return {
    waiting: [],
    granted: [],
    others: [],
    issues: [],
    untidy: {},
    looking: null,
    ordered: null,
    servedOnce: null,
    paused: false,
    crowded: 0,
    sentBack: null,
  };
}

/** Takes one event into the state; gives what is to be done. */
export function stepStock(
  state: StockState,
  event: StockEvent,
  policy: StockPolicy,
): StockEffect[] {
  switch (event.type) {
    case "wanted":
      return wanted(state, event.request, policy);
    case "begun":
      if (!state.others.includes(event.payId)) state.others.push(event.payId);
      return [];
    case "issue":
      state.issues.push(event.order);
      return goOn(state, policy);
    case "look":
      return looked(state, event.stock, policy);
    case "order over":
      return orderOver(state, event, policy);
    case "pause over":
      state.paused = false;
      return goOn(state, policy);
    case "ended": {
      const isOther = ({ payId }: StockRequest) => payId !== event.payId;
      state.waiting = state.waiting.filter(isOther);
      state.granted = state.granted.filter(isOther);
      state.others = state.others.filter((payId) => payId !== event.payId);
      return goOn(state, policy);
    }
    case "restarted":
      state.others = [];
      return goOn(state, policy);
    case "tidy":
      state.untidy[event.unit] = (state.untidy[event.unit] ?? 0) + event.broughtMinor;
      return goOn(state, policy);
  }
}

function wanted(state: StockState, request: StockRequest, policy: StockPolicy): StockEffect[] {
  const { payId } = request;
  const isIn = (list: readonly StockRequest[]) => list.some((other) => other.payId === payId);
  if (isIn(state.granted)) return [{ type: "grant", payId }];
  if (!isIn(state.waiting)) state.waiting.push(request);
  return goOn(state, policy);
}

/** Begins the next thing to do, where nothing is under way. */
function goOn(state: StockState, policy: StockPolicy): StockEffect[] {
  if (!isIdle(state)) return [];
  const [next] = state.waiting;
  if (next !== undefined) return look(state, next.unit, false);
  if (open(state) >= policy.slots) return [];
  const [order] = state.issues;
  if (order !== undefined) {
    state.issues.shift();
    return place(state, { for: "person", order });
  }
  // Not while a payment is about to take notes of it: the two would want the same ones.
  const isFree = (unit: string) => !state.granted.some((request) => request.unit === unit);
  const unit = Object.keys(state.untidy).find(isFree);
  return unit === undefined ? [] : look(state, unit, true);
}

function look(state: StockState, unit: string, countsNotes: boolean): StockEffect[] {
  state.looking = { unit };
  return [{ type: "look", unit, countsNotes }];
}

/** True when nothing is under way; what waits then waits for a payment to end. */
export function isIdle({ looking, ordered, paused }: StockState): boolean {
  return looking === null && ordered === null && !paused;
}

function place(state: StockState, order: Order): StockEffect[] {
  state.ordered = order;
  const what =
    order.for === "payment" ? order.request : order.for === "person" ? order.order : order;
  const kind = order.for === "return" ? "redeem" : "issue";
  return [{ type: "order", kind, unit: what.unit, amountMinor: what.amountMinor }];
}

/** Payments in the module's places, orders not counted. */
function open({ waiting, granted, others }: StockState): number {
  return waiting.length + granted.length + others.length;
}

function looked(state: StockState, stock: Stock | null, policy: StockPolicy): StockEffect[] {
  const unit = state.looking?.unit;
  state.looking = null;
  const [next] = state.waiting;
  // A payment came while the stock was looked at for another reason, or went meanwhile.
  if (next !== undefined && next.unit !== unit) return goOn(state, policy);
  if (next === undefined) {
    return unit === undefined ? [] : [...tidy(state, unit, stock, policy)];
  }
  if (stock === null) return [...refuse(state, next), ...goOn(state, policy)];
  const taken = state.granted.filter((request) => request.unit === unit);
  const takenMinor = taken.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  if (stock.spendableMinor - takenMinor >= next.amountMinor) {
    state.waiting.shift();
    state.granted.push(next);
    return [{ type: "grant", payId: next.payId }, ...goOn(state, policy)];
  }
  // What was made for it went elsewhere: it is not made twice.
  if (state.servedOnce === next.payId) return [...refuse(state, next), ...goOn(state, policy)];
  if (open(state) < policy.slots) return place(state, { for: "payment", request: next });
  // No place for the order. One that runs gets free by itself; else the newest has to go.
  if (state.granted.length > 0 || state.others.length > 0) return [];
  return refuse(state, state.waiting.at(-1)!);
}

function refuse(state: StockState, request: StockRequest): StockEffect[] {
  state.waiting = state.waiting.filter((other) => other !== request);
  state.others.push(request.payId);
  return [{ type: "refuse", payId: request.payId }];
}

/** Sends back what the stock does not need, packet by packet, until a look shows nothing more. */
function tidy(
  state: StockState,
  unit: string,
  stock: Stock | null,
  policy: StockPolicy,
): StockEffect[] {
  const beforeMinor = stock === null ? 0 : stock.spendableMinor + stock.refreshMinor;
  const { sentBack } = state;
  state.sentBack = null;
  if (sentBack?.unit === unit) {
    const sentMinor = sentBack.beforeMinor - beforeMinor;
    state.untidy[unit] = Math.max(0, (state.untidy[unit] ?? 0) - Math.max(sentMinor, 0));
  }
  const amountMinor = stock === null ? 0 : surplus(stock, state.untidy[unit] ?? 0, policy);
  if (amountMinor > 0) return place(state, { for: "return", unit, amountMinor, beforeMinor });
  delete state.untidy[unit];
  return goOn(state, policy);
}

/**
 * Minor units to send back: everything, where there are too many notes to give out in one packet.
 */
function surplus(stock: Stock, broughtMinor: number, policy: StockPolicy): number {
  const { spendableMinor, refreshMinor, notes } = stock;
  if (notes > policy.keepNotes) return spendableMinor + refreshMinor;
  const above = Math.max(0, spendableMinor - policy.keepMinor);
  return Math.min(spendableMinor + refreshMinor, Math.max(broughtMinor, above + refreshMinor));
}

function orderOver(
  state: StockState,
  { isDone, isCrowded, reason }: StockEvent & { type: "order over" },
  policy: StockPolicy,
): StockEffect[] {
  const { ordered } = state;
  state.ordered = null;
  if (ordered === null) return [];
  // Somebody came in between. Its own request is known in a moment; then it is decided who waits.
  if (isCrowded && state.crowded < MOST_PAUSES) {
    state.crowded += 1;
    state.paused = true;
    if (ordered.for === "person") state.issues.unshift(ordered.order);
    return [{ type: "pause" }];
  }
  state.crowded = 0;
  if (ordered.for === "person") {
    const over = { type: "issue over" as const, id: ordered.order.id, isDone, reason };
    return [over, ...goOn(state, policy)];
  }
  if (ordered.for === "payment") {
    state.servedOnce = ordered.request.payId;
    const isWaiting = state.waiting.includes(ordered.request);
    const refused = isWaiting && !isDone ? refuse(state, ordered.request) : [];
    return [...refused, ...goOn(state, policy)];
  }
  // What could not be sent back is tried again after the next payment that brings notes.
  if (!isDone) delete state.untidy[ordered.unit];
  else state.sentBack = { unit: ordered.unit, beforeMinor: ordered.beforeMinor };
  return goOn(state, policy);
}
