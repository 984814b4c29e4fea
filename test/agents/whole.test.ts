// SPDX-License-Identifier: Apache-2.0
// The main job with every image real: a bank issues, a merchant withdraws and sells to a customer
// with a card, the customer pays another person and sells some back (Figs. 7 and 12); and what is
// left after losses of messages and power.
import { itemsOf } from "../../host/torture/items.ts";
import { describe, expect, test } from "vitest";
import { readTicket, ticketPayload } from "../../host/application/tickets.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseSigned } from "../../host/trust/cose.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import {
  acquire,
  merchantComponents,
  payloadOf,
  PurchaseWorld,
  willingCustomer,
  willingMerchant,
} from "../../host/torture/purchaseWorld.ts";

const BUY = 1;
const SELL = 2;
const ABORTED = 1;
const COMMITTED = 2;
const IN_DOUBT = 3;

function fundedWorld(): PurchaseWorld {
  const world = new PurchaseWorld();
  world.fund(world.merchant, 5000);
  world.customer.host = willingCustomer(2000);
  return world;
}

/** State and reason of the customer's and of the merchant's last outcome. */
const endings = (world: PurchaseWorld) => [
  world.customer.last(29)?.slice(2, 4),
  world.merchant.last(49)?.slice(2, 4),
];
const balances = (world: PurchaseWorld) => [
  world.balance(world.merchant),
  world.balance(world.customer),
];
/** Whether the last completion posts (1) or voids (2). */
const completion = (world: PurchaseWorld) =>
  (decodeCbor(payloadOf(world.merchant.last(47)?.[2])) as unknown[])[1];
/** The newest log entry of an agent. */
function newestLog(world: PurchaseWorld, device = world.customer): unknown[] {
  const entries = itemsOf((cursor) => world.tell(device, "agent", [9, cursor])[0]);
  return decodeCbor(entries.at(-1)!) as unknown[];
}

describe("a purchase", () => {
  test("moves the money, keeps the receipt, posts the card, and all agree", () => {
    const world = fundedWorld();
    world.order(BUY);
    expect(endings(world)).toEqual([
      [COMMITTED, 0],
      [COMMITTED, 0],
    ]);
    expect(balances(world)).toEqual([3000, 2000]);
    expect(completion(world)).toBe(1);
    const [, , , , , transaction, payId, ticket] = world.customer.last(29) as unknown[];
    expect(world.merchant.last(49)?.slice(4)).toEqual([transaction, payId, ticket]);
    expect(readTicket(ticket as Uint8Array)).toMatchObject({
      direction: "buy",
      moneyMinor: 2000,
      authorizedMinor: 1843,
      feeMinor: 43,
    });
    world.pass(30000);
    expect(world.tell(world.merchant, "agent", [56])).toEqual([[56, 0]]);
  });

  test("leaves mandate, annex and its countersignature in the customer's log", () => {
    const world = fundedWorld();
    world.order(BUY);
    const entry = newestLog(world);
    const ticket = world.customer.last(29)?.[7] as Uint8Array;
    const [mandate, annex, countersigned] = entry[11] as unknown[];
    expect(payloadOf(mandate)).toEqual(payloadOf(world.merchant.last(45)?.[2]));
    const fields = decodeCbor(payloadOf(annex)) as unknown[];
    expect(fields[0]).toEqual(sha256(ticketPayload(ticket) as Uint8Array));
    expect(fields.slice(1, 4)).toEqual([entry[6], COMMITTED, 2000]);
    expect(payloadOf(countersigned)).toEqual(payloadOf(annex));
    const signature = (signed: unknown) => parseSigned(encodeCbor(signed))?.signature;
    expect(signature(countersigned)).not.toEqual(signature(annex));
  });

  test("asks no module for money before the card is authorized", () => {
    const world = fundedWorld();
    world.merchant.host = willingMerchant({ 45: () => [] });
    world.order(BUY);
    world.pass(20000);
    expect(balances(world)).toEqual([5000, 0]);
    world.pass(60000);
    expect(endings(world)[0]?.[0]).toBe(ABORTED);
    expect(balances(world)).toEqual([5000, 0]);
    expect(completion(world)).toBe(2);
  });

  test("is topped up by another device of the same owner first (734-738)", () => {
    const world = new PurchaseWorld();
    const sibling = world.add("merchant", "N");
    acquire(world, sibling, world.authority, 2, merchantComponents());
    world.fund(sibling, 5000);
    world.connect(sibling, world.merchant);
    let tag: unknown;
    world.customer.host = willingCustomer(2000);
    world.merchant.host = willingMerchant({
      43: (message) => {
        tag = message[1];
        return [];
      },
    });
    world.order(BUY);
    world.tell(sibling, "agent", [60, filled(77), 2000, "USD"]);
    expect(sibling.last(29)?.slice(2, 4)).toEqual([COMMITTED, 0]);
    expect(world.merchant.last(64)?.slice(2, 4)).toEqual([COMMITTED, 0]);
    world.tell(world.merchant, "agent", [44, tag, true]);
    expect(endings(world)).toEqual([
      [COMMITTED, 0],
      [COMMITTED, 0],
    ]);
    expect(balances(world)).toEqual([0, 2000]);
    expect(world.balance(sibling)).toBe(3000);
  });

  test("no device of another owner is topped up", () => {
    const world = new PurchaseWorld();
    const stranger = world.add("merchant", "N");
    acquire(world, stranger, world.authority, 2, merchantComponents("Other", "OTHER"));
    world.fund(stranger, 5000);
    world.connect(stranger, world.merchant);
    world.tell(stranger, "agent", [60, filled(77), 2000, "USD"]);
    expect(stranger.last(29)?.slice(2, 4)).toEqual([ABORTED, 22]);
    expect(world.balance(stranger)).toBe(5000);
  });
});

