// SPDX-License-Identifier: Apache-2.0
// Claims 1 to 6 and 10 to 12: the purchase of electronic money, each claim in observable facts.
import { describe, expect, test } from "vitest";
import { filled } from "../../host/torture/agentWorld.ts";
import { acquire, merchantComponents } from "../../host/torture/purchaseWorld.ts";
import {
  BOTH_COMMITTED,
  expectCardTicket,
  expectEitherCard,
  expectReceipt,
  expectRefusal,
  expectVerifiedReceipt,
} from "./bothDirections.ts";
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
  notesOf,
  SELL,
  TracedTrade,
} from "./tracedTrade.ts";

const BOTH_ABORTED = [ABORTED, ABORTED];

test("claim 1: information and credential, receipt, authorization, and only then money", () => {
  const trade = new TracedTrade(BUY);
  expect(trade.ending).toEqual(BOTH_COMMITTED);
  trade.expectOrder(
    [CTA, 374],
    [CTA, 718],
    [MTA, 720],
    [CTA, 762],
    [MTA, 764],
    [MTA, 772],
    [CTA, 774],
    [MTA, 810],
    ["network", "asked"],
    ["network", "answered"],
    [MTA, 815],
    [MTA, 817],
    [MM2, 1564],
    [MM2, 1574],
    [MM1, 1576],
  );
  // The network was asked with what the customer's agent gave.
  expect(trade.asked).toMatchObject({ direction: BUY, moneyMinor: AMOUNT, moneyUnit: "USD" });
  expect(trade.asked.card.account).toBe("4000001234567899");
  expect(trade.balances).toEqual([AMOUNT, FUNDS - AMOUNT]);
});

test("claim 2: with a credit card ticket, and with a debit card ticket", () => {
  expectEitherCard(BUY);
});

test("claim 3: the same agents also sell: the first module then pays the second", () => {
  const trade = new TracedTrade(SELL);
  expect(trade.ending).toEqual(BOTH_COMMITTED);
  trade.expectOrder(
    [CTA, 718],
    [CTA, 762],
    [MTA, 796],
    ["network", "answered"],
    [MTA, 806],
    [CTA, 808],
    [MM1, 1574],
    [MM2, 1576],
  );
  expect(trade.asked.direction).toBe(SELL);
  expect(trade.balances).toEqual([FUNDS - AMOUNT, AMOUNT]);
});

test("claim 4: another module of the same owner pays first, and its notes are distributed", () => {
  let tag: unknown;
  let ids: string[] = [];
  let world: TracedTrade["world"];
  const trade = new TracedTrade(BUY, {
    isFunded: false,
    prepare: (made) => {
      world = made;
      const sibling = world.add("merchant", "N");
      acquire(world, sibling, world.authority, 2, merchantComponents());
      world.fund(sibling, FUNDS);
      ids = notesOf(world, sibling).map(({ id }) => id);
      world.connect(sibling, world.merchant);
    },
    // The merchant's agent asks for money (728): its host has the other device pay (734).
    merchant: {
      43: (message) => {
        tag = message[1];
        return [];
      },
    },
  });
  expect(trade.ending).toEqual([undefined, undefined]);
  trade.expectOrder([MTA, 726], [MTA, 728]);
  const sibling = trade.world.devices.find(({ name }) => name === "N")!;
  trade.world.tell(sibling, "agent", [60, filled(77), AMOUNT, "USD"]);
  expect(trade.world.merchant.last(64)?.slice(2, 4)).toEqual([COMMITTED, 0]);
  expect(trade.balances).toEqual([0, AMOUNT]);
  trade.world.tell(trade.world.merchant, "agent", [44, tag, true]);
  expect(trade.ending).toEqual(BOTH_COMMITTED);
  expect(trade.balances).toEqual([AMOUNT, 0]);
  for (const { id, path } of notesOf(trade.world, trade.world.customer)) {
    expect(ids).toContain(id);
    expect(path.slice(-3)).toEqual(["modul-N", "modul-M", "modul-C"]);
  }
});

