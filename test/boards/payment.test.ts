// SPDX-License-Identifier: Apache-2.0
// The release images on emulated boards, over real serial lines: certification, pairing, withdrawal
// and a payment from board to board, message for message as on the simulator.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { filled } from "../../host/torture/agentWorld.ts";
import { BoardWorld, COMMITTED, FUNDS_MINOR, Party, until } from "./world.ts";

const PAID_MINOR = 1_250;
const PAYMENT = filled(21);

let emulated: BoardWorld;
let simulated: BoardWorld;

/** Command 80 and its answer: how often a test asks depends on the machine's speed. */
const BALANCE = /^008[0-9a-f]1850/;

/** One module's messages in one direction, in order for each port: what comes from the other device
 * and what comes from the own half may cross. */
function messagesOf({ tap }: Party, channel: number, toBoard: boolean): string[] {
  return tap.messages
    .filter((message) => message.channel === channel && message.toBoard === toBoard)
    .map(({ body }) => body)
    .filter((body) => !BALANCE.test(body))
    .sort((one, other) => Number(one.slice(0, 2)) - Number(other.slice(0, 2)));
}

async function payOnce(world: BoardWorld): Promise<void> {
  await world.pay(PAYMENT, PAID_MINOR);
  await until("the payee's money", async () => (await world.payee.balance())[0] === PAID_MINOR);
  await world.settle();
}

beforeAll(async () => {
  emulated = await BoardWorld.make(true);
  simulated = await BoardWorld.make(false);
  await Promise.all([payOnce(emulated), payOnce(simulated)]);
});

afterAll(async () => {
  await emulated.close();
  await simulated.close();
});

test("a payment from board to board moves the money", async () => {
  expect(emulated.payer.stateOf(PAYMENT)).toBe(COMMITTED);
  expect(await emulated.payer.balance()).toEqual([FUNDS_MINOR - PAID_MINOR, 0]);
  expect(await emulated.payee.balance()).toEqual([PAID_MINOR, 0]);
});

describe.each(["payer", "payee"] as const)("the %s's board", (who) => {
  test.each([
    ["agent hears", 2, true],
    ["agent says", 2, false],
    ["module hears", 3, true],
    ["module says", 3, false],
  ] as const)("%s what it does on the simulator, byte for byte", (_, channel, toBoard) => {
    const there = messagesOf(emulated[who], channel, toBoard);
    const here = messagesOf(simulated[who], channel, toBoard);
    expect(here.length).toBeGreaterThan(10);
    expect(there).toEqual(here);
  });
});

test("a board that takes long tells that it is at work, every 100 ms of its time", async () => {
  // 64 ns for each instruction, as on a processor of some 16 MHz.
  const party = await Party.open("slow", { module: "transaction-module" }, ["-icount", "shift=6"]);
  const from = party.tap.keepalives;
  const [, signing] = await party.ask("module", 2);
  expect(signing).toHaveLength(32);
  // Two keys take between two and eight million instructions.
  expect(party.tap.keepalives - from).toBeGreaterThan(0);
  expect(party.tap.keepalives - from).toBeLessThan(6);
  await party.close();
});