describe("a sale", () => {
  test("pays the merchant behind a signed approval, and posts the credit", () => {
    const world = fundedWorld();
    world.order(BUY);
    world.customer.host = willingCustomer(500);
    world.pass(30000);
    world.order(SELL);
    expect(endings(world)).toEqual([
      [COMMITTED, 0],
      [COMMITTED, 0],
    ]);
    expect(balances(world)).toEqual([3500, 1500]);
    expect(completion(world)).toBe(1);
    // Mandate, approval, annex, countersignature.
    expect(newestLog(world)[11]).toHaveLength(4);
  });
});

describe("a payment between persons", () => {
  function twoPersons() {
    const world = fundedWorld();
    world.order(BUY);
    world.pass(30000);
    const friend = world.add("customer", "D");
    world.connect(world.customer, friend);
    return { world, friend };
  }

  test("moves the money, and a repeated command pays once", () => {
    const { world, friend } = twoPersons();
    world.tell(world.customer, "agent", [60, filled(50), 700, "USD"]);
    expect(world.customer.last(29)?.slice(2, 4)).toEqual([COMMITTED, 0]);
    const received = friend.last(64) as unknown[];
    expect(received.slice(2, 4)).toEqual([COMMITTED, 0]);
    expect(received.slice(5, 7)).toEqual([700, "USD"]);
    expect([world.balance(world.customer), world.balance(friend)]).toEqual([1300, 700]);
    world.pass(30000);
    world.reboot(world.customer, "agent");
    const [again] = world.tell(world.customer, "agent", [60, filled(50), 700, "USD"]);
    expect(again?.slice(2, 4)).toEqual([COMMITTED, 0]);
    expect([world.balance(world.customer), world.balance(friend)]).toEqual([1300, 700]);
  });

  test("of another amount than the payee expects is refused (610, 614)", () => {
    const { world, friend } = twoPersons();
    world.tell(friend, "agent", [61, 600, "USD"]);
    world.tell(world.customer, "agent", [60, filled(50), 700, "USD"]);
    expect(world.customer.last(29)?.[2]).toBe(ABORTED);
    expect([world.balance(world.customer), world.balance(friend)]).toEqual([2000, 0]);
    world.pass(30000);
    world.tell(world.customer, "agent", [60, filled(51), 600, "USD"]);
    expect(world.customer.last(29)?.slice(2, 4)).toEqual([COMMITTED, 0]);
  });

  test("of more than there is, is refused by the module (570, 576)", () => {
    const { world } = twoPersons();
    world.customer.host = ([number, id]) => (number === 23 ? [[24, id, null, null]] : []);
    world.tell(world.customer, "agent", [60, filled(50), 2001, "USD"]);
    expect(world.customer.last(29)?.slice(2, 4)).toEqual([ABORTED, 29]);
    expect(world.balance(world.customer)).toBe(2000);
  });

  test("is not made by customer to merchant, without a ticket", () => {
    const { world } = twoPersons();
    world.connect(world.customer, world.merchant);
    world.tell(world.customer, "agent", [60, filled(50), 700, "USD"]);
    expect(world.customer.last(29)?.slice(2, 4)).toEqual([ABORTED, 15]);
  });
});

