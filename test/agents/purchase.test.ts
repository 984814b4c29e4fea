// SPDX-License-Identifier: Apache-2.0
// Buying and selling electronic money between the real agent and money module images (Fig. 7,
// paragraphs 77-97, 141-144; docs/protocol.md sections 5 and 6): what is agreed, authorized,
// refused.
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { readTicket, ticketPayload } from "../../host/application/tickets.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { signObject } from "../../host/trust/cose.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import {
  approvalOf,
  cardComponents,
  acquire,
  OFFER_TERMS,
  payloadOf,
  postingOf,
  PurchaseWorld,
  signOffer,
  willingCustomer,
  willingMerchant,
} from "../../host/torture/purchaseWorld.ts";
import { START_SECONDS } from "../../host/torture/testAgency.ts";

const BUY = 1;
const SELL = 2;
const ABORTED = 1;

/** State and reason of the customer's last outcome, and the network's code. */
const ending = (world: PurchaseWorld) => world.customer.last(29)?.slice(2, 5);
/** State and reason of the merchant's last outcome. */
const served = (world: PurchaseWorld) => world.merchant.last(49)?.slice(2, 4);

/** Some other mandate. */
const forged = signObject("florin/mandate", encodeCbor([filled(1)]), filled(1, 32));
const postingBy = (completion: unknown, seed: number) => postingOf(completion, filled(seed, 32));

/** A sale of 20.00 USD up to its end: no money module here has money, so it ends there. */
function sale(customer = {}, merchant = {}) {
  const world = new PurchaseWorld();
  world.customer.host = willingCustomer(2000, "USD", customer);
  world.merchant.host = willingMerchant(merchant);
  world.order(SELL);
  return world;
}

describe("what is agreed", () => {
  test("the owner sees merchant and receipt; the receipt is the offer's arithmetic", () => {
    const world = sale();
    expect(world.customer.last(21)?.[2]).toBe("Florist");
    const receipt = readTicket(world.customer.last(27)?.[2] as Uint8Array);
    // 20.00 USD at 9/10 are 18.00 EUR; the fee is 0.25 + 1 % of it.
    expect(receipt).toMatchObject({
      type: "receipt",
      direction: "sell",
      account: "************7899",
      moneyMinor: 2000,
      feeMinor: 43,
      authorizedMinor: 1757,
      accountUnit: "EUR",
      moneyUnit: "USD",
    });
  });

  test("the mandate that reaches the host is the customer's, and names the receipt", () => {
    const world = sale();
    const receipt = world.customer.last(27)?.[2] as Uint8Array;
    const [, , mandate] = world.merchant.last(45) as unknown[];
    const fields = decodeCbor(payloadOf(mandate)) as unknown[];
    expect(fields.slice(3, 8)).toEqual([1757, "EUR", 43, 2000, "USD"]);
    expect(fields[1]).toBe(SELL);
    expect(fields[11]).toEqual(sha256(ticketPayload(receipt) as Uint8Array));
  });
});

describe("the price", () => {
  const world = new PurchaseWorld();
  const seen: Uint8Array[] = [];
  const ceiling = (a: bigint, b: bigint) => (a + b - 1n) / b;

  // Numbers that reach the ends of what products of 53 and 30 bits may be.
  test.each([
    [BUY, 1n, 1n, 1n, 0n, 0n],
    [BUY, 999n, 333333333n, 1000000000n, 7n, 1n],
    [BUY, 9007199254740991n, 1n, 1n, 0n, 0n],
    [BUY, 9007199254740n, 999999999n, 1000000n, 0n, 0n],
    [BUY, 123456789012345n, 987654321n, 999999937n, 12n, 9999n],
    [SELL, 999n, 333333333n, 1000000000n, 7n, 1n],
    [SELL, 9007199254740991n, 1n, 7n, 1n, 10n],
    [SELL, 9007199254740991n, 1000000000n, 999999999n, 0n, 250n],
    [SELL, 100n, 1n, 1n, 100n, 0n],
    [SELL, 3n, 1n, 2n, 0n, 1n],
  ])("direction %i, %i at %i/%i, fee %i and %i basis points", (...terms) => {
    const [direction, money, numerator, denominator, fee, basisPoints] = terms;
    const product = money * numerator;
    const value = direction === BUY ? ceiling(product, denominator) : product / denominator;
    const charged = fee + ceiling(value * basisPoints, 10000n);
    const authorized = direction === BUY ? value + charged : value - charged;
    const limit = 2n ** 53n - 1n;
    const isPossible = authorized > 0n && authorized <= limit && value <= limit;
    const offer = signOffer(world, world.merchant, direction as 1 | 2, {
      fee: Number(fee),
      basisPoints: Number(basisPoints),
      numerator: Number(numerator),
      denominator: Number(denominator),
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
    });
    world.customer.host = willingCustomer(Number(money), "USD", {
      27: (message) => {
        seen.push(message[2] as Uint8Array);
        return [[28, message[1], false]];
      },
    });
    world.merchant.host = willingMerchant({ 43: ([, tag]) => [[44, tag, false]] });
    world.order(direction as 1 | 2, offer);
    if (!isPossible) {
      expect(ending(world)).toEqual([ABORTED, 25, null]);
    } else if (direction === BUY) {
      // A merchant without money: the price was agreed on, the funds were not there.
      expect(ending(world)).toEqual([ABORTED, 29, null]);
    } else {
      expect(readTicket(seen.at(-1) as Uint8Array)).toMatchObject({
        moneyMinor: Number(money),
        feeMinor: Number(charged),
        authorizedMinor: Number(authorized),
      });
    }
  });
});

