// SPDX-License-Identifier: Apache-2.0
// What an economy file lets people and merchants do (examples/economy.schema.json, "actions").
// Amounts are minor units of the unit named beside them.

/** Buys electronic money with a card, or sells it to have the card credited (Fig. 7). */
export interface TradeAction {
  do: "buy" | "sell";
  who: string;
  /** Electronic money received or given. */
  amount: number;
  unit: string;
  card: string;
  /** The merchant with the best total where none is named. */
  merchant?: string;
}

/** Pays another person (Fig. 12 without a ticket). */
export interface PayAction {
  do: "pay";
  from: string;
  to: string;
  amount: number;
  unit: string;
  /** The payee's device asks, and the payer agrees (par. 128). */
  request?: boolean;
}

/** Two people pay one another two units in one commit. */
export interface ExchangeAction {
  do: "exchange";
  /** Gives `amount`; this one's device decides. */
  from: string;
  /** Gives the counter amount. */
  to: string;
  amount: number;
  unit: string;
  counterUnit: string;
  /** One of the two is there: the amount itself, or counter units for one unit. */
  counterAmount?: number;
  rate?: string;
}

/** Electronic money out of an account, or into one. */
export interface AccountAction {
  do: "withdraw" | "deposit";
  /** A person or a merchant. */
  who: string;
  amount: number;
  unit: string;
  /** Where `who` has an account in that unit if absent. */
  bank?: string;
  /** "OWNER:UNIT"; that of `who` if absent. */
  account?: string;
}

/** Old notes for fresh ones at a bank. */
export interface RefreshAction {
  do: "refresh";
  who: string;
  /** All units if absent. */
  unit?: string;
  /** All of it if absent. */
  amount?: number;
  /** Its own bank if absent, else the first. */
  bank?: string;
}

/** Lets days pass, where the date is not that of the computer. */
export interface WaitAction {
  do: "wait";
  days: number;
}

export type EconomyAction =
  | TradeAction
  | PayAction
  | ExchangeAction
  | AccountAction
  | RefreshAction
  | WaitAction;
