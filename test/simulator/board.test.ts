// SPDX-License-Identifier: Apache-2.0
// The simulated board against the board contract (assembly/board.ts), through the link, with the
// echo image: each import, failures of images, power, files.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { LinkClient } from "../../host/link/linkClient.ts";
import { Channel, LinkError, Port } from "../../host/link/protocol.ts";
import { decodeStatus } from "../../host/simulator/management.ts";
import { fileStorage, memoryStorage } from "../../host/simulator/storage.ts";
import { AGENT, Echo, EchoBench, MODULE, pack, START_MS } from "./echoBoard.ts";

const numberOf = (data: Uint8Array): bigint =>
  new DataView(data.buffer, data.byteOffset).getBigInt64(0, true);

describe("board contract", () => {
  test("messages of every length come back under the request's id", () => {
    const bench = new EchoBench();
    for (const length of [0, 1, 243, 244, 245, 1000, 8443]) {
      const body = Uint8Array.from({ length }, (_, index) => (index * 3) & 0xff);
      expect(bench.ask(AGENT, Echo.ECHO, body).data).toEqual(body);
    }
    expect(bench.errors()).toEqual([]);
  });

  test("random: seeded repeats, differs between modules and seeds; a dead source says so", () => {
    const bench = new EchoBench();
    const again = new EchoBench();
    const other = new EchoBench({ random: { kind: "seeded", seed: "other" } });
    const drawn = bench.ask(AGENT, Echo.RANDOM, [32]).data;
    expect(drawn).toEqual(again.ask(AGENT, Echo.RANDOM, [32]).data);
    expect(drawn).not.toEqual(bench.ask(AGENT, Echo.RANDOM, [32]).data);
    expect(drawn).not.toEqual(other.ask(AGENT, Echo.RANDOM, [32]).data);
    expect(again.ask(MODULE, Echo.RANDOM, [32]).data).not.toEqual(drawn);
    bench.board.isRandomDead = true;
    expect(bench.ask(AGENT, Echo.RANDOM, [32])).toMatchObject({ status: -1 });
  });

  test("random: the system's differs each time", () => {
    const bench = new EchoBench({ random: { kind: "system" } });
    const drawn = bench.ask(AGENT, Echo.RANDOM, [32]).data;
    expect(bench.ask(AGENT, Echo.RANDOM, [32]).data).not.toEqual(drawn);
  });

  test("clock: the date, the owner's date, and none", () => {
    const bench = new EchoBench();
    bench.clock.advance(1500);
    expect(numberOf(bench.ask(AGENT, Echo.CLOCK).data)).toBe(BigInt(START_MS + 1500));
    bench.clock.setEpochMs(12345);
    expect(numberOf(bench.ask(AGENT, Echo.CLOCK).data)).toBe(12345n);
    bench.board.isClockUnknown = true;
    expect(numberOf(bench.ask(AGENT, Echo.CLOCK).data)).toBe(-1n);
  });

  test("flash: only erased, aligned words inside the window may be programmed", () => {
    const bench = new EchoBench();
    const word = pack([1, 2, 3, 4, 5, 6, 7, 8]);
    const write = (offset: number, bytes: Uint8Array): number =>
      bench.ask(MODULE, Echo.FLASH_WRITE, offset, bytes).status;
    expect(write(4088, pack(word, word))).toBe(0);
    expect(write(4096, word)).toBe(-1);
    expect(write(8196, word)).toBe(-1);
    expect(write(8192, word.slice(0, 4))).toBe(-1);
    expect(write(131072 - 8, word)).toBe(0);
    expect(write(131072, word)).toBe(-1);
    expect(write(0xfffffff8, word)).toBe(-1);
    const read = bench.ask(MODULE, Echo.FLASH_READ, 4080, [32, 0]).data;
    expect(read).toEqual(pack(new Array(8).fill(0xff), word, word, new Array(8).fill(0xff)));
    expect(bench.ask(MODULE, Echo.FLASH_READ, 131070, [8, 0]).status).toBe(-1);
    expect(bench.ask(MODULE, Echo.FLASH_ERASE, [1]).status).toBe(0);
    expect(bench.ask(MODULE, Echo.FLASH_ERASE, [32]).status).toBe(-1);
    expect(write(4096, word)).toBe(0);
    expect(write(4088, word)).toBe(-1);
    expect(bench.ask(AGENT, Echo.FLASH_READ, 4088, [8, 0]).data.every((b) => b === 0xff)).toBe(
      true,
    );
    expect(bench.board.statistics).toMatchObject({ flashBytesWritten: 32, pagesErased: 1 });
  });

  test("counter: raised by one, each module its own, or none at all", () => {
    const bench = new EchoBench();
    expect(numberOf(bench.ask(AGENT, Echo.COUNTER_READ).data)).toBe(0n);
    expect(numberOf(bench.ask(AGENT, Echo.COUNTER_RAISE).data)).toBe(1n);
    expect(numberOf(bench.ask(AGENT, Echo.COUNTER_RAISE).data)).toBe(2n);
    expect(numberOf(bench.ask(MODULE, Echo.COUNTER_READ).data)).toBe(0n);
    const without = new EchoBench({ hasCounter: false });
    expect(numberOf(without.ask(AGENT, Echo.COUNTER_READ).data)).toBe(-1n);
    expect(numberOf(without.ask(AGENT, Echo.COUNTER_RAISE).data)).toBe(-1n);
  });

  test("device keys are bound to secret, image and label, not to the board's state", () => {
    const bench = new EchoBench();
    const label = new TextEncoder().encode("florin/journal");
    const key = bench.ask(AGENT, Echo.DEVICE_KEY, label).data;
    expect(key.length).toBe(32);
    expect(new EchoBench().ask(AGENT, Echo.DEVICE_KEY, label).data).toEqual(key);
    expect(bench.ask(MODULE, Echo.DEVICE_KEY, label).data).not.toEqual(key);
    expect(bench.ask(AGENT, Echo.DEVICE_KEY, label.slice(1)).data).not.toEqual(key);
    const secret = new Uint8Array(32);
    expect(new EchoBench({ secret }).ask(AGENT, Echo.DEVICE_KEY, label).data).not.toEqual(key);
    expect(bench.ask(AGENT, Echo.DEVICE_KEY, new Uint8Array(65)).status).toBe(-1);
  });

  test("deadlines: ticks come when due, under no request's id", () => {
    const bench = new EchoBench();
    bench.send(AGENT, Echo.TICK, 250, [3]);
    const ticks = () => bench.heard.filter(({ id }) => id === 0).length;
    bench.clock.advance(249);
    expect(ticks()).toBe(0);
    bench.clock.advance(1);
    expect(ticks()).toBe(1);
    bench.clock.advance(10_000);
    expect(ticks()).toBe(3);
    expect(bench.clock.nextTimerMs()).toBeNull();
  });

  test("ports: OWN and PEER messages show their port and the id of the request", () => {
    const bench = new EchoBench();
    const id = bench.send(AGENT, Echo.TO_OWN, [7, 8]);
    bench.send(MODULE, Echo.TO_PEER, [9]);
    expect(bench.heard[0]).toEqual({ channel: AGENT, id, port: Port.OWN, body: pack([7, 8]) });
    expect(bench.heard[1]).toMatchObject({ channel: MODULE, port: Port.PEER, body: pack([9]) });
    bench.link.send(MODULE, pack([Port.PEER, 1, 2]));
    expect(bench.heard[2]).toMatchObject({ port: Port.HOST, body: pack([Port.PEER, 1, 2]) });
  });
});

