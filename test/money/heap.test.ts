// SPDX-License-Identifier: Apache-2.0
// The heap of money modules at its deepest (decision 0006: one page of memory): the widest payments
// in both legs leave room that no event has ever touched.
import { expect, test } from "vitest";
import { Role } from "../../host/trust/certificates.ts";
import { pay } from "../support/agentStandIn.ts";
import { type Node, payingWorld, State, stockedWorld } from "../support/moneyWorld.ts";

/** Bytes kept free for what no test has thought of. */
const MARGIN = 2_048;
/** The allocator's last words: the free block's address of itself, and the end of the heap. */
const END_SIZE = 17;

/** Bytes at the end of memory that nothing has written since the last boot. */
function untouched(node: Node): number {
  const { memory } = node.module.snapshot().instance!;
  let top = memory.length - END_SIZE;
  while (memory[top] === 0) top--;
  return memory.length - top;
}

function expectRoom(...nodes: Node[]): void {
  for (const node of nodes) {
    expect([node.name, untouched(node) >= MARGIN, untouched(node)]).toEqual([
      node.name,
      true,
      untouched(node),
    ]);
  }
}

test("eight notes for eight notes, and eight to a generator", () => {
  const { world, teller, generator, customer } = stockedWorld(100);
  for (let i = 0; i < 9; i++) world.withdraw(customer, teller, 11);
  for (let i = 0; i < 9; i++) world.restock(teller, generator, 17);
  world.bank(customer, teller, 5, 88, "EUR", null);
  expect(customer.heardOf(29).at(-1)!.slice(2, 4)).toEqual([State.committed, 0]);
  for (let i = 0; i < 9; i++) world.restock(teller, generator, 10 + i);
  world.bank(teller, generator, 4, 1_000_000, "EUR", null);
  expect(teller.heardOf(29).at(-1)!.slice(2, 4)).toEqual([State.committed, 0]);
  expectRoom(customer, teller, generator);
});

test("a refresh and a withdrawal that wait at a teller while it is restocked", () => {
  const { world, teller, generator, customer } = stockedWorld(100);
  const second = world.add("CUSTO-D", Role.TRANSACTION);
  for (let i = 0; i < 9; i++) world.restock(teller, generator, 17);
  for (let i = 0; i < 9; i++) world.withdraw(second, teller, 11);
  teller.grant = null;
  world.bank(customer, teller, 1, 2_000, "EUR", "1234567890");
  world.bank(second, teller, 5, 88, "EUR", null);
  world.restock(teller, generator, 5_000);
  for (const [, , payId] of teller.heardOf(82)) world.command(teller, 83, payId, true);
  world.settle(50_000);
  expect([world.balance(customer)[0], world.balance(second)[0]]).toEqual([2_000, 99]);
  expectRoom(customer, second, teller, generator);
});

test("eight notes from device to device and back", () => {
  const { world, a, b } = payingWorld([100, 200, 300, 400, 500, 600, 700, 800]);
  pay(a, b, 3_600, "there");
  world.settle();
  expect(world.balance(b.node)[0]).toBe(3_600);
  pay(b, a, 2_600, "back");
  world.settle();
  expect(world.balance(a.node)[0]).toBe(2_600);
  expectRoom(a.node, b.node);
});
