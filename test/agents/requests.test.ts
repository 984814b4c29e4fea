// SPDX-License-Identifier: Apache-2.0
// Requested payment (paragraph 128) and another amount in an ordinary one (Fig. 12, 572-582 and
// 620-622), with the real images: who states the amount, who is asked, who may say no.
import { itemsOf } from "../../host/torture/items.ts";
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../host/trust/cbor.ts";
import { type Device, filled, type Host } from "../../host/torture/agentWorld.ts";
import { acquire, merchantComponents, PurchaseWorld } from "../../host/torture/purchaseWorld.ts";

const ABORTED = 1;
const COMMITTED = 2;
const SENT = 2;
const RECEIVED = 3;
const COMMAND = filled(50);

/** A host that gives the owner's word on what peers ask for, and other amounts when asked. */
function owner(word: boolean | null, amounts: (number | null)[] = []): Host {
  const left = [...amounts];
  return ([number, id]) => {
    if (number === 65) return word === null ? [] : [[66, id, word]];
    if (number !== 23) return [];
    const amount = left.shift();
    if (amount === undefined) return [];
    return [[24, id, amount, amount === null ? null : "USD"]];
  };
}

/** The customer has 20.00 USD; a friend's device can reach it. */
function twoPersons(word: boolean | null = true) {
  const world = new PurchaseWorld();
  world.fund(world.customer, 2000);
  const friend = world.add("customer", "D");
  world.connect(friend, world.customer);
  world.connect(world.customer, friend);
  world.customer.host = owner(word);
  return { world, friend, payer: world.customer };
}

const ending = (device: Device) => device.last(29)?.slice(2, 4);
/** State, reason, amount, unit of what a peer began. */
const taken = (device: Device) => {
  const message = device.last(64);
  return message && [...message.slice(2, 4), ...message.slice(5, 7)];
};
const balances = (world: PurchaseWorld, friend: Device) => [
  world.balance(world.customer),
  world.balance(friend),
];
/** Kind, state, amount and unit of an agent's log entries, oldest first. */
function log(world: PurchaseWorld, device: Device): unknown[][] {
  return itemsOf((cursor) => world.tell(device, "agent", [9, cursor])[0]).map((item) => {
    const entry = decodeCbor(item) as unknown[];
    return [entry[2], entry[3], entry[8], entry[9]];
  });
}

