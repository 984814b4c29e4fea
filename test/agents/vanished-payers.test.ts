// SPDX-License-Identifier: Apache-2.0
// Persons who pay and vanish after Ready-to-Commit leave the payee in doubt (protocol rule 4.3), at
// no cost to themselves. However many they are, the owner still buys and pays with other money.
import { expect, test } from "vitest";
import { type Device, filled } from "../../host/torture/agentWorld.ts";
import { PurchaseWorld, signOffer, willingCustomer } from "../../host/torture/purchaseWorld.ts";
import { START_SECONDS } from "../../host/torture/testAgency.ts";

const BUY = 1;
const COMMITTED = 2;
const IN_DOUBT = 3;
const JOURNAL_FULL = 6;
const DOUBTS = 6;

/** A world with a bank that has enough for all; `fund` gives a device 10.00 USD. */
function bankedWorld() {
  const world = new PurchaseWorld();
  const [generator, teller] = [world.addBank("generator", "G"), world.addBank("teller", "T")];
  for (const bank of [generator, teller]) {
    bank.host = ([number, first, second]) => {
      if (number === 82) return [[83, second, true]];
      return number === 84 ? [[85, first]] : [];
    };
  }
  world.connect(teller, generator);
  world.tell(teller, "module", [81, filled(101), 2, 100_000, "USD", null]);
  const fund = (device: Device) => {
    world.connect(device, teller);
    world.tell(device, "module", [81, filled(102), 1, 1_000, "USD", "12345678"]);
  };
  return { world, fund };
}

/**
 * `payer` pays the customer, the line being cut at a place that leaves the customer in doubt,
 * searched from `first` bodies down; the place.
 */
function vanish(world: PurchaseWorld, payer: Device, first: number): number {
  for (let cut = first; cut > 8; cut--) {
    const start = world.carried;
    world.wire = (body) => (world.carried - start > cut ? null : body);
    world.tell(payer, "agent", [60, filled(cut), cut, "USD"]);
    world.pass(300_000);
    world.wire = (body) => body;
    const [, , state, , , amount] = world.customer.last(64) as unknown[];
    if (state === IN_DOUBT && amount === cut) return cut;
  }
  throw new Error(`${payer.name} did not leave the customer in doubt.`);
}

test("a customer in doubt about six incoming payments takes no seventh, but buys and pays", () => {
  const { world, fund } = bankedWorld();
  fund(world.merchant);
  let cut = 20;
  for (let i = 0; i < DOUBTS; i++) {
    const payer = world.add("customer", String.fromCharCode(100 + i));
    fund(payer);
    world.connect(payer, world.customer);
    cut = vanish(world, payer, cut + 4);
  }
  const seventh = world.add("customer", "s");
  fund(seventh);
  world.connect(seventh, world.customer);
  world.tell(seventh, "agent", [60, filled(1), 5, "USD"]);
  world.pass(60_000);
  expect(seventh.last(29)?.slice(3, 4)).toEqual([JOURNAL_FULL]);

  world.reboot(world.customer, "module");
  world.reboot(world.customer, "agent");
  world.customer.host = willingCustomer(700);
  world.connect(world.customer, world.merchant);
  const before = world.balance(world.customer);
  world.order(BUY, signOffer(world, world.merchant, BUY, { expires: START_SECONDS + 1_000_000 }));
  world.pass(30_000);
  expect(world.customer.last(29)?.slice(2, 4)).toEqual([COMMITTED, 0]);
  world.connect(world.customer, seventh);
  world.tell(world.customer, "agent", [60, filled(250), 300, "USD"]);
  world.pass(30_000);
  expect(world.customer.last(29)?.slice(2, 4)).toEqual([COMMITTED, 0]);
  expect(world.balance(world.customer) - before).toBe(400);
}, 60_000);
