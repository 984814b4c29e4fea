// SPDX-License-Identifier: Apache-2.0
// What a loss of power does to the simulated board: at each storage operation, before, within and
// after it, exactly what assembly/board.ts says it may do.
import { describe, expect, test } from "vitest";
import type { PowerDecision, StorageOperation } from "../../host/simulator/types.ts";
import { VirtualFlash } from "../../host/simulator/virtualFlash.ts";
import { seededRandom } from "../link/noisyLine.ts";
import { AGENT, Echo, EchoBench, pack } from "./echoBoard.ts";

const bitsFrom = (seed: number): (() => number) => {
  const random = seededRandom(seed);
  return () => Math.floor(random() * 2 ** 32);
};

const WORD = pack([0x0f, 0xf0, 0x00, 0xff, 0x55, 0xaa, 0x12, 0x34]);

/** A bench whose power fails at operation `index`. */
function cutAt(index: number, decision: PowerDecision): EchoBench {
  const power = (operation: StorageOperation): PowerDecision =>
    operation.index === index ? decision : "keep";
  return new EchoBench({ power });
}

describe("power cuts of a board", () => {
  test.each([
    ["cut-before", 0xff, 0n],
    ["cut-after", 0x0f, 1n],
  ] as const)(
    "%s: the operation is done or not, and nothing is answered",
    (decision, byte, raised) => {
      const flash = cutAt(0, decision);
      flash.send(AGENT, Echo.FLASH_WRITE, 0, WORD);
      expect(flash.board.isOn).toBe(false);
      expect(flash.heard).toEqual([]);
      expect(flash.board.statistics.powerCuts).toBe(1);
      flash.board.powerOn();
      expect(flash.ask(AGENT, Echo.FLASH_READ, 0, [8, 0]).data[0]).toBe(byte);
      const counter = cutAt(0, decision);
      counter.send(AGENT, Echo.COUNTER_RAISE);
      counter.board.powerOn();
      const { data } = counter.ask(AGENT, Echo.COUNTER_READ);
      expect(new DataView(data.buffer).getBigInt64(0, true)).toBe(raised);
    },
  );

  test("within a raise: the old value or the new one, both happen", () => {
    const seen = new Set<bigint>();
    for (let seed = 0; seed < 20; seed += 1) {
      const bench = cutAt(0, { tear: bitsFrom(seed) });
      bench.send(AGENT, Echo.COUNTER_RAISE);
      bench.board.powerOn();
      const { data } = bench.ask(AGENT, Echo.COUNTER_READ);
      seen.add(new DataView(data.buffer).getBigInt64(0, true));
    }
    expect([...seen].sort()).toEqual([0n, 1n]);
  });

  test("both halves lose their power, and both start again", () => {
    const bench = cutAt(1, "cut-after");
    bench.ask(AGENT, Echo.COUNTER_RAISE);
    bench.ask(3, Echo.COUNTS);
    bench.send(AGENT, Echo.COUNTER_RAISE);
    bench.board.powerOn();
    expect(bench.ask(3, Echo.COUNTS).status).toBe(1);
    expect(bench.link.board!.bootCounter).toBe(2);
  });
});

describe("torn flash", () => {
  test("a torn write changes a subset of the bits it should, and some read anew at each boot", () => {
    let unstableWords = 0;
    const results = new Set<string>();
    for (let seed = 0; seed < 200; seed += 1) {
      const flash = new VirtualFlash();
      flash.write(64, WORD, bitsFrom(seed));
      const readings = new Set<string>();
      for (let boot = 0; boot < 6; boot += 1) {
        const around = new Uint8Array(24);
        flash.read(56, around);
        const word = around.slice(8, 16);
        // Bits that were to stay 1 are 1; words beside it are untouched.
        for (const [index, byte] of word.entries()) expect(byte & WORD[index]!).toBe(WORD[index]);
        expect([...around.slice(0, 8), ...around.slice(16)].every((byte) => byte === 0xff)).toBe(
          true,
        );
        const same = new Uint8Array(8);
        flash.read(64, same);
        expect(same).toEqual(word);
        readings.add(word.join());
        flash.settle(bitsFrom(seed * 100 + boot));
      }
      if (readings.size > 1) unstableWords += 1;
      results.add([...readings][0]!);
    }
    expect(unstableWords).toBeGreaterThan(100);
    expect(results.size).toBeGreaterThan(100);
  });

  test("a torn erase leaves any content, and a whole erase heals it", () => {
    const flash = new VirtualFlash();
    flash.write(0, new Uint8Array(4096), null);
    flash.erase(0, bitsFrom(5));
    const torn = new Uint8Array(4096);
    flash.read(0, torn);
    expect(new Set(torn).size).toBe(256);
    flash.settle(bitsFrom(6));
    const next = new Uint8Array(4096);
    flash.read(0, next);
    expect(next).not.toEqual(torn);
    flash.erase(0, null);
    flash.settle(bitsFrom(7));
    flash.read(0, next);
    expect(next.every((byte) => byte === 0xff)).toBe(true);
    expect(flash.canWrite(0, 4096)).toBe(true);
  });

  test("a torn word is not erased, nor is it afterwards", () => {
    const flash = new VirtualFlash();
    flash.write(0, new Uint8Array(8), () => 0x00000000);
    expect(flash.canWrite(0, 8)).toBe(false);
  });
});