describe("a requested payment", () => {
  test("is stated by the payee, asked of the payer's owner once, and paid", () => {
    const { world, friend, payer } = twoPersons();
    world.tell(friend, "agent", [62, COMMAND, 700, "USD"]);
    expect(payer.told(65)).toHaveLength(1);
    expect(payer.last(65)?.slice(3)).toEqual([700, "USD", null, null]);
    expect(ending(friend)).toEqual([COMMITTED, 0]);
    expect(taken(payer)).toEqual([COMMITTED, 0, 700, "USD"]);
    expect(balances(world, friend)).toEqual([1300, 700]);
    expect(log(world, friend)).toEqual([[RECEIVED, COMMITTED, 700, "USD"]]);
    expect(log(world, payer).at(-1)).toEqual([SENT, COMMITTED, 700, "USD"]);
    world.pass(30000);
    world.reboot(friend, "agent");
    const [again] = world.tell(friend, "agent", [62, COMMAND, 700, "USD"]);
    expect(again?.slice(2, 4)).toEqual([COMMITTED, 0]);
    expect(balances(world, friend)).toEqual([1300, 700]);
  });

  test("names both devices to both hosts: the payer is the one that was asked", () => {
    const { world, friend, payer } = twoPersons();
    world.tell(friend, "agent", [62, COMMAND, 700, "USD"]);
    const [asked] = payer.told(65);
    const payerId = payer.last(64)?.[7];
    expect(payerId).toEqual(world.tell(payer, "agent", [1])[0]?.[3]);
    expect(asked?.[2]).toEqual(world.tell(friend, "agent", [1])[0]?.[3]);
  });

  test("a peer has the wallet emptied on demand: not when the owner refuses (614, 620)", () => {
    const { world, friend, payer } = twoPersons(false);
    friend.host = owner(null, [null]);
    world.tell(friend, "agent", [62, COMMAND, 700, "USD"]);
    expect(friend.last(23)?.slice(1)).toEqual([COMMAND, 19]);
    expect(ending(friend)).toEqual([ABORTED, 19]);
    expect(taken(payer)?.slice(0, 2)).toEqual([ABORTED, 19]);
    expect(balances(world, friend)).toEqual([2000, 0]);
    expect(log(world, friend)).toEqual([]);
  });

  test("may be of another amount the second time, and that is asked again (576, 562)", () => {
    const { world, friend, payer } = twoPersons();
    payer.host = ([number, tag, , amount]) => (number === 65 ? [[66, tag, amount === 500]] : []);
    friend.host = owner(null, [500]);
    world.tell(friend, "agent", [62, COMMAND, 700, "USD"]);
    expect(payer.told(65).map((asked) => asked[3])).toEqual([700, 500]);
    expect(ending(friend)).toEqual([COMMITTED, 0]);
    expect(taken(payer)).toEqual([COMMITTED, 0, 500, "USD"]);
    expect(balances(world, friend)).toEqual([1500, 500]);
  });

  test("is not asked about for ever: the third refusal ends it", () => {
    const { world, friend, payer } = twoPersons(false);
    friend.host = owner(null, [600, 500, 400, 300]);
    world.tell(friend, "agent", [62, COMMAND, 700, "USD"]);
    expect(payer.told(65).map((asked) => asked[3])).toEqual([700, 600, 500]);
    expect(ending(friend)).toEqual([ABORTED, 19]);
    expect(balances(world, friend)).toEqual([2000, 0]);
  });

  test("of a silent owner is refused before the other side gives up waiting", () => {
    const { world, friend, payer } = twoPersons(null);
    world.tell(friend, "agent", [62, COMMAND, 700, "USD"]);
    world.pass(54000);
    expect(friend.told(29)).toHaveLength(0);
    world.pass(2000);
    expect(ending(friend)).toEqual([ABORTED, 19]);
    expect(taken(payer)?.slice(0, 2)).toEqual([ABORTED, 19]);
    // Too late: the transaction is over.
    const [late] = world.tell(payer, "agent", [66, payer.last(65)?.[1], true]);
    expect(late).toEqual([0, 66, 48]);
    expect(balances(world, friend)).toEqual([2000, 0]);
  });

  test("of more than the payer has is refused by the payer's module (568, 570)", () => {
    const { world, friend, payer } = twoPersons();
    world.tell(friend, "agent", [62, COMMAND, 2001, "USD"]);
    expect(ending(friend)).toEqual([ABORTED, 29]);
    expect(taken(payer)?.slice(0, 2)).toEqual([ABORTED, 29]);
    expect(balances(world, friend)).toEqual([2000, 0]);
    world.pass(30000);
    world.tell(friend, "agent", [62, filled(51), 2000, "USD"]);
    expect(ending(friend)).toEqual([COMMITTED, 0]);
  });

  test("does not mind what the payer expects to receive (61)", () => {
    const { world, friend, payer } = twoPersons();
    world.tell(payer, "agent", [61, 1, "JPY"]);
    world.tell(friend, "agent", [62, COMMAND, 700, "USD"]);
    expect(ending(friend)).toEqual([COMMITTED, 0]);
  });

  test.each([
    ["no amount", [62, COMMAND, 0, "USD"]],
    ["no unit", [62, COMMAND, 5, "usd"]],
    ["a field too many", [62, COMMAND, 5, "USD", 1]],
  ])("with %s is malformed", (_what, command) => {
    const { world, friend } = twoPersons();
    expect(world.tell(friend, "agent", command)[0]).toEqual([0, 62, 1]);
  });

  test("is asked of a merchant's device only by one of the same owner, and its host is asked", () => {
    const world = new PurchaseWorld();
    world.fund(world.merchant, 2000);
    const [sibling, stranger] = ["N", "S"].map((name) => {
      const device = world.add("merchant", name);
      const owner = name === "N" ? "OWNER" : "OTHER";
      acquire(world, device, world.authority, 2, merchantComponents("Florist", owner));
      world.connect(device, world.merchant);
      return device;
    }) as [Device, Device];
    world.merchant.heard.length = 0;
    world.merchant.host = owner(true);
    world.tell(stranger, "agent", [62, COMMAND, 700, "USD"]);
    expect(ending(stranger)).toEqual([ABORTED, 22]);
    expect(world.merchant.told(65)).toHaveLength(0);
    world.tell(sibling, "agent", [62, COMMAND, 700, "USD"]);
    expect(ending(sibling)).toEqual([COMMITTED, 0]);
    expect(world.merchant.told(65)).toHaveLength(1);
    expect([world.balance(world.merchant), world.balance(sibling)]).toEqual([1300, 700]);
  });

  test.each(["agent", "module"] as const)(
    "the payer's %s loses power at any message",
    (half) => {
      for (let at = 2; at < 30; at += 3) {
        const { world, friend, payer } = twoPersons();
        const start = world.carried;
        let isDone = false;
        world.wire = (body) => {
          if (world.carried - start !== at || isDone) return body;
          isDone = true;
          return null;
        };
        world.tell(friend, "agent", [62, COMMAND, 700, "USD"]);
        world.reboot(payer, half);
        world.pass(300000);
        const [left, got] = balances(world, friend);
        expect([at, (left ?? 0) + (got ?? 0)]).toEqual([at, 2000]);
        expect([at, ending(friend)?.[0]]).toEqual([at, got === 700 ? COMMITTED : ABORTED]);
      }
    },
    120000,
  );
});

