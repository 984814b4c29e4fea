// SPDX-License-Identifier: Apache-2.0
// Credentials from an authority's agent to customers and merchants, with the real agent images
// (paragraphs 42, 56-58, 89-90).
import { describe, expect, test } from "vitest";
import { readTicket } from "../../host/application/tickets.ts";
import { AgentWorld, filled } from "../../host/torture/agentWorld.ts";
import { acquire, cardComponents, merchantComponents } from "../../host/torture/purchaseWorld.ts";

function newWorld(rights = 3) {
  const world = new AgentWorld();
  const authority = world.add("authority", "A", { rights });
  return {
    world,
    authority,
    customer: world.add("customer", "C"),
    merchant: world.add("merchant", "M"),
  };
}

/** State and reason of a message 29. */
const ending = (finished: unknown[] | undefined) => finished?.slice(2, 4);

describe("a card credential", () => {
  test("is created, delivered and kept, and both sides say so", () => {
    const { world, authority, customer } = newWorld();
    const finished = acquire(world, customer, authority, 1, cardComponents());
    expect(ending(finished)).toEqual([2, 0]);
    const ticket = readTicket(finished?.at(-1) as Uint8Array);
    expect(ticket).toMatchObject({ type: "card", account: "4000001234567899", unit: "EUR" });
    const created = authority.last(73);
    expect(created?.[2]).toEqual(finished?.at(-1));
    const [exported] = world.tell(customer, "agent", [8, 1, 0]);
    expect(exported).toEqual([8, 1, null, finished?.at(-1)]);
    const [entry] = world.tell(customer, "agent", [9, 0]);
    expect(entry?.[2]).toBeInstanceOf(Uint8Array);
  });

  test("survives a loss of power", () => {
    const { world, authority, customer } = newWorld();
    const finished = acquire(world, customer, authority, 1, cardComponents());
    world.reboot(customer, "agent");
    expect(world.tell(customer, "agent", [30, filled(201)])).toEqual([finished]);
    expect(world.tell(customer, "agent", [8, 1, 0])[0]?.[3]).toEqual(finished?.at(-1));
  });

  test("is not created twice for a command that the host repeats", () => {
    const { world, authority, customer } = newWorld();
    const finished = acquire(world, customer, authority, 1, cardComponents());
    expect(world.tell(customer, "agent", [70, filled(201), 1])).toEqual([finished]);
    expect(authority.told(71)).toHaveLength(1);
  });

  test("is refused when the authority's host refuses", () => {
    const { world, authority, customer } = newWorld();
    expect(ending(acquire(world, customer, authority, 1, null))).toEqual([1, 19]);
    expect(world.tell(customer, "agent", [8, 1, 0])).toEqual([[8, 1, null, null]]);
  });

  test("is not asked for by a merchant, nor a merchant's by a customer", () => {
    const { world, authority, customer, merchant } = newWorld();
    world.connect(merchant, authority);
    expect(world.tell(merchant, "agent", [70, filled(1), 1])).toEqual([[0, 70, 15]]);
    expect(world.tell(customer, "agent", [70, filled(1), 2])).toEqual([[0, 70, 15]]);
  });

  test.each([
    ["of another bank", cardComponents("EUR", { 0: "Other Bank" })],
    ["with letters in its number", cardComponents("EUR", { 1: "4000O01234567899" })],
    ["of a unit that is none", cardComponents("eur")],
    ["without an approval key", cardComponents().slice(0, 7)],
  ])("%s is not signed", (_what, components) => {
    const { world, authority, customer } = newWorld();
    acquire(world, customer, authority, 1, components);
    expect(authority.last(0)).toEqual([0, 72, 20]);
    expect(authority.told(73)).toHaveLength(0);
  });

  test("is refused by an authority that may issue merchant credentials alone", () => {
    const { world, authority, customer } = newWorld(2);
    expect(ending(acquire(world, customer, authority, 1, cardComponents()))).toEqual([1, 20]);
  });

  test("is refused while the authority does not serve", () => {
    const { world, authority, customer } = newWorld();
    world.connect(customer, authority);
    world.tell(customer, "agent", [70, filled(1), 1]);
    expect(ending(customer.last(29))).toEqual([1, 19]);
  });
});

describe("a merchant credential", () => {
  test("is acquired, and lets the merchant serve and sign offers", () => {
    const { world, authority, merchant } = newWorld();
    expect(world.tell(merchant, "agent", [40, true])).toEqual([[0, 40, 46]]);
    expect(ending(acquire(world, merchant, authority, 2, merchantComponents()))).toEqual([2, 0]);
    expect(world.tell(merchant, "agent", [40, true])).toEqual([[40]]);
  });

  test("takes the place of the former one", () => {
    const { world, authority, merchant } = newWorld();
    acquire(world, merchant, authority, 2, merchantComponents("Old"));
    acquire(world, merchant, authority, 2, merchantComponents("New"), filled(9));
    const [first] = world.tell(merchant, "agent", [8, 1, 0]);
    expect(first?.[2]).toBeNull();
    expect(readTicket(first?.[3] as Uint8Array)).toMatchObject({ merchant: "New" });
  });
});
