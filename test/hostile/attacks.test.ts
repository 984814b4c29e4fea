// SPDX-License-Identifier: Apache-2.0
// Attacks and accidents that docs/protocol.md names in brackets, and that no other test is about:
// each under its name, with the release images.
import { expect, test } from "vitest";
import { OWN } from "../../host/torture/bareModule.ts";
import { type Device, filled, hex } from "../../host/torture/agentWorld.ts";
import { payloadOf, PurchaseWorld, willingCustomer } from "../../host/torture/purchaseWorld.ts";
import { itemsOf } from "../../host/torture/items.ts";
import { START_SECONDS } from "../../host/torture/testAgency.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { pay, type Terms } from "../support/agentStandIn.ts";
import { payingWorld, State, stockedWorld, TO_MODULE } from "../support/moneyWorld.ts";

const BUY = 1;
const SELL = 2;
const COMMITTED = 2;
const DAY_SECONDS = 86_400;
const EXPIRED = 11;

test("a new certificate strands the money of the old one: what was held and in doubt is had", () => {
  const { world, teller } = stockedWorld(10_000);
  const expires = START_SECONDS + 20 * DAY_SECONDS;
  const customer = world.add("BRIEF-B", Role.TRANSACTION, { expires });
  world.withdraw(customer, teller, 1_000);
  // Acknowledgement and statements, in a session (29) and without one (6).
  world.loses = ({ type, body }) => type === 27 || type === 29 || body[1] === 6;
  world.withdraw(customer, teller, 700);
  world.settle();
  expect(world.balance(customer)).toEqual([1_000, 700, 0]);
  world.loses = () => false;
  world.clock.advance(21 * DAY_SECONDS * 1000);
  expect(world.bank(customer, teller, 3, 1_700, "EUR", "1234567890")[3]).toBe(EXPIRED);
  const [, signing, sealing] = customer.module.ask(2) as [number, Uint8Array, Uint8Array];
  const claims = world.agency.claims("BRIEF-B", Role.TRANSACTION, { signing, sealing });
  expect(world.agency.install(customer.module, world.agency.chain(claims))).toEqual([4]);
  world.command(customer, 89);
  world.settle();
  expect(world.balance(customer)).toEqual([1_700, 0, 0]);
  expect(world.bank(customer, teller, 3, 1_700, "EUR", "1234567890")[2]).toBe(State.committed);
  expect(world.balance(teller)[0]).toBe(10_000);
});

test("a card issuer follows the notes: the card side hears no pay id, the notes no transaction", () => {
  const world = new PurchaseWorld();
  world.fund(world.merchant, 5_000);
  world.customer.host = willingCustomer(2_000);
  world.order(BUY);
  const [, , state, , , transactionId, payId, receipt] = world.customer.last(29)!;
  expect(state).toBe(COMMITTED);
  const cardSide = [...world.merchant.told(45), ...world.merchant.told(47), receipt];
  const notes = ["log", "notes"].flatMap((what) =>
    itemsOf((cursor) => {
      const command = what === "log" ? [9, cursor] : [8, 2, cursor];
      return world.tell(world.customer, "module", command)[0];
    }),
  );
  const [card, money] = [hex(encodeCbor(cardSide)), notes.map(hex).join(" ")];
  const names = [transactionId, payId].map((name) => hex(name as Uint8Array));
  expect(names.map((name) => card.includes(name))).toEqual([true, false]);
  expect(names.map((name) => money.includes(name))).toEqual([false, true]);
});

test("the link repeats `pay 10` after a reboot: it is paid once", () => {
  const world = new PurchaseWorld();
  const friend = world.add("customer", "D");
  world.fund(world.customer, 5_000);
  world.connect(world.customer, friend);
  const command = [60, filled(50), 1_000, "USD"];
  for (let time = 0; time < 3; time += 1) {
    world.tell(world.customer, "agent", command);
    expect(world.customer.last(29)?.slice(2, 4)).toEqual([COMMITTED, 0]);
    expect([world.balance(world.customer), world.balance(friend)]).toEqual([4_000, 1_000]);
    world.reboot(world.customer, "agent");
    if (time > 0) world.reboot(world.customer, "module");
    world.pass(30_000);
  }
});

test("the owner's order is replayed: nothing more is paid, not even after a boot", () => {
  const { world, a, b } = payingWorld([5_000]);
  pay(a, b, 1_000, "ordered");
  world.settle();
  // Local records carry the order (540); all of them are said again.
  const said = world.log
    .filter(({ to, type, body }) => to === a.node && type === TO_MODULE && body[1] === 10)
    .map(({ body }) => body);
  expect(said.length).toBeGreaterThan(0);
  for (let boot = 0; boot < 2; boot += 1) {
    const answers = said.flatMap((body) => a.node.module.deliver(OWN, body));
    // What does not open makes the module ask for a new key (7), and for nothing else.
    expect(answers.filter(({ body }) => (decodeCbor(body) as unknown[])[0] !== 7)).toEqual([]);
    world.settle();
    expect([world.balance(a.node)[0], world.balance(b.node)[0]]).toEqual([4_000, 1_000]);
    world.run(a.node, () => a.node.module.reboot());
    world.settle();
  }
});

