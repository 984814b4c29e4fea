// SPDX-License-Identifier: Apache-2.0
// Frames on the cable between host and device, damaged one by one in the middle of a payment: the
// link repairs it, or the payment ends cleanly (docs/link.md; paragraphs 75-76 of the patent).
import { beforeAll, describe, expect, test } from "vitest";
import { type Cable, type CableFault, LinkedDevices } from "../support/linkedDevices.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import { Random } from "../../host/torture/random.ts";
import { FAULT_WIDTH } from "../support/wireTrial.ts";

const COMMITTED = 2;
const FIRST = filled(21);
const SECOND = filled(22);
const THIRD = filled(23);
const SETTLE_MS = 300_000;

type Bytes = Uint8Array;
type Damage = (bytes: Bytes, random: Random, cable: Cable, toBoard: boolean) => Bytes[];

function flipped(bytes: Bytes, at: number, bit: number): Bytes[] {
  const changed = bytes.slice();
  changed[at] = changed[at]! ^ (1 << bit);
  return [changed];
}

const DAMAGES: [string, Damage][] = [
  ["dropped", () => []],
  ["duplicated", (bytes) => [bytes, bytes]],
  ["with its first byte flipped", (bytes, r) => flipped(bytes, 0, r.below(8))],
  ["with a bit of its head flipped", (bytes, r) => flipped(bytes, 1 + r.below(5), r.below(8))],
  ["with a middle bit flipped", (bytes, r) => flipped(bytes, bytes.length >> 1, r.below(8))],
  ["with its last byte flipped", (bytes, r) => flipped(bytes, bytes.length - 1, r.below(8))],
  ["with any bit flipped", (bytes, r) => flipped(bytes, r.below(bytes.length), r.below(8))],
  ["truncated", (bytes, r) => [bytes.slice(0, r.below(bytes.length))]],
  ["extended", (bytes, r) => [Uint8Array.from([...bytes, ...r.bytes(1 + r.below(700))])]],
  ["replaced by garbage", (bytes, r) => [r.bytes(bytes.length)]],
  ["behind garbage", (bytes, r) => [r.bytes(1 + r.below(1200)), bytes]],
  [
    "behind an old frame",
    (bytes, r, cable, toBoard) => {
      const old = cable.log.filter((chunk) => chunk.toBoard === toBoard);
      return [r.pick(old).bytes, bytes];
    },
  ],
  [
    "replaced by an old frame",
    (_, r, cable, toBoard) => {
      const old = cable.log.filter((chunk) => chunk.toBoard === toBoard);
      return [r.pick(old).bytes];
    },
  ],
  [
    "with the frames of both directions mixed",
    (bytes, r, cable) => [r.pick(cable.log).bytes, bytes],
  ],
];

let world: LinkedDevices;
/** Frames on the cable until the first payment was over. */
let framesOfFirst = 0;
beforeAll(async () => {
  world = await LinkedDevices.make();
});

/** A payment with this fault on the cable of one of the devices; what is wrong afterwards. */
async function payWith(side: "payer" | "payee", fault: CableFault | null): Promise<string[]> {
  await world.rewind();
  const { payer, payee, clock } = world;
  const { cable } = world[side];
  if (fault !== null) cable.fault = fault;
  world.pay(FIRST, 700);
  clock.advance(SETTLE_MS);
  framesOfFirst = cable.log.length;
  cable.fault = ({ bytes }) => [bytes];
  world.pay(SECOND, 500);
  clock.advance(SETTLE_MS);
  const wrong: string[] = [];
  const panics = payer.board.statistics.panics + payee.board.statistics.panics;
  if (panics > 0) wrong.push(`${panics} panics`);
  // An old frame put in late makes the link take the next one for a repetition: the link protects
  // against a bad line, not against an opponent, and a later payment may miss that message.
  if (payer.stateOf(SECOND) !== COMMITTED) {
    world.pay(THIRD, 500);
    clock.advance(SETTLE_MS);
    if (payer.stateOf(THIRD) !== COMMITTED) wrong.push("the next payments fail");
  }
  // The word on the first one may have been the frame that was lost: the owner asks.
  payer.tell("agent", 30, FIRST);
  clock.advance(SETTLE_MS);
  const moved = 500 + (payer.stateOf(FIRST) === COMMITTED ? 700 : 0);
  const balances = [await payer.balance(), await payee.balance()];
  if (
    JSON.stringify(balances) !==
    JSON.stringify([
      [5_000 - moved, 0],
      [moved, 0],
    ])
  ) {
    wrong.push(`balances ${JSON.stringify(balances)} after ${moved}`);
  }
  const received = await payee.received();
  if (received !== moved) wrong.push(`the payee's log has ${received}, the payer told ${moved}`);
  return wrong;
}

describe.each(["payer", "payee"] as const)("the cable of the %s", (side) => {
  test("carries two payments undamaged", async () => {
    expect(await payWith(side, null)).toEqual([]);
    expect(world.payer.stateOf(FIRST)).toBe(COMMITTED);
  });

  test("damages any frame of a payment, which commits or aborts cleanly", async () => {
    await payWith(side, null);
    const length = framesOfFirst;
    const wrong: string[] = [];
    let tried = 0;
    for (let at = 0; at < length; at++) {
      for (const [index, [name, damage]] of DAMAGES.entries()) {
        // A sample: each frame meets some damages, each damage many frames.
        if ((at * 5 + index) % Math.ceil(DAMAGES.length / FAULT_WIDTH) !== 0) continue;
        const random = new Random(at * 100 + index);
        let count = 0;
        const complaints = await payWith(side, (chunk, cable) =>
          count++ === at ? damage(chunk.bytes, random, cable, chunk.toBoard) : [chunk.bytes],
        );
        wrong.push(...complaints.map((text) => `frame ${at} ${name}: ${text}`));
        tried++;
      }
    }
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(length / 2);
  });

  test("is noisy all through a payment", async () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= 10 * FAULT_WIDTH; seed++) {
      const random = new Random(seed);
      const complaints = await payWith(side, (chunk, cable) => {
        if (!random.chance(0.1)) return [chunk.bytes];
        if (random.chance(0.2)) {
          cable.hold(chunk);
          return [];
        }
        return random.pick(DAMAGES)[1](chunk.bytes, random, cable, chunk.toBoard);
      });
      wrong.push(...complaints.map((text) => `seed ${seed}: ${text}`));
    }
    expect(wrong).toEqual([]);
  });
});
