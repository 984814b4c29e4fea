// SPDX-License-Identifier: Apache-2.0
// A ticket holder with as many tickets as it takes (32): the oldest receipt makes room for a new
// ticket, a card never does. And the last second of a card.
import { itemsOf } from "../../host/torture/items.ts";
import { describe, expect, test } from "vitest";
import { readTicket } from "../../host/application/tickets.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import {
  acquire,
  cardComponents,
  PurchaseWorld,
  signOffer,
  willingCustomer,
} from "../../host/torture/purchaseWorld.ts";
import { START_SECONDS } from "../../host/torture/testAgency.ts";

const BUY = 1;
const TICKETS_MAX = 32;
const COMMITTED = 2;
const ABORTED = 1;
const JOURNAL_FULL = 6;
const UNKNOWN_TICKET = 46;

/** All tickets that the customer's agent tells its host, read. */
function tickets(world: PurchaseWorld) {
  const items = itemsOf((cursor) => world.tell(world.customer, "agent", [8, 1, cursor])[0]);
  return items.map((item) => readTicket(item)!);
}

function buy(world: PurchaseWorld): unknown[] {
  const offer = signOffer(world, world.merchant, BUY, { expires: START_SECONDS + 100_000 });
  world.order(BUY, offer);
  world.pass(30_000);
  return world.customer.last(29)!;
}

describe("a customer with 32 tickets", () => {
  test("goes on buying: the oldest receipts go, the card and the newest receipts stay", () => {
    const world = new PurchaseWorld();
    world.fund(world.merchant, 10_000);
    world.customer.host = willingCustomer(100);
    const bought = Array.from({ length: TICKETS_MAX + 3 }, (_, i) => {
      const finished = buy(world);
      expect([i, ...finished.slice(2, 4)]).toEqual([i, COMMITTED, 0]);
      return readTicket(finished[7] as Uint8Array)!.identifier.ticketId;
    });
    const held = tickets(world);
    expect(held).toHaveLength(TICKETS_MAX);
    expect(held.filter(({ type }) => type === "card")).toHaveLength(1);
    const receipts = held
      .filter(({ type }) => type === "receipt")
      .map(({ identifier }) => identifier.ticketId);
    expect(receipts).toEqual(bought.slice(-(TICKETS_MAX - 1)));
    world.reboot(world.customer, "agent");
    expect(tickets(world)).toEqual(held);
  }, 60_000);

  test("loses no card: with 32 cards a new one is refused, and nothing is bought", () => {
    const world = new PurchaseWorld();
    world.fund(world.merchant, 10_000);
    world.customer.host = willingCustomer(100);
    for (let i = 1; i < TICKETS_MAX; i++) {
      const done = acquire(world, world.customer, world.authority, 1, cardComponents(), filled(i));
      expect([i, done?.[2]]).toEqual([i, COMMITTED]);
      world.pass(30_000);
    }
    const last = acquire(world, world.customer, world.authority, 1, cardComponents(), filled(99));
    expect(last?.slice(2, 4)).toEqual([ABORTED, JOURNAL_FULL]);
    world.pass(30_000);
    world.connect(world.customer, world.merchant);
    expect(buy(world).slice(2, 4)).toEqual([ABORTED, JOURNAL_FULL]);
    expect(world.merchant.told(45)).toEqual([]);
    expect(tickets(world).map(({ type }) => type)).toEqual(Array(TICKETS_MAX).fill("card"));
  }, 60_000);
});

describe("a card", () => {
  test("is good for the last second before its expiry and not for the next", () => {
    for (const [secondsLeft, reason] of [
      [1, 0],
      [0, UNKNOWN_TICKET],
    ]) {
      const world = new PurchaseWorld();
      world.fund(world.merchant, 10_000);
      world.customer.host = willingCustomer(100);
      const expires = START_SECONDS + 3_600;
      const brief = cardComponents("GBP", { 3: expires });
      acquire(world, world.customer, world.authority, 1, brief, filled(99));
      world.connect(world.customer, world.merchant);
      world.clock.advance((expires - secondsLeft!) * 1000 - world.clock.nowMs());
      const terms = { accountUnit: "GBP", expires: expires + 60 };
      world.order(BUY, signOffer(world, world.merchant, BUY, terms));
      expect([secondsLeft, world.customer.last(29)?.[3]]).toEqual([secondsLeft, reason]);
    }
  });
});
