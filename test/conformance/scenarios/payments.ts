// SPDX-License-Identifier: Apache-2.0
// Money Module Payment (Fig. 12) with the real modules, and what stops it.
import { pay } from "../../support/agentStandIn.ts";
import { filled } from "../../../host/torture/agentWorld.ts";
import { PurchaseWorld, willingCustomer } from "../../../host/torture/purchaseWorld.ts";
import { payingWorld, State, stockedWorld } from "../../support/moneyWorld.ts";
import type { Scenario } from "../recorder.ts";

const BUY = 1;

/** Two persons, of whom the first bought 20.00. */
function twoPersons() {
  const world = new PurchaseWorld();
  world.fund(world.merchant, 5000);
  world.customer.host = willingCustomer(2000);
  world.order(BUY);
  world.pass(30000);
  const friend = world.add("customer", "D");
  world.connect(world.customer, friend);
  return { world, friend };
}

function expectState(actual: unknown, expected: number, what: string): void {
  if (actual !== expected) throw new Error(`${what} ended ${String(actual)}, not ${expected}.`);
}

export const paymentScenarios: Scenario[] = [
  {
    name: "a payment between persons",
    run: () => {
      const { world } = twoPersons();
      world.tell(world.customer, "agent", [60, filled(50), 700, "USD"]);
      expectState(world.customer.last(29)?.[2], State.committed, "The payment");
    },
  },
  {
    name: "a payment of another amount than the payee expects",
    run: () => {
      const { world, friend } = twoPersons();
      world.tell(friend, "agent", [61, 600, "USD"]);
      world.tell(world.customer, "agent", [60, filled(50), 700, "USD"]);
      expectState(world.customer.last(29)?.[2], State.aborted, "The payment");
    },
  },
  {
    name: "a payment of more than there is, and then of what there is",
    run: () => {
      const { world } = twoPersons();
      world.tell(world.customer, "agent", [60, filled(50), 2001, "USD"]);
      expectState(world.customer.last(29)?.[2], State.committed, "The payment");
    },
  },
  {
    name: "a payment of more than there is",
    run: () => {
      const { world } = twoPersons();
      world.customer.host = ([number, command]) =>
        number === 23 ? [[24, command, null, null]] : [];
      world.tell(world.customer, "agent", [60, filled(50), 2001, "USD"]);
      expectState(world.customer.last(29)?.[2], State.aborted, "The payment");
    },
  },
  {
    name: "modules: a note that comes back to one who had it",
    run: () => {
      const { world, a, b } = payingWorld([5_000]);
      pay(a, b, 1_000, "there");
      world.carry();
      const { payId } = pay(b, a, 600, "back");
      world.carry();
      expectState(a.outcomeOf(payId)?.[1], State.committed, "The way back");
    },
  },
  {
    name: "modules: a bank issues and a customer withdraws",
    run: () => {
      const { world, teller, customer } = stockedWorld(10_000);
      expectState(world.withdraw(customer, teller, 2_500)[2], State.committed, "The withdrawal");
    },
  },
];
