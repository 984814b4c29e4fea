// SPDX-License-Identifier: Apache-2.0
// The emulated board against the board contract (assembly/board.ts): the echo image is asked the
// same on the simulator, and both say the same, byte for byte.
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EmulatedBoard } from "../../host/device/emulatedBoard.ts";
import { Echo, pack } from "../simulator/echoBoard.ts";
import { AGENT, BOARD, host, MODULE, REQUESTS, word } from "./contractRequests.ts";
import { boardDirectory, Listener, seededBoard, simulatedTwin } from "./emulated.ts";

const SLOTS = { agent: "echo", module: "echo" };
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
