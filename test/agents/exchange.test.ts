// SPDX-License-Identifier: Apache-2.0
// Exchange of two units between two devices in one commit (docs/protocol.md section 4), with the
// real images: the one who begins decides, the other one's owner is asked, and both legs go or
// neither.
import { itemsOf } from "../../host/torture/items.ts";
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../host/trust/cbor.ts";
import { type Device, filled, type Host } from "../../host/torture/agentWorld.ts";
import { acquire, merchantComponents, PurchaseWorld } from "../../host/torture/purchaseWorld.ts";

const ABORTED = 1;
const COMMITTED = 2;
const IN_DOUBT = 3;
const EXCHANGE = 8;
const COMMAND = filled(50);
/** 10.00 USD for 9.00 EUR, rounded down. */
const ORDER = [63, COMMAND, 1000, "USD", 900, "EUR", 1];

const owner =
  (word: boolean | null): Host =>
  ([number, tag]) =>
    number === 65 && word !== null ? [[66, tag, word]] : [];

const persons = new PurchaseWorld();
const other = persons.add("customer", "D");
persons.fund(persons.customer, 2000, "USD");
persons.fund(other, 2000, "EUR");
persons.connect(persons.customer, other);
persons.connect(other, persons.customer);
for (const device of [persons.customer, other]) device.heard.length = 0;
const atRest = persons.snapshot();

/** The customer has 20.00 USD, a friend 20.00 EUR. */
function twoPersons(word: boolean | null = true) {
  persons.restore(atRest);
  other.host = owner(word);
  return { world: persons, friend: other, decider: persons.customer };
}

const ending = (device: Device) => device.last(29)?.slice(2, 4);
/** State, reason, amount, unit, counter amount and unit of what a peer began. */
const taken = (device: Device) => {
  const message = device.last(64);
  return message && [...message.slice(2, 4), ...message.slice(5, 7), ...message.slice(8)];
};
/** USD and EUR of both. */
const holdings = (world: PurchaseWorld, devices: Device[]) =>
  devices.map((device) => [world.balance(device, "USD"), world.balance(device, "EUR")]);
const BEFORE = [
  [2000, 0],
  [0, 2000],
];
const AFTER = [
  [1000, 900],
  [1000, 1100],
];

/** The newest log entry of an agent: kind, state, paid, received. */
function newestLog(world: PurchaseWorld, device: Device): unknown[] {
  const entries = itemsOf((cursor) => world.tell(device, "agent", [9, cursor])[0]);
  const entry = decodeCbor(entries.at(-1)!) as unknown[];
  return [entry[2], entry[3], entry[8], entry[9], entry[12]];
}

describe("an exchange", () => {
  test("moves both amounts; the other owner is asked, both hosts and both logs tell", () => {
    const { world, friend, decider } = twoPersons();
    world.tell(decider, "agent", ORDER);
    expect(friend.last(65)?.slice(3)).toEqual([900, "EUR", 1000, "USD"]);
    expect(ending(decider)).toEqual([COMMITTED, 0]);
    expect(taken(friend)).toEqual([COMMITTED, 0, 1000, "USD", 900, "EUR"]);
    expect(holdings(world, [decider, friend])).toEqual(AFTER);
    expect(newestLog(world, decider)).toEqual([EXCHANGE, COMMITTED, 1000, "USD", [900, "EUR"]]);
    expect(newestLog(world, friend)).toEqual([EXCHANGE, COMMITTED, 900, "EUR", [1000, "USD"]]);
    world.pass(30000);
    for (const device of [decider, friend]) world.reboot(device, "agent");
    expect(world.tell(decider, "agent", ORDER)[0]?.slice(2, 4)).toEqual([COMMITTED, 0]);
    expect(holdings(world, [decider, friend])).toEqual(AFTER);
  });

  test("that the other owner refuses moves nothing, and both are told so", () => {
    const { world, friend, decider } = twoPersons(false);
    world.tell(decider, "agent", ORDER);
    expect(ending(decider)).toEqual([ABORTED, 19]);
    expect(taken(friend)?.slice(0, 2)).toEqual([ABORTED, 19]);
    // There is no other amount to ask for: the terms are the owners' bargain.
    expect(decider.told(23)).toHaveLength(0);
    expect(holdings(world, [decider, friend])).toEqual(BEFORE);
  });

  test("that the other owner does not answer is refused in time", () => {
    const { world, friend, decider } = twoPersons(null);
    world.tell(decider, "agent", ORDER);
    world.pass(56000);
    expect(ending(decider)).toEqual([ABORTED, 19]);
    expect(taken(friend)?.slice(0, 2)).toEqual([ABORTED, 19]);
    expect(holdings(world, [decider, friend])).toEqual(BEFORE);
  });

  test.each([
    ["the one who decides", [63, COMMAND, 2001, "USD", 900, "EUR", 0]],
    ["the other one", [63, COMMAND, 1000, "USD", 2001, "EUR", 0]],
  ])("for which %s has not enough is refused, and nothing is kept back", (_who, command) => {
    const { world, friend, decider } = twoPersons();
    world.tell(decider, "agent", command);
    world.pass(60000);
    expect(ending(decider)).toEqual([ABORTED, 29]);
    expect(taken(friend)?.slice(0, 2)).toEqual([ABORTED, 29]);
    expect(holdings(world, [decider, friend])).toEqual(BEFORE);
    world.tell(decider, "agent", [63, filled(51), 2000, "USD", 2000, "EUR", 0]);
    expect(ending(decider)).toEqual([COMMITTED, 0]);
  });

  test.each([
    ["one unit", [63, COMMAND, 1000, "USD", 900, "USD", 0]],
    ["nothing for something", [63, COMMAND, 1000, "USD", 0, "EUR", 0]],
    ["something for nothing", [63, COMMAND, 0, "USD", 900, "EUR", 0]],
    ["an unknown rounding", [63, COMMAND, 1000, "USD", 900, "EUR", 3]],
    ["no counter amount", [63, COMMAND, 1000, "USD"]],
  ])("of %s is malformed", (_what, command) => {
    const { world, decider } = twoPersons();
    expect(world.tell(decider, "agent", command)[0]).toEqual([0, 63, 1]);
  });

  test("between merchants' devices is for devices of one owner", () => {
    const world = new PurchaseWorld();
    world.fund(world.merchant, 2000, "USD");
    const [sibling, stranger] = ["N", "S"].map((name) => {
      const device = world.add("merchant", name);
      const of = name === "N" ? "OWNER" : "OTHER";
      acquire(world, device, world.authority, 2, merchantComponents("Florist", of));
      world.fund(device, 2000, "EUR");
      device.host = owner(true);
      return device;
    }) as [Device, Device];
    world.connect(world.merchant, stranger);
    world.tell(world.merchant, "agent", ORDER);
    expect(ending(world.merchant)).toEqual([ABORTED, 22]);
    expect(stranger.told(65)).toHaveLength(0);
    world.connect(world.merchant, sibling);
    world.tell(world.merchant, "agent", [63, filled(51), ...ORDER.slice(2)]);
    expect(ending(world.merchant)).toEqual([COMMITTED, 0]);
    expect(holdings(world, [world.merchant, sibling])).toEqual(AFTER);
  });
});