describe("refusals leave no receipt and hold no card", () => {
  test.each([
    ["the merchant (462)", { 21: ([, command]: unknown[]) => [[22, command, false]] }, 19],
    ["to pick a card (756)", { 25: ([, command]: unknown[]) => [[26, command, null]] }, 19],
    ["the receipt (784)", { 27: ([, command]: unknown[]) => [[28, command, false]] }, 19],
    ["a card that is not his", { 25: ([, c]: unknown[]) => [[26, c, filled(9)]] }, 46],
    ["an amount above the limit", { 23: ([, c]: unknown[]) => [[24, c, 100001, "USD"]] }, 25],
    ["an amount below the limit", { 23: ([, c]: unknown[]) => [[24, c, 99, "USD"]] }, 25],
    ["another unit", { 23: ([, c]: unknown[]) => [[24, c, 2000, "JPY"]] }, 25],
  ])("the owner refuses or misnames: %s", (_what, change, reason) => {
    const world = sale(change);
    expect(ending(world)).toEqual([ABORTED, reason, null]);
    expect(world.merchant.told(45)).toHaveLength(0);
    expect(world.tell(world.customer, "agent", [8, 1, 0])[0]?.[2]).toBeNull();
    // One ticket, the card, and one log entry: that it was acquired.
    expect(world.tell(world.customer, "agent", [9, 0])[0]?.[1]).toBeNull();
  });

  test("both hosts hear the reason when the receipt is refused", () => {
    const world = sale({ 27: ([, command]: unknown[]) => [[28, command, false]] });
    expect(served(world)).toEqual([ABORTED, 19]);
  });

  test("an offer signed by another merchant is not taken", () => {
    const world = new PurchaseWorld();
    const other = world.add("merchant", "N");
    acquire(world, other, world.authority, 2, ["Other", filled(1, 8), 0, START_SECONDS + 999]);
    world.customer.host = willingCustomer(2000);
    world.order(SELL, signOffer(world, other, SELL));
    expect(ending(world)).toEqual([ABORTED, 24, null]);
  });

  test("an offer that has expired is not taken", () => {
    const world = new PurchaseWorld();
    world.customer.host = willingCustomer(2000);
    const offer = signOffer(world, world.merchant, SELL);
    world.pass(601000);
    world.order(SELL, offer);
    expect(ending(world)).toEqual([ABORTED, 24, null]);
  });

  test("a changed offer is not taken", () => {
    const world = new PurchaseWorld();
    world.customer.host = willingCustomer(2000);
    const offer = signOffer(world, world.merchant, SELL).slice();
    offer[40] = (offer[40] ?? 0) ^ 1;
    world.order(SELL, offer);
    expect(ending(world)).toEqual([ABORTED, 24, null]);
  });

  test("an offer on terms that customers refuse is not signed", () => {
    const world = new PurchaseWorld();
    const order = (change: object) => [55, BUY, ...Object.values({ ...OFFER_TERMS, ...change })];
    for (const change of [{ denominator: 0 }, { basisPoints: 10001 }, { maximum: 1 }]) {
      expect(world.tell(world.merchant, "agent", order(change))).toEqual([[0, 55, 24]]);
    }
  });

  test("a customer without a card of the account's unit cannot buy", () => {
    const world = new PurchaseWorld();
    world.customer.host = willingCustomer(2000);
    world.order(SELL, signOffer(world, world.merchant, SELL, { accountUnit: "CHF" }));
    expect(ending(world)).toEqual([ABORTED, 46, null]);
  });

  test("a card that expired since the session's beginning is refused (766)", () => {
    const world = new PurchaseWorld();
    const brief = cardComponents("GBP", { 3: START_SECONDS + 30 });
    acquire(world, world.customer, world.authority, 1, brief, filled(99));
    world.connect(world.customer, world.merchant);
    const offer = signOffer(world, world.merchant, SELL, { accountUnit: "GBP" });
    world.customer.host = willingCustomer(2000, "USD", {
      25: ([, command, cards]) => {
        world.clock.advance(40000);
        return [[26, command, (cards as Uint8Array[])[0]]];
      },
    });
    world.order(SELL, offer);
    expect(ending(world)).toEqual([ABORTED, 21, null]);
  });

  test("a merchant that does not serve refuses the session", () => {
    const world = new PurchaseWorld();
    const offer = signOffer(world, world.merchant, SELL);
    world.tell(world.merchant, "agent", [40, false]);
    world.order(SELL, offer);
    expect(ending(world)).toEqual([ABORTED, 19, null]);
  });

  test("a merchant without money, siblings or a bank ends the purchase (744, 746)", () => {
    const world = new PurchaseWorld();
    world.customer.host = willingCustomer(2000);
    world.order(BUY);
    expect(world.merchant.last(43)?.slice(2)).toEqual([2000, "USD"]);
    expect(ending(world)).toEqual([ABORTED, 29, null]);
    expect(served(world)).toEqual([ABORTED, 29]);
  });

  test("a host that says there is money now is not believed", () => {
    const world = new PurchaseWorld();
    world.customer.host = willingCustomer(2000);
    world.merchant.host = willingMerchant({ 43: ([, tag]) => [[44, tag, true]] });
    world.order(BUY);
    expect(ending(world)).toEqual([ABORTED, 29, null]);
    expect(world.merchant.told(43)).toHaveLength(1);
  });
});