test("claim 5: the second module withdraws from a bank, and those notes are distributed", () => {
  let tag: unknown;
  const trade = new TracedTrade(BUY, {
    isFunded: false,
    merchant: {
      43: (message) => {
        tag = message[1];
        return [];
      },
    },
  });
  trade.expectOrder([MTA, 726], [MTA, 728]);
  expect(trade.balances).toEqual([0, 0]);
  trade.world.fund(trade.world.merchant, AMOUNT);
  expect(trade.balances).toEqual([0, AMOUNT]);
  trade.world.tell(trade.world.merchant, "agent", [44, tag, true]);
  expect(trade.ending).toEqual(BOTH_COMMITTED);
  expect(trade.balances).toEqual([AMOUNT, 0]);
  const notes = notesOf(trade.world, trade.world.customer);
  expect(notes.length).toBeGreaterThan(0);
  // From the generator to the bank's teller, the merchant, the customer.
  for (const { path } of notes) expect(path).toEqual(["modul-T", "modul-M", "modul-C"]);
});

test("claim 6: the receipt has the bank's id, account number and authorized amount", () => {
  // 20.00 USD at 9/10 are 18.00 EUR, and the fee of 0.43.
  expectReceipt(BUY, 1843);
});

/** Claim 10's steps (a) to (k); the payer's module commits before the payee's (paragraph 136). */
test("claim 10: sessions, receipt, authorization, notes and commits come in their order", () => {
  const trade = new TracedTrade(BUY);
  // (a) the agents' session, (b) information and credential in it
  trade.expectOrder([MTA, 358], [CTA, 374], [CTA, 718], [MTA, 386], [MTA, 720]);
  trade.expectOrder([CTA, 718], [CTA, 762], [MTA, 764]);
  // (c) the receipt, (d) sent in the session and kept provisionally
  trade.expectOrder([MTA, 768], [MTA, 772], [CTA, 386], [CTA, 774], [CTA, 786], [CTA, 790]);
  // (e) the authorization, behind the receipt's acknowledgement
  trade.expectOrder([MTA, 792], [MTA, 810], ["network", "asked"], ["network", "answered"]);
  // (f) the modules' session, (g) notes in it, kept provisionally
  trade.expectOrder([MTA, 817], [MM1, 1552], [MM2, 1564], [MM2, 1574], [MM1, 1606], [MM1, 1702]);
  // (i) the payer's module commits and tells its agent, (k) which commits
  trade.expectOrder([MM2, 1710], [MM2, 1714], [MM2, 584], [MTA, 588], [MTA, 230]);
  // (h) the payee's module commits and tells its agent, (j) which commits: the receipt is kept
  trade.expectOrder([MM2, 1710], [MM1, 1718], [MM1, 1722], [MM1, 586], [CTA, 590], [CTA, 230]);
  trade.expectOrder([CTA, 590], [CTA, 638], [CTA, 230], [CTA, 234]);
  trade.expectOrder([MTA, 588], [MTA, 636], [MTA, 230], [MTA, 234]);
  expect(trade.receipt.moneyMinor).toBe(AMOUNT);
  expect(trade.completion).toBe(1);
});

test("claim 11: the ticket of claim 10 is a card's and has the bank account's number", () => {
  expectCardTicket(BUY);
});

test("claim 12: the customer's agent verifies the receipt of claim 10", () => {
  expectVerifiedReceipt(BUY, 1844);
});

describe("what the claims rule out", () => {
  test("a refused authorization: no note moves, and no receipt is kept", () => {
    expectRefusal(BUY);
  });

  test("an authorization that has not come yet: the merchant's agent starts no transfer", () => {
    const trade = new TracedTrade(BUY, { merchant: { 45: () => [] } });
    trade.expectOrder([MTA, 810], ["network", "asked"]);
    trade.expectNone(MTA, 813, 815, 817);
    expect(trade.balances).toEqual([0, FUNDS]);
  });

  test("approved, but the payment fails: the authorization is reversed (par. 71)", () => {
    const trade = new TracedTrade(SELL, { isFunded: false });
    const world = trade.world;
    // The customer has no money and names no other amount.
    world.pass(90_000);
    expect(trade.ending).toEqual(BOTH_ABORTED);
    expect(trade.completion).toBe(2);
    expect(trade.balances).toEqual([0, 0]);
  });
});
