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
  /** The payee asks, and the payer agrees (par. 128). */
  request?: boolean;
}

export type EconomyAction = TradeAction | PayAction;