describe("authorization", () => {
  test("a card refused by its issuer: the customer learns the code, nothing is owed", () => {
    const world = sale(
      {},
      { 45: ([, tag, m]: unknown[]) => [[46, tag, approvalOf(m, false, "51"), "51"]] },
    );
    expect(ending(world)).toEqual([ABORTED, 26, "51"]);
    expect(served(world)).toEqual([ABORTED, 26]);
    expect(world.tell(world.merchant, "agent", [56])).toEqual([[56, 0]]);
  });

  test.each([
    ["no answer", () => null, 27],
    ["another issuer's approval", (m: unknown) => approvalOf(m, true, "00", filled(5, 32)), 28],
    ["another mandate's approval", () => approvalOf(decodeCbor(forged)), 28],
  ])(
    'a lying host says "approved", with %s: aborted, and what may be held is voided',
    (_what, approval, reason) => {
      const world = sale(
        {},
        { 45: ([, tag, m]: unknown[]) => [[46, tag, approval(m), "91"]], 47: () => [] },
      );
      expect(ending(world)).toEqual([ABORTED, reason, null]);
      const completion = world.merchant.last(47)?.[2];
      expect((decodeCbor(payloadOf(completion)) as unknown[])[1]).toBe(2);
      expect(world.tell(world.merchant, "agent", [56])[0]).toEqual([56, 1]);
    },
  );

  test("a host that does not answer at all: void after a minute", () => {
    const world = sale({}, { 45: () => [] });
    expect(ending(world)).toBeUndefined();
    world.pass(70000);
    expect(ending(world)).toEqual([ABORTED, 27, null]);
    expect(served(world)).toEqual([ABORTED, 27]);
    expect(world.merchant.told(47)).toHaveLength(1);
  });

  test("power lost while authorizing: voided at boot, until the issuer has signed", () => {
    const world = sale({}, { 45: () => [] });
    world.merchant.host = () => [];
    world.reboot(world.merchant, "agent");
    world.pass(1000);
    const [, transaction, completion] = world.merchant.last(47) as unknown[];
    expect((decodeCbor(payloadOf(completion)) as unknown[])[1]).toBe(2);
    world.reboot(world.merchant, "agent");
    world.pass(1000);
    expect(world.merchant.told(47)).toHaveLength(2);
    expect(
      world.tell(world.merchant, "agent", [48, transaction, postingBy(completion, 9)]),
    ).toEqual([[0, 48, 28]]);
    expect(
      world.tell(world.merchant, "agent", [48, transaction, postingBy(completion, 77)]),
    ).toEqual([[48]]);
    expect(world.tell(world.merchant, "agent", [56])).toEqual([[56, 0]]);
  });

  test("power lost while authorizing, and a host that asks at once what is open: voided", () => {
    const world = sale({}, { 45: () => [] });
    world.merchant.host = () => [];
    // The host speaks before the agent has looked at what it finds.
    world.merchant.agent.reboot();
    expect(world.tell(world.merchant, "agent", [56])[0]).toEqual([56, 1]);
    expect(world.merchant.told(47)).toHaveLength(1);
    const completion = world.merchant.last(47)?.[2];
    expect((decodeCbor(payloadOf(completion)) as unknown[])[1]).toBe(2);
  });

  test("an approved sale without money to sell: aborted by the modules, voided, told to both", () => {
    const world = sale();
    expect(ending(world)).toEqual([ABORTED, 29, null]);
    expect(served(world)).toEqual([ABORTED, 29]);
    expect(world.tell(world.merchant, "agent", [56])).toEqual([[56, 0]]);
    const [settled] = world.tell(world.merchant, "agent", [9, 0]);
    expect(settled?.[2]).toBeInstanceOf(Uint8Array);
  });
});