describe("losses", () => {
  /** A purchase whose wire is cut for good at PEER body number `cut`. */
  function cutPurchase(cut: number) {
    const world = fundedWorld();
    const start = world.carried;
    world.wire = (body) => (world.carried - start > cut ? null : body);
    world.order(BUY);
    world.pass(300000);
    return { world, bodies: world.carried - start };
  }

  test("the line cut for good at any message: money, card and receipt go together, or doubt", () => {
    const seen = new Set<string>();
    for (let cut = 6; cut < 44; cut += 2) {
      const { world } = cutPurchase(cut);
      const [customer, merchant] = endings(world).map((ending) => ending?.[0]);
      const [left, got] = balances(world);
      seen.add(`${String(customer)} ${String(merchant)}`);
      if (merchant === COMMITTED) {
        expect([cut, left, completion(world)]).toEqual([cut, 3000, 1]);
        expect([COMMITTED, IN_DOUBT]).toContain(customer);
      } else {
        expect([cut, left]).toEqual([cut, 5000]);
        expect(customer).not.toBe(COMMITTED);
        if (world.merchant.last(47) !== undefined)
          expect([cut, completion(world)]).toEqual([cut, 2]);
      }
      expect([cut, got]).toEqual([cut, customer === COMMITTED ? 2000 : 0]);
      if (customer === ABORTED)
        expect(world.tell(world.customer, "agent", [8, 1, 0])[0]?.[2]).toBeNull();
    }
    expect([...seen]).toContain(`${COMMITTED} ${COMMITTED}`);
    expect([...seen]).toContain(`${ABORTED} ${ABORTED}`);
  }, 120000);

  test("a payment in doubt is settled when the two devices meet again", () => {
    let cut = 42;
    let world = cutPurchase(cut).world;
    while (endings(world)[0]?.[0] !== IN_DOUBT) world = cutPurchase(--cut).world;
    const doubt = world.customer.last(29) as unknown[];
    expect(doubt[3]).toBe(43);
    expect(world.tell(world.customer, "agent", [30, filled(1)])[0]?.[2]).toBe(IN_DOUBT);
    world.reboot(world.customer, "agent");
    expect(world.tell(world.customer, "agent", [30, filled(1)])[0]?.[2]).toBe(IN_DOUBT);
    world.wire = (body) => body;
    world.order(BUY);
    world.pass(60000);
    const [settled] = world.tell(world.customer, "agent", [30, filled(1)]);
    expect(settled?.slice(2, 4)).toEqual([COMMITTED, 0]);
    expect(settled?.slice(5)).toEqual(doubt.slice(5));
    expect(balances(world)).toEqual([1000, 4000]);
  }, 120000);

  test.each(["customer", "merchant"] as const)(
    "power of the %s's agent lost at any message: its module's word decides after the boot",
    (who) => {
      for (let at = 14; at < 44; at += 3) {
        const world = fundedWorld();
        const start = world.carried;
        let isDone = false;
        world.wire = (body) => {
          if (world.carried - start !== at || isDone) return body;
          isDone = true;
          return null;
        };
        world.order(BUY);
        world.reboot(world[who], "agent");
        world.pass(300000);
        const [left, got] = balances(world);
        // An agent that had nothing durable yet says nothing of what it has forgotten.
        const [customer, merchant] = endings(world).map((ending) => ending?.[0] ?? ABORTED);
        expect([at, (left ?? 0) + (got ?? 0)]).toEqual([at, 5000]);
        expect([at, customer]).toEqual([at, got === 2000 ? COMMITTED : ABORTED]);
        expect([at, merchant]).toEqual([at, got === 2000 ? COMMITTED : ABORTED]);
        if (world.merchant.last(47) !== undefined) {
          expect([at, completion(world)]).toEqual([at, got === 2000 ? 1 : 2]);
        }
      }
    },
    120000,
  );
});