describe("failures of images", () => {
  test.each([
    ["an assertion", Echo.PANIC],
    ["a trap", Echo.TRAP],
    ["a range outside the memory", Echo.SEND_BAD_RANGE],
  ])("%s: told under the request's id, and the image starts anew", (_, request) => {
    const panics: string[] = [];
    const bench = new EchoBench({ observer: { panic: (_, reason) => panics.push(reason) } });
    bench.ask(AGENT, Echo.FLASH_WRITE, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
    bench.ask(AGENT, Echo.COUNTS);
    const id = bench.send(AGENT, request);
    expect(bench.errors()).toEqual([{ channel: AGENT, id, code: LinkError.RESTARTED }]);
    // Memory is new, flash is kept, and the other half did not notice.
    expect(bench.ask(AGENT, Echo.COUNTS).status).toBe(1);
    expect(bench.ask(AGENT, Echo.FLASH_READ, 0, [8, 0]).data[0]).toBe(1);
    expect(bench.board.statistics.panics).toBe(1);
    expect(panics.length).toBe(1);
    bench.link.send(Channel.BOARD, pack([1]));
    const status = decodeStatus(pack([bench.heard.at(-1)!.port], bench.heard.at(-1)!.body))!;
    expect(status).toMatchObject([
      { channel: AGENT, isStopped: false, starts: 2, panics: 1 },
      { channel: MODULE, isStopped: false, starts: 1, panics: 0 },
    ]);
    expect(status[0]!.line > 0).toBe(request === Echo.PANIC);
  });

  test("an image that fails at each start is stopped; the board and the other half answer", () => {
    const bench = new EchoBench();
    bench.send(AGENT, Echo.FAIL_BOOTS);
    const codes = bench.errors().map(({ code }) => code);
    expect(codes).toEqual([LinkError.RESTARTED, LinkError.STOPPED]);
    const id = bench.send(AGENT, Echo.ECHO);
    expect(bench.errors().at(-1)).toEqual({ channel: AGENT, id, code: LinkError.STOPPED });
    expect(bench.ask(MODULE, Echo.ECHO, [1]).data).toEqual(pack([1]));
    bench.link.send(Channel.BOARD, pack([1]));
    const { port, body } = bench.heard.at(-1)!;
    expect(decodeStatus(pack([port], body))).toMatchObject([{ isStopped: true, panics: 4 }, {}]);
  });

  test("what an image says at its start belongs to no request, and waits for the host", () => {
    const bench = new EchoBench();
    bench.ask(AGENT, Echo.SPEAK_AT_BOOTS);
    bench.send(AGENT, Echo.TRAP);
    const atStart = { channel: AGENT, id: 0, port: Port.HOST };
    expect(bench.heard.slice(1)).toMatchObject([atStart]);
    bench.board.powerOff();
    bench.board.powerOn();
    expect(bench.heard.slice(2)).toMatchObject([atStart]);
  });

  test("messages without a port, of an unknown one, and too long ones are refused", () => {
    const bench = new EchoBench();
    bench.link.send(AGENT, pack([]), 501);
    bench.link.send(AGENT, pack([3, 1]), 502);
    bench.link.send(AGENT, new Uint8Array(8704), 503);
    bench.link.send(AGENT, new Uint8Array(8705), 504);
    expect(bench.errors()).toEqual([
      { channel: AGENT, id: 501, code: LinkError.BAD_MESSAGE },
      { channel: AGENT, id: 502, code: LinkError.BAD_MESSAGE },
    ]);
    expect(bench.events.at(-1)).toMatchObject({ type: "failed", id: 504, mayHaveArrived: false });
  });
});

describe("power and storage", () => {
  const directory = mkdtempSync(join(tmpdir(), "florin-board-"));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test("off and on: flash and counter stay, memory does not, the host learns of it", () => {
    const boots: number[] = [];
    const bench = new EchoBench();
    bench.link.onBoot((counter) => boots.push(counter));
    bench.ask(AGENT, Echo.FLASH_WRITE, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
    bench.ask(AGENT, Echo.COUNTER_RAISE);
    bench.board.powerOff();
    bench.send(AGENT, Echo.ECHO);
    expect(bench.heard.length).toBe(2);
    bench.board.powerOn();
    expect(boots).toEqual([2]);
    expect(bench.ask(AGENT, Echo.COUNTS).status).toBe(1);
    expect(bench.ask(AGENT, Echo.FLASH_READ, 0, [8, 0]).data[7]).toBe(8);
    expect(numberOf(bench.ask(AGENT, Echo.COUNTER_READ).data)).toBe(1n);
  });

  test("a second host plugged in synchronises anew and hears nothing meant for the first", () => {
    const bench = new EchoBench();
    bench.board.connect();
    // Nobody reads that cable: what is asked over the first one does not arrive either.
    bench.send(AGENT, Echo.ECHO, [1]);
    expect(bench.heard).toEqual([]);
    const link = new LinkClient({ transport: bench.board.connect(), clock: bench.clock });
    const heard: number[] = [];
    link.onMessage((_, id) => heard.push(id));
    void link.open();
    expect(link.board).toEqual(bench.link.board);
    link.send(AGENT, pack([Port.HOST, Echo.ECHO]), 77);
    expect(heard).toEqual([77]);
  });

  test.each([
    ["memory", () => memoryStorage()],
    ["files", () => fileStorage(directory)],
  ])("a new board on the same %s finds what the old one left", (_, make) => {
    let storage = make();
    const first = new EchoBench({ storage });
    first.ask(AGENT, Echo.FLASH_WRITE, 4096, [1, 2, 3, 4, 5, 6, 7, 8]);
    first.ask(MODULE, Echo.FLASH_WRITE, 8192, [9, 9, 9, 9, 9, 9, 9, 9]);
    first.ask(MODULE, Echo.FLASH_ERASE, [2]);
    first.ask(MODULE, Echo.COUNTER_RAISE);
    // As after a killed process: nothing was closed. Files are opened anew.
    if ("close" in storage) storage = make();
    const second = new EchoBench({ storage });
    expect(second.link.board!.bootCounter).toBe(2);
    expect(second.ask(AGENT, Echo.FLASH_READ, 4096, [8, 0]).data[0]).toBe(1);
    expect(second.ask(MODULE, Echo.FLASH_READ, 8192, [8, 0]).data[0]).toBe(0xff);
    expect(numberOf(second.ask(MODULE, Echo.COUNTER_READ).data)).toBe(1n);
    expect(numberOf(second.ask(AGENT, Echo.COUNTER_READ).data)).toBe(0n);
  });
});
