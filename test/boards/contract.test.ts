// SPDX-License-Identifier: Apache-2.0
// The emulated board against the board contract (assembly/board.ts): the echo image is asked the
// same on the simulator, and both say the same, byte for byte.
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EmulatedBoard } from "../../host/device/emulatedBoard.ts";
import { Echo, pack } from "../simulator/echoBoard.ts";
import { boardDirectory, Listener, seededBoard, simulatedTwin } from "./emulated.ts";

const SLOTS = { agent: "echo", module: "echo" };
const BOARD = 1;
const AGENT = 2;
const MODULE = 3;
const HOST = 0;

const word = [1, 2, 3, 4, 5, 6, 7, 8];
const host = (request: number, ...parts: Parameters<typeof pack>) =>
  pack([HOST, request], ...parts);
const label = new TextEncoder().encode("florin/journal");

/** Requests, by what they try. The order matters: flash keeps what was written. */
const REQUESTS: Record<string, [channel: number, body: Uint8Array][]> = {
  "messages of every length": [0, 1, 243, 244, 245, 1000, 8443].map((length) => [
    AGENT,
    host(
      Echo.ECHO,
      Uint8Array.from({ length }, (_, index) => index & 0xff),
    ),
  ]),
  "seeded randomness, each module its own": [
    [AGENT, host(Echo.RANDOM, [32])],
    [AGENT, host(Echo.RANDOM, [33])],
    [MODULE, host(Echo.RANDOM, [255])],
    [AGENT, host(Echo.RANDOM, [1])],
  ],
  "the date": [[MODULE, host(Echo.CLOCK)]],
  "flash: erased, aligned words inside the window": [
    [MODULE, host(Echo.FLASH_WRITE, 4088, word, word)],
    [MODULE, host(Echo.FLASH_WRITE, 4096, word)],
    [MODULE, host(Echo.FLASH_WRITE, 8196, word)],
    [MODULE, host(Echo.FLASH_WRITE, 8192, word.slice(0, 4))],
    [MODULE, host(Echo.FLASH_WRITE, 131064, word)],
    [MODULE, host(Echo.FLASH_WRITE, 131072, word)],
    [MODULE, host(Echo.FLASH_WRITE, 0xfffffff8, word)],
    [MODULE, host(Echo.FLASH_READ, 4080, [32, 0])],
    [MODULE, host(Echo.FLASH_READ, 131070, [8, 0])],
    [MODULE, host(Echo.FLASH_READ, 0xffffffff, [8, 0])],
    [MODULE, host(Echo.FLASH_ERASE, [0])],
    [MODULE, host(Echo.FLASH_ERASE, [32])],
    [MODULE, host(Echo.FLASH_READ, 4080, [32, 0])],
    [AGENT, host(Echo.FLASH_READ, 4096, [8, 0])],
  ],
  "counters, each module its own": [
    [AGENT, host(Echo.COUNTER_READ)],
    [AGENT, host(Echo.COUNTER_RAISE)],
    [AGENT, host(Echo.COUNTER_RAISE)],
    [MODULE, host(Echo.COUNTER_READ)],
  ],
  "device keys": [
    [AGENT, host(Echo.DEVICE_KEY, label)],
    [MODULE, host(Echo.DEVICE_KEY, label.slice(1))],
    [MODULE, host(Echo.DEVICE_KEY, new Uint8Array(64))],
    [MODULE, host(Echo.DEVICE_KEY, new Uint8Array(65))],
  ],
  "ports OWN and PEER": [
    [AGENT, host(Echo.TO_OWN, [7, 8])],
    [MODULE, host(Echo.TO_PEER, [9])],
    [MODULE, pack([1, 5, 6])],
    [MODULE, pack([2, 5, 6])],
  ],
  "messages that cannot be handed over": [
    [MODULE, pack([3, 1])],
    [MODULE, new Uint8Array(0)],
    [BOARD, pack([9])],
    [BOARD, pack([2, 7])],
    [BOARD, new Uint8Array(0)],
  ],
  "an assertion, a trap, a bad range: the image starts anew": [
    [AGENT, host(Echo.PANIC)],
    [BOARD, pack([1])],
    [AGENT, host(Echo.TRAP)],
    [BOARD, pack([1])],
    [AGENT, host(Echo.SEND_BAD_RANGE)],
    [AGENT, host(Echo.RANDOM, [0])],
    [BOARD, pack([1])],
    [AGENT, host(Echo.COUNTS)],
    [MODULE, host(Echo.COUNTS)],
    [BOARD, pack([2, 3])],
    [MODULE, host(Echo.COUNTS)],
    [BOARD, pack([1])],
  ],
  "an image that speaks when it starts": [
    [AGENT, host(Echo.SPEAK_AT_BOOTS)],
    [BOARD, pack([2, 2])],
  ],
  "an image that fails at each start is stopped": [
    [MODULE, host(Echo.FAIL_BOOTS)],
    [MODULE, host(Echo.COUNTS)],
    [BOARD, pack([1])],
    [BOARD, pack([2, 3])],
    [AGENT, host(Echo.COUNTS)],
  ],
};