describe("commands", () => {
  test("a repeated order answers with its outcome and begins nothing", () => {
    const world = sale({ 27: ([, command]: unknown[]) => [[28, command, false]] });
    const outcome = world.customer.last(29);
    const before = world.carried;
    expect(world.tell(world.customer, "agent", [20, filled(1), filled(1, 10)])).toEqual([outcome]);
    expect(world.carried).toBe(before);
  });

  test("an answer that was not asked for is refused", () => {
    const world = sale({ 27: () => [] });
    expect(world.tell(world.customer, "agent", [24, filled(1), 1, "USD"])).toEqual([[0, 24, 2]]);
    expect(world.tell(world.customer, "agent", [28, filled(8), true])).toEqual([[0, 28, 48]]);
    expect(world.tell(world.customer, "agent", [30, filled(1)])[0]?.slice(2, 4)).toEqual([4, 0]);
  });

  test("an owner who does not answer ends the transaction after a minute", () => {
    const world = sale({ 27: () => [] });
    world.pass(61000);
    expect(ending(world)).toEqual([ABORTED, 19, null]);
    expect(served(world)).toEqual([ABORTED, 19]);
  });
});

describe("two customers at once", () => {
  test("keep their own transactions; a third is told that there are too many", () => {
    const world = new PurchaseWorld();
    const others = ["D", "E"].map((name) => world.add("customer", name));
    for (const other of others) acquire(world, other, world.authority, 1, cardComponents());
    const [second, third] = others as [typeof world.customer, typeof world.customer];
    const silent = { 27: () => [] };
    world.merchant.host = willingMerchant({ 45: () => [] });
    const offer = signOffer(world, world.merchant, SELL);
    const buyers = [world.customer, second];
    for (const [index, buyer] of buyers.entries()) {
      buyer.host = willingCustomer(1000 + index, "USD", silent);
      world.connect(buyer, world.merchant);
      world.tell(buyer, "agent", [20, filled(60 + index), offer]);
    }
    world.connect(third, world.merchant);
    world.tell(third, "agent", [20, filled(70), offer]);
    expect(third.last(29)?.slice(2, 4)).toEqual([ABORTED, 7]);
    for (const [index, buyer] of buyers.entries()) {
      world.tell(buyer, "agent", [28, filled(60 + index), true]);
    }
    const asked = world.merchant.told(45);
    expect(asked.map(([, , m]) => (decodeCbor(payloadOf(m)) as unknown[])[6])).toEqual([
      1000, 1001,
    ]);
    for (const [, tag, mandate] of asked) {
      world.tell(world.merchant, "agent", [46, tag, approvalOf(mandate, false, "05"), "05"]);
    }
    expect(buyers.map((buyer) => buyer.last(29)?.slice(2, 5))).toEqual([
      [ABORTED, 26, "05"],
      [ABORTED, 26, "05"],
    ]);
  });
});
