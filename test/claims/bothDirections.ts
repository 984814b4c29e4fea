// SPDX-License-Identifier: Apache-2.0
// What the claims on purchases (1 to 6, 10 to 12) and on sales (7 to 9, 13 to 15) say alike, tried
// in the direction that is given.
import { expect } from "vitest";
import { approvalOf } from "../../host/torture/purchaseWorld.ts";
import { saleToLiar } from "../support/rogueAgents.ts";
import {
  ABORTED,
  AMOUNT,
  BUY,
  COMMITTED,
  CTA,
  FUNDS,
  MM1,
  MM2,
  MTA,
  TracedTrade,
} from "./tracedTrade.ts";

export const BOTH_COMMITTED = [COMMITTED, COMMITTED];

/** Balances of customer and merchant before and after. */
const before = (direction: 1 | 2) => (direction === BUY ? [0, FUNDS] : [FUNDS, 0]);
const after = (direction: 1 | 2) =>
  direction === BUY ? [AMOUNT, FUNDS - AMOUNT] : [FUNDS - AMOUNT, AMOUNT];

/** Claims 2 and 8: a credit card's ticket serves, and a debit card's. */
export function expectEitherCard(direction: 1 | 2): void {
  for (const [cardKind, kind] of [
    [1, "credit"],
    [2, "debit"],
  ] as const) {
    const trade = new TracedTrade(direction, { cardKind });
    expect(trade.ending).toEqual(BOTH_COMMITTED);
    expect(trade.asked.card.kind).toBe(kind);
    expect(trade.balances).toEqual(after(direction));
  }
}

/** Claims 6 and 9: what the receipt says, and that the network was asked for the same. */
export function expectReceipt(direction: 1 | 2, authorizedMinor: number): void {
  const trade = new TracedTrade(direction);
  expect(trade.receipt).toMatchObject({
    bank: "Bank of Tests",
    account: "************7899",
    direction: direction === BUY ? "buy" : "sell",
    authorizedMinor,
    moneyMinor: AMOUNT,
  });
  expect(trade.receipt.authorizedMinor).toBe(trade.asked.authorizedMinor);
}

/** Claims 11 and 14: the ticket is a card's, with the account's number. */
export function expectCardTicket(direction: 1 | 2): void {
  for (const cardKind of [1, 2] as const) {
    const trade = new TracedTrade(direction, { cardKind });
    expect(trade.asked.card).toMatchObject({ type: "card", account: "4000001234567899" });
    expect(trade.receipt.credential).toBe(trade.asked.card.identifier.ticketId);
  }
}

/** Claims 12 and 15: the customer's agent verifies the receipt, and takes no other. */
export function expectVerifiedReceipt(direction: 1 | 2, wrongAuthorizedMinor: number): void {
  const trade = new TracedTrade(direction);
  trade.expectOrder([MTA, 772], [CTA, 774], [CTA, 776], [CTA, 780]);
  expect(saleToLiar({}, direction).receipts).toHaveLength(1);
  const tampered = saleToLiar({ components: { 4: wrongAuthorizedMinor } }, direction);
  expect(tampered.finished?.slice(2, 4)).toEqual([ABORTED, 23]);
  expect(tampered.receipts).toHaveLength(0);
}

/** A refused authorization: the payer's side orders no payment, and no receipt is kept. */
export function expectRefusal(direction: 1 | 2): void {
  const trade = new TracedTrade(direction, {
    merchant: { 45: ([, tag, m]) => [[46, tag, approvalOf(m, false, "51"), "51"]] },
  });
  expect(trade.ending).toEqual([ABORTED, ABORTED]);
  if (direction === BUY) trade.expectNone(MTA, 817);
  else trade.expectNone(CTA, 808);
  trade.expectNone(direction === BUY ? MM2 : MM1, 546, 1574);
  expect(trade.balances).toEqual(before(direction));
  expect(trade.world.customer.last(29)?.[7]).toBeNull();
  // The card is the last of the customer's tickets.
  expect(trade.world.tell(trade.world.customer, "agent", [8, 1, 0])[0]?.[2]).toBeNull();
}