describe("the emulated board says what the simulator says", () => {
  const directory = boardDirectory();
  const simulated = simulatedTwin(SLOTS, "contract");
  let board: EmulatedBoard;
  let there: Listener;
  let here: Listener;

  beforeAll(async () => {
    board = await seededBoard(SLOTS, directory.path, "contract");
    await board.powerOn();
    simulated.powerOn();
    there = new Listener(await board.openLine());
    here = new Listener(simulated.connect());
    await Promise.all([there.link.open(), here.link.open()]);
  });

  afterAll(async () => {
    there.link.close();
    here.link.close();
    await board.powerOff();
    directory.remove();
  });

  test("SYNC tells the same images", () => {
    const { modules } = here.link.board!;
    expect(there.link.board).toMatchObject({ modules, bootCounter: 1, isSimulated: true });
  });

  test.each(Object.entries(REQUESTS))("%s", async (_, requests) => {
    for (const [channel, body] of requests) {
      const answers = await Promise.all([there.ask(channel, body), here.ask(channel, body)]);
      expect(answers[0]).toEqual(answers[1]);
    }
    // All that was said unasked is there too, once the board has answered once more.
    await Promise.all([there.ask(BOARD, pack([1])), here.ask(BOARD, pack([1]))]);
    await there.until(() => there.said.length >= here.said.length);
    const order = (said: Listener["said"]) => said.map((one) => JSON.stringify(one)).sort();
    expect(order(there.said)).toEqual(order(here.said));
  });

  test("ticks come when they are due", async () => {
    const from = performance.now();
    await there.ask(AGENT, host(Echo.TICK, 150, [3]));
    const ticks = () => there.said.filter(({ id, body }) => id === 0 && body.startsWith("000a"));
    await there.until(() => ticks().length === 3);
    expect(performance.now() - from).toBeGreaterThan(400);
  });
});

describe("power", () => {
  test("flash, counters and the count of boots outlast a cut; memory does not", async () => {
    const directory = boardDirectory();
    const board = await seededBoard(SLOTS, directory.path, "power");
    await board.powerOn();
    const before = new Listener(await board.openLine());
    await before.link.open();
    await before.ask(MODULE, host(Echo.FLASH_WRITE, 64, word));
    await before.ask(MODULE, host(Echo.COUNTER_RAISE));
    const drawn = await before.ask(MODULE, host(Echo.RANDOM, [32]));
    await board.powerOff();
    expect(board.isOn).toBe(false);
    before.link.close();

    await board.powerOn();
    const after = new Listener(await board.openLine());
    expect(await after.link.open()).toMatchObject({ bootCounter: 2 });
    const read = await after.ask(MODULE, host(Echo.FLASH_READ, 64, [8, 0]));
    expect(read.body.slice(12)).toBe(Buffer.from(word).toString("hex"));
    expect((await after.ask(MODULE, host(Echo.COUNTER_READ))).body).toContain("0100000000000000");
    expect((await after.ask(MODULE, host(Echo.COUNTS))).body.slice(4, 12)).toBe("03000000");
    expect((await after.ask(MODULE, host(Echo.RANDOM, [32]))).body).not.toBe(drawn.body);
    after.link.close();
    await board.powerOff();
    directory.remove();
  });

  test("a board whose storage is damaged does not start, and says why", async () => {
    const directory = boardDirectory();
    const board = await seededBoard(SLOTS, directory.path, "damaged");
    writeFileSync(`${directory.path}/module.counter`, "no number\n");
    await board.powerOn().catch(() => {});
    const end = performance.now() + 5000;
    while (board.isOn && performance.now() < end) await new Promise((wake) => setTimeout(wake, 20));
    expect(board.isOn).toBe(false);
    expect(board.output).toContain("does not hold a number");
    directory.remove();
  });
});
