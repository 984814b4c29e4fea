// SPDX-License-Identifier: Apache-2.0
// Two customers at one merchant's device at the same moment: its money module makes one payment at
// a time, so that the order for the second waits (docs/rules.md, "One payment at a time").
import { describe, expect, test } from "vitest";
import { type Device, filled } from "../../host/torture/agentWorld.ts";
import {
  acquire,
  approvalOf,
  cardComponents,
  PurchaseWorld,
  signOffer,
  willingCustomer,
  willingMerchant,
} from "../../host/torture/purchaseWorld.ts";

const BUY = 1;
const SELL = 2;
const ABORTED = 1;
const COMMITTED = 2;

/** Two customers with cards, each with `own` USD cents; the merchant has 50.00 USD. */
function twoCustomers(own = 0) {
  const world = new PurchaseWorld();
  const second = world.add("customer", "E");
  acquire(world, second, world.authority, 1, cardComponents());
  world.fund(world.merchant, 5000);
  const customers = [world.customer, second] as const;
  for (const customer of customers) {
    if (own > 0) world.fund(customer, own);
    world.connect(customer, world.merchant);
    customer.host = willingCustomer(1000);
    customer.heard.length = 0;
  }
  world.merchant.heard.length = 0;
  return { world, customers };
}

/** The card network answers for both at once, so that both payments want the module together. */
function answerTogether(world: PurchaseWorld) {
  const held: unknown[][] = [];
  world.merchant.host = willingMerchant({
    45: ([, tag, mandate]) => {
      held.push([46, tag, approvalOf(mandate), "00"]);
      return held.length < 2 ? [] : held;
    },
  });
}

function order(world: PurchaseWorld, customers: readonly Device[], direction: 1 | 2) {
  const offer = signOffer(world, world.merchant, direction);
  customers.forEach((customer, index) => {
    world.tell(customer, "agent", [20, filled(60 + index), offer]);
  });
}

const states = (devices: readonly Device[]) => devices.map((device) => device.last(29)?.[2]);
const completions = (world: PurchaseWorld) => world.merchant.told(47).length;

describe("two customers at the same moment", () => {
  test.each([
    ["buy", BUY, 0, [3000, 1000, 1000]],
    ["sell", SELL, 1500, [7000, 500, 500]],
  ] as const)("both %s: the second waits for the module", (_what, direction, own, expected) => {
    const { world, customers } = twoCustomers(own);
    answerTogether(world);
    order(world, customers, direction);
    // Both cards are held; one payment runs at a time.
    world.pass(30000);
    expect(states(customers)).toEqual([COMMITTED, COMMITTED]);
    expect(world.merchant.told(49).map((served) => served[2])).toEqual([COMMITTED, COMMITTED]);
    expect([world.merchant, ...customers].map((device) => world.balance(device))).toEqual(expected);
    expect(completions(world)).toBe(2);
    expect(world.tell(world.merchant, "agent", [56])).toEqual([[56, 0]]);
  });

  test("a sale beside a purchase waits too", () => {
    const { world, customers } = twoCustomers(1500);
    answerTogether(world);
    order(world, [customers[0]], BUY);
    order(world, [customers[1]], SELL);
    world.pass(30000);
    expect(states(customers)).toEqual([COMMITTED, COMMITTED]);
    expect(world.balance(world.merchant)).toBe(5000);
  });

  test("the first vanishes in its payment: the second is served, no card stays held", () => {
    const { world, customers } = twoCustomers();
    answerTogether(world);
    let said = 0;
    world.wire = (body, from) => {
      if (from !== customers[0] || world.merchant.told(45).length < 2) return body;
      // R(2), and the first answer of its module: the merchant's module is at this payment.
      return ++said > 2 ? null : body;
    };
    order(world, customers, BUY);
    world.pass(200000);
    expect(states(customers)).toEqual([ABORTED, COMMITTED]);
    expect(world.merchant.told(49).map((served) => served[2])).toEqual([ABORTED, COMMITTED]);
    expect([world.merchant, customers[1]].map((device) => world.balance(device))).toEqual([
      4000, 1000,
    ]);
    expect(world.tell(world.merchant, "agent", [56])).toEqual([[56, 0]]);
  });

  test("one device's money is promised twice: the second is refused, its card not held", () => {
    const { world, customers } = twoCustomers();
    answerTogether(world);
    for (const customer of customers) customer.host = willingCustomer(3000);
    order(world, customers, BUY);
    expect(world.merchant.told(43)).toHaveLength(1);
    expect(world.merchant.told(45)).toHaveLength(1);
    expect(customers[1].last(29)?.slice(2, 4)).toEqual([ABORTED, 29]);
  });
});

describe("a device whose module is at the bank", () => {
  test("is paid when it is back", () => {
    const { world, customers } = twoCustomers(1500);
    const [payer, payee] = customers;
    const teller = world.addBank("teller", "U");
    let grant: unknown[] = [];
    teller.host = (message) => {
      if (message[0] === 82) grant = [83, message[2], false];
      return [];
    };
    world.connect(payee, teller);
    world.tell(payee, "module", [81, filled(90), 1, 500, "USD", "12345678"]);
    world.connect(payer, payee);
    world.tell(payer, "agent", [60, filled(91), 400, "USD"]);
    world.pass(3000);
    expect(payer.told(29)).toHaveLength(0);
    world.tell(teller, "module", grant);
    world.pass(10000);
    expect(payer.last(29)?.slice(2, 4)).toEqual([COMMITTED, 0]);
    expect(world.balance(payee)).toBe(1900);
  });

  test("that does not come back is not waited for longer than the session lasts", () => {
    const { world, customers } = twoCustomers(1500);
    const [payer, payee] = customers;
    const teller = world.addBank("teller", "U");
    teller.host = () => [];
    world.connect(payer, teller);
    world.tell(payer, "module", [81, filled(90), 1, 500, "USD", "12345678"]);
    world.connect(payer, payee);
    world.tell(payer, "agent", [60, filled(91), 400, "USD"]);
    world.pass(100000);
    expect(payer.last(29)?.[2]).toBe(ABORTED);
    expect([world.balance(payer), world.balance(payee)]).toEqual([1500, 1500]);
  });
});
