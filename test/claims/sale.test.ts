// SPDX-License-Identifier: Apache-2.0
// Claims 7 to 9 and 13 to 15: the sale of electronic money, each claim in observable facts.
import { expect, test } from "vitest";
import {
  BOTH_COMMITTED,
  expectCardTicket,
  expectEitherCard,
  expectReceipt,
  expectRefusal,
  expectVerifiedReceipt,
} from "./bothDirections.ts";
import { AMOUNT, CTA, FUNDS, MM1, MM2, MTA, SELL, TracedTrade } from "./tracedTrade.ts";

test("claim 7: information and credential, receipt, authorization; then the customer pays", () => {
  const trade = new TracedTrade(SELL);
  expect(trade.ending).toEqual(BOTH_COMMITTED);
  trade.expectOrder(
    [CTA, 374],
    [CTA, 718],
    [CTA, 762],
    [MTA, 772],
    [MTA, 796],
    ["network", "asked"],
    ["network", "answered"],
    [MTA, 802],
    [MTA, 806],
    [CTA, 808],
    [MM1, 1564],
    [MM1, 1574],
    [MM2, 1576],
  );
  expect(trade.asked).toMatchObject({ direction: SELL, moneyMinor: AMOUNT, moneyUnit: "USD" });
  expect(trade.balances).toEqual([FUNDS - AMOUNT, AMOUNT]);
});

test("claim 8: with a credit card ticket, and with a debit card ticket, in a sale", () => {
  expectEitherCard(SELL);
});

test("claim 9: the sale's receipt has bank, account number and authorized amount", () => {
  // 20.00 USD at 9/10 are 18.00 EUR, less the fee of 0.43.
  expectReceipt(SELL, 1757);
});

test("claim 13: the sale's sessions, receipt, authorization, notes, commits in their order", () => {
  const trade = new TracedTrade(SELL);
  // (a), (b)
  trade.expectOrder([MTA, 358], [CTA, 374], [CTA, 718], [MTA, 720], [CTA, 762], [MTA, 764]);
  // (c), (d)
  trade.expectOrder([MTA, 768], [MTA, 772], [CTA, 386], [CTA, 774], [CTA, 786], [CTA, 790]);
  // (e)
  trade.expectOrder([MTA, 792], [MTA, 796], ["network", "asked"], ["network", "answered"]);
  // (f), (g): notes from the first module to the second, kept provisionally
  trade.expectOrder([CTA, 808], [MM2, 1552], [MM1, 1564], [MM1, 1574], [MM2, 1606], [MM2, 1702]);
  // (h), (j): the first module commits as payer and tells its agent, which commits
  trade.expectOrder([MM1, 1710], [MM1, 1714], [MM1, 584], [CTA, 588], [CTA, 636], [CTA, 230]);
  // (i), (k): the second module commits and tells its agent, which commits
  trade.expectOrder([MM1, 1710], [MM2, 1718], [MM2, 1722], [MM2, 586], [MTA, 590]);
  trade.expectOrder([MTA, 590], [MTA, 638], [MTA, 230]);
  expect(trade.receipt.moneyMinor).toBe(AMOUNT);
  expect(trade.completion).toBe(1);
});

test("claim 14: the ticket of claim 13 is a card's and has the bank account's number", () => {
  expectCardTicket(SELL);
});

test("claim 15: the customer's agent verifies the receipt of claim 13", () => {
  expectVerifiedReceipt(SELL, 1756);
});

test("a refused authorization of a sale: no note moves, and no receipt is kept", () => {
  expectRefusal(SELL);
});
