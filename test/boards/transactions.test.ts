// SPDX-License-Identifier: Apache-2.0
// The release images on emulated boards, over real serial lines: a payment from board to board, and
// a purchase by card between a customer's board and a merchant's, message for message as on the
// simulator with the same seed. KEEPALIVE and repetitions are the line's and not compared.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { filled } from "../../host/torture/agentWorld.ts";
import type { Meeting } from "./meeting.ts";
import { COMMITTED, Party, until } from "./party.ts";
import { FUNDS_MINOR, PaymentWorld, PurchaseWorld } from "./world.ts";

const PAID_MINOR = 1_250;
const ORDER = filled(21);

/** Commands that ask what is there: how often a test asks depends on the machine's speed. */
const QUESTION = /^008[0-9a-f]18(50|59)/;

/** One module's messages in one direction, in order for each port: what comes from the other device
 * and what comes from the own half may cross. */
function messagesOf({ tap }: Party, channel: number, toBoard: boolean): string[] {
  return tap.messages
    .filter((message) => message.channel === channel && message.toBoard === toBoard)
    .map(({ body }) => body)
    .filter((body) => !QUESTION.test(body))
    .sort((one, other) => Number(one.slice(0, 2)) - Number(other.slice(0, 2)));
}

async function carryOut(world: Meeting): Promise<void> {
  await world.prepare();
  await world.carryOut(ORDER);
  await world.settle();
}

/** Both halves of both devices say and hear the same on either kind of board. */
function compare(worlds: () => [emulated: Meeting, simulated: Meeting]): void {
  describe.each(["first", "second"] as const)("the %s device's board", (who) => {
    test.each([
      ["agent hears", 2, true],
      ["agent says", 2, false],
      ["module hears", 3, true],
      ["module says", 3, false],
    ] as const)("%s what it does on the simulator, byte for byte", (_, channel, toBoard) => {
      const [there, here] = worlds().map((world) => messagesOf(world[who], channel, toBoard));
      expect(here!.length).toBeGreaterThan(10);
      expect(there).toEqual(here);
    });
  });
}

describe("a payment from board to board", () => {
  let emulated: PaymentWorld;
  let simulated: PaymentWorld;
  beforeAll(async () => {
    emulated = await PaymentWorld.make({ isEmulated: true });
    simulated = await PaymentWorld.make({ isEmulated: false });
    for (const world of [emulated, simulated]) {
      world.amountMinor = PAID_MINOR;
      await carryOut(world);
    }
  });
  afterAll(() => Promise.all([emulated.close(), simulated.close()]));

  test("moves the money", async () => {
    expect(emulated.first.stateOf(ORDER)).toBe(COMMITTED);
    expect(await emulated.first.balance()).toEqual([FUNDS_MINOR - PAID_MINOR, 0]);
    expect(await emulated.second.balance()).toEqual([PAID_MINOR, 0]);
  });

  compare(() => [emulated, simulated]);
});

describe("a purchase by card between a customer's board and a merchant's", () => {
  let emulated: PurchaseWorld;
  let simulated: PurchaseWorld;
  beforeAll(async () => {
    emulated = await PurchaseWorld.make({ isEmulated: true });
    simulated = await PurchaseWorld.make({ isEmulated: false });
    for (const world of [emulated, simulated]) {
      await carryOut(world);
      await until("the card's posting", () => world.cards("posted") === 1);
    }
  });
  afterAll(() => Promise.all([emulated.close(), simulated.close()]));

  test("moves the money, leaves a receipt and posts the card", async () => {
    const { gainMinor } = emulated;
    expect(emulated.first.stateOf(ORDER)).toBe(COMMITTED);
    expect(await emulated.first.balance("USD")).toEqual([gainMinor, 0]);
    expect(await emulated.second.balance("USD")).toEqual([FUNDS_MINOR - gainMinor, 0]);
    // The card that was acquired before is a ticket too. Both are asked: their messages are
    // compared.
    expect([await emulated.tickets(), await simulated.tickets()]).toEqual([2, 2]);
    expect(emulated.books.conflicts).toEqual([]);
    expect([emulated.cards("posted"), emulated.cards("held")]).toEqual([1, 0]);
  });

  compare(() => [emulated, simulated]);
});

test("a board that takes long tells that it is at work, every 100 ms of its time", async () => {
  // 64 ns for each instruction, as on a processor of some 16 MHz.
  const party = await Party.open(
    "slow",
    { module: "transaction-module" },
    { emulator: ["-icount", "shift=6"] },
  );
  const from = party.tap.keepalives;
  const [, signing] = await party.ask("module", 2);
  expect(signing).toHaveLength(32);
  // Two keys take between two and eight million instructions.
  expect(party.tap.keepalives - from).toBeGreaterThan(0);
  expect(party.tap.keepalives - from).toBeLessThan(6);
  await party.close();
});