describe("an exchange that is disturbed", () => {
  /** Both legs, or neither, at each device that is not in doubt. */
  function expectWhole(at: number, world: PurchaseWorld, decider: Device, friend: Device) {
    const [own, other] = holdings(world, [decider, friend]);
    const isDone = own?.[0] === 1000;
    expect([at, own]).toEqual([at, isDone ? AFTER[0] : BEFORE[0]]);
    expect([at, other]).toEqual([at, isDone ? AFTER[1] : BEFORE[1]]);
    // An agent that had nothing durable yet says nothing of what it has forgotten.
    expect([at, ending(decider)?.[0] ?? ABORTED]).toEqual([at, isDone ? COMMITTED : ABORTED]);
  }

  test("the line cut for good at any message; what is in doubt heals when they meet again", () => {
    const seen = new Set<unknown>();
    for (let cut = 2; cut < 30; cut += 1) {
      const { world, friend, decider } = twoPersons();
      const start = world.carried;
      world.wire = (body) => (world.carried - start > cut ? null : body);
      world.tell(decider, "agent", ORDER);
      world.pass(300000);
      const state = taken(friend)?.[0];
      seen.add(state);
      if (state === IN_DOUBT) {
        // Its own leg is promised: neither its to spend nor gone.
        expect([cut, world.balance(friend, "EUR")]).toEqual([cut, 1100]);
        world.wire = (body) => body;
        world.tell(decider, "agent", [60, filled(52), 1, "USD"]);
        world.pass(60000);
        expect([cut, decider.last(29)?.[2]]).toEqual([cut, COMMITTED]);
        world.connect(friend, decider);
        world.tell(friend, "agent", [60, filled(53), 1, "USD"]);
        world.pass(60000);
        expect([cut, taken(friend)?.[0]]).toEqual([cut, COMMITTED]);
      }
      const [own, other] = holdings(world, [decider, friend]);
      const total = [0, 1].map((unit) => (own?.[unit] ?? 0) + (other?.[unit] ?? 0));
      expect([cut, total]).toEqual([cut, [2000, 2000]]);
    }
    expect(seen).toContain(IN_DOUBT);
    expect(seen).toContain(COMMITTED);
  }, 120000);

  test.each([
    ["decider", "agent"],
    ["decider", "module"],
    ["friend", "agent"],
    ["friend", "module"],
  ] as const)(
    "power of the %s's %s lost at any message",
    (who, half) => {
      for (let at = 3; at < 27; at += 3) {
        const { world, friend, decider } = twoPersons();
        const start = world.carried;
        let isDone = false;
        world.wire = (body) => {
          if (world.carried - start !== at || isDone) return body;
          isDone = true;
          return null;
        };
        world.tell(decider, "agent", ORDER);
        world.reboot(who === "friend" ? friend : decider, half);
        world.pass(300000);
        expectWhole(at, world, decider, friend);
      }
    },
    120000,
  );
});