describe("an ordinary payment", () => {
  test("of a wrong amount may be of another the second time (620-622, 572-576)", () => {
    const { world, friend, payer } = twoPersons();
    world.tell(friend, "agent", [61, 600, "USD"]);
    payer.host = owner(null, [600]);
    world.tell(payer, "agent", [60, COMMAND, 700, "USD"]);
    expect(payer.last(23)?.slice(1)).toEqual([COMMAND, 30]);
    expect(ending(payer)).toEqual([COMMITTED, 0]);
    expect(taken(friend)).toEqual([COMMITTED, 0, 600, "USD"]);
    expect(balances(world, friend)).toEqual([1400, 600]);
    expect(log(world, payer).at(-1)).toEqual([SENT, COMMITTED, 600, "USD"]);
  });

  test("of more than there is may be of less the second time (570)", () => {
    const { world, friend, payer } = twoPersons();
    payer.host = owner(null, [2000]);
    world.tell(payer, "agent", [60, COMMAND, 2001, "USD"]);
    expect(payer.last(23)?.slice(1)).toEqual([COMMAND, 29]);
    expect(ending(payer)).toEqual([COMMITTED, 0]);
    expect(balances(world, friend)).toEqual([0, 2000]);
  });

  test.each([
    ["gives no other", [null], [ABORTED, 30]],
    ["is silent", [], [ABORTED, 19]],
    ["never finds the right one", [601, 602, 603], [ABORTED, 30]],
  ])("ends when its owner %s (578)", (_what, amounts, expected) => {
    const { world, friend, payer } = twoPersons();
    world.tell(friend, "agent", [61, 600, "USD"]);
    payer.host = owner(null, amounts);
    world.tell(payer, "agent", [60, COMMAND, 700, "USD"]);
    world.pass(60000);
    expect(ending(payer)).toEqual(expected);
    expect(taken(friend)?.slice(0, 2)).toEqual(expected);
    expect(balances(world, friend)).toEqual([2000, 0]);
  });
});