test("a key is forced through R(2): records of one payment open in no other", () => {
  const { world, a, b } = payingWorld([5_000]);
  const first = pay(a, b, 1_000, "first");
  world.settle();
  const records = world.log
    .filter(({ to, type, body }) => to === a.node && type === TO_MODULE && body[1] === 11)
    .map(({ body }) => decodeCbor(body) as unknown[]);
  expect(records.length).toBeGreaterThan(3);
  // Both numbers are those of the first payment, so that R(1) xor R(2) is, too.
  const second: Terms = {
    ...first,
    tag: filled(9, 8),
    payId: filled(9),
    transactionId: filled(8),
    exporter: filled(7, 32),
    amount: 200,
  };
  b.order(second, a, false);
  a.order(second, b, true);
  const heard: unknown[] = [];
  world.loses = ({ to, type }) => {
    if (to !== a.node || type !== TO_MODULE) return false;
    for (const [kind, , ...rest] of records) {
      heard.push(...a.node.module.deliver(OWN, encodeCbor([kind, second.payId, ...rest])));
    }
    return false;
  };
  world.settle();
  expect(heard).toEqual([]);
  expect(a.outcomeOf(second.payId)?.slice(1, 4)).toEqual([State.committed, 0, 200]);
  expect([world.balance(a.node)[0], world.balance(b.node)[0]]).toEqual([3_800, 1_200]);
});

test("a packet that was aborted is kept: no signature that could be spent ever came", () => {
  const { world, a, b } = payingWorld([5_000]);
  const start = [a, b].map(({ node }) => node.module.snapshot());
  pay(a, b, 1_000, "kept");
  world.settle();
  const [note] = itemsOf((cursor) => b.node.module.ask(8, 2, cursor));
  const [, transfers] = decodeCbor(note!) as [unknown, Uint8Array[][]];
  const signature = Buffer.from(transfers.at(-1)![3]!);
  const knows = () => Buffer.from(b.node.module.snapshot().instance!.memory).includes(signature);
  expect(knows()).toBe(true);
  for (const [index, { node }] of [a, b].entries()) node.module.restore(start[index]!);
  const before = world.clock.nowMs();
  world.loses = ({ type }) => {
    expect(knows()).toBe(false);
    return type === 26;
  };
  const { payId } = pay(a, b, 1_000, "kept");
  world.settle();
  expect(Math.floor(before / 3_600_000)).toBe(Math.floor(world.clock.nowMs() / 3_600_000));
  for (const { node } of [b, a]) world.command(node, 89);
  b.close(payId);
  world.settle();
  expect(b.outcomeOf(payId)?.[1]).toBe(State.aborted);
  expect(knows()).toBe(false);
});

test("a seller drops the Ready-to-Commit, at any message: no credit without the notes", () => {
  const seen = new Set<string>();
  for (let from = 20; from < 44; from += 1) {
    const world = new PurchaseWorld();
    world.fund(world.customer, 5_000);
    world.customer.host = willingCustomer(2_000);
    const start = world.carried;
    world.wire = (body) => (world.carried - start > from ? null : body);
    world.order(SELL);
    world.pass(300_000);
    const first = outcome(world);
    world.wire = (body) => body;
    for (const [one, other] of [
      [world.merchant, world.customer],
      [world.customer, world.merchant],
    ] as const) {
      world.connect(one, other);
      for (let question = 0; question < 2; question += 1) world.tell(one, "module", [89]);
    }
    world.pass(300_000);
    const last = outcome(world);
    for (const { paid, credited } of [first, last]) {
      if (credited) expect([from, paid]).toEqual([from, 2_000]);
    }
    expect([from, last.credited]).toEqual([from, last.paid === 2_000]);
    seen.add(`${first.credited} ${last.credited}`);
  }
  expect([...seen].sort()).toEqual(["false false", "false true", "true true"]);
});

/** What the seller no longer has, and whether its card was credited (completion 1). */
function outcome(world: PurchaseWorld) {
  const completions = world.merchant.told(47).map(([, , completion]) => {
    return (decodeCbor(payloadOf(completion)) as unknown[])[1];
  });
  const left = (device: Device) => world.balance(device);
  return { paid: 5_000 - left(world.customer), credited: completions.includes(1) };
}
