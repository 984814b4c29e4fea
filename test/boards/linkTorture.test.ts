// SPDX-License-Identifier: Apache-2.0
// The link of an emulated board under torture, over its real serial line: drops, halves, damage,
// repetitions, noise, floods and strange CANCELs. Every request is answered once and rightly, a
// payment through such cables moves the money once, and the board never goes off.
import { describe, expect, test } from "vitest";
import {
  encodeFrame,
  newFrameReader,
  newLinkStatistics,
  readFrames,
} from "../../host/link/frame.ts";
import { Channel, FrameKind } from "../../host/link/protocol.ts";
import type { ByteTransport } from "../../host/link/transport.ts";
import { filled } from "../../host/torture/agentWorld.ts";
import { Random } from "../../host/torture/random.ts";
import { Echo, pack } from "../simulator/echoBoard.ts";
import { boardDirectory, Listener, seededBoard } from "./emulated.ts";
import { cancelFrame, NoisyCable } from "./noisyCable.ts";
import { COMMITTED, until } from "./party.ts";
import { FUNDS_MINOR, PaymentWorld } from "./world.ts";

const SLOTS = { agent: "echo", module: "echo" };
const HOST = 0;
const REQUESTS = 60;
/** One frame of so many is spoilt. */
const ONE_IN = 8;
const SEED = Number(process.env.FLORIN_SEED ?? 7);

/** An echo board with what is put into its line. */
async function withBoard(
  through: (line: ByteTransport) => ByteTransport,
  work: (listener: Listener) => Promise<void>,
): Promise<void> {
  const directory = boardDirectory();
  const board = await seededBoard(SLOTS, directory.path, "torture");
  try {
    await board.powerOn();
    const listener = new Listener(through(await board.openLine()));
    await listener.link.open();
    await work(listener);
    expect(board.isOn).toBe(true);
    listener.link.close();
  } finally {
    await board.powerOff();
    directory.remove();
  }
}

const echo = (body: Uint8Array) => pack([HOST, Echo.ECHO], body);
const isAgentOrModule = (index: number) => (index % 3 === 0 ? Channel.MODULE : Channel.AGENT);

test("every request through a bad cable is answered once, rightly and in order", async () => {
  const random = new Random(SEED);
  let cable!: NoisyCable;
  const through = (line: ByteTransport) => {
    cable = new NoisyCable(line, random, ONE_IN);
    cable.isNoisy = false;
    return cable;
  };
  await withBoard(through, async (listener) => {
    cable.isNoisy = true;
    const bodies = Array.from({ length: REQUESTS }, () => random.bytes(random.below(1500)));
    const ids = bodies.map((body, index) => listener.link.send(isAgentOrModule(index), echo(body)));
    const answers = () => listener.said.filter(({ id }) => id !== 0);
    await until("all answers", () => answers().length >= REQUESTS);
    cable.isNoisy = false;
    // What would come twice has come when the board has answered once more.
    await listener.ask(Channel.BOARD, pack([1]));
    for (const channel of [Channel.AGENT, Channel.MODULE]) {
      const sent = ids.flatMap((id, index) => {
        if (isAgentOrModule(index) !== channel) return [];
        const body = `00${Buffer.from([Echo.ECHO, 0, 0, 0, 0, ...bodies[index]!]).toString("hex")}`;
        return [{ kind: "message", channel, id, body }];
      });
      expect(listener.said.filter((said) => said.channel === channel)).toEqual(sent);
    }
    // All was really tried, and was repaired by repeating alone: the link never had to be reopened.
    expect([...cable.made.keys()].sort()).toHaveLength(8);
    expect(listener.link.statistics.retransmissions).toBeGreaterThan(5);
    expect(listener.link.board?.bootCounter).toBe(1);
  });
});

describe("frames that a board must not act on", () => {
  const { ACK, DATA } = FrameKind;

  /**
   * Writes bytes past the link's host end; gives the kinds of frames that the board answers with,
   * once there are as many as expected and time for one more.
   */
  async function answersTo(
    line: ByteTransport,
    bytes: Uint8Array,
    expected: number,
  ): Promise<number[]> {
    const reader = newFrameReader();
    const kinds: number[] = [];
    // Nobody acknowledges the board's answer, which it repeats.
    const isFirst = (index: number) => kinds[index] !== DATA || kinds[index - 1] !== DATA;
    const answers = () => kinds.filter((_, index) => isFirst(index));
    line.onBytes((received) => {
      const frames = readFrames(reader, received, newLinkStatistics());
      // SYNC may still be answered, which it always is.
      kinds.push(...frames.map(({ kind }) => kind).filter((kind) => kind !== FrameKind.SYNC));
    });
    line.write(bytes);
    await until("the board's answers", () => answers().length >= expected);
    await new Promise((wake) => setTimeout(wake, 300));
    return answers();
  }

  const request = encodeFrame({
    kind: FrameKind.DATA,
    isFirst: true,
    isLast: true,
    sequence: 0,
    channel: Channel.AGENT,
    id: 1,
    payload: echo(filled(3)),
  });
  const damaged = request.map((byte, index) => (index === 12 ? byte ^ 4 : byte));
  const half = request.slice(0, 20);
  const begun = encodeFrame({
    ...{ kind: FrameKind.DATA, isFirst: true, isLast: false, sequence: 0, channel: Channel.AGENT },
    ...{ id: 1, payload: echo(filled(3)) },
  });
  const end = encodeFrame({
    ...{ kind: FrameKind.DATA, isFirst: false, isLast: true, sequence: 1, channel: Channel.AGENT },
    ...{ id: 1, payload: filled(4) },
  });
  test.each([
    ["a good request is acknowledged and answered", [request], [ACK, DATA]],
    ["a wrong checksum is not even acknowledged", [damaged], []],
    ["half a frame is nothing, and the whole one behind it is good", [half, request], [ACK, DATA]],
    ["a message that CANCEL ended is never done", [begun, cancelFrame(2, 1), end], [ACK, ACK]],
    [
      "CANCEL of another request changes nothing",
      [begun, cancelFrame(2, 9), end],
      [ACK, ACK, DATA],
    ],
  ])("%s", async (_name, frames, expected) => {
    let line!: ByteTransport;
    await withBoard(
      (opened) => {
        line = opened;
        return opened;
      },
      async (listener) => {
        const bytes = Uint8Array.from(frames.flatMap((frame) => [...frame]));
        expect(await answersTo(line, bytes, expected.length)).toEqual(expected);
        // The link hands it on once.
        expect(listener.said).toHaveLength(expected.includes(DATA) ? 1 : 0);
      },
    );
  });
});

test("a payment through two bad cables moves the money once", async () => {
  const random = new Random(SEED + 1);
  const cables: NoisyCable[] = [];
  const world = await PaymentWorld.make({
    isEmulated: true,
    openLine: async (board) => {
      const cable = new NoisyCable(await board.openLine(), random, 2 * ONE_IN);
      cable.isNoisy = false;
      cables.push(cable);
      return cable;
    },
  });
  const command = filled(21);
  for (const cable of cables) cable.isNoisy = true;
  await world.carryOut(command);
  const { isCommitted, money } = await world.rest(command);
  expect(world.first.stateOf(command)).toBe(COMMITTED);
  expect(isCommitted).toBe(true);
  expect(money).toEqual([FUNDS_MINOR - world.amountMinor, world.amountMinor]);
  expect(cables.every(({ made }) => made.size > 2)).toBe(true);
  await world.close();
});
