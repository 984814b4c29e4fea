// SPDX-License-Identifier: Apache-2.0
// Snapshots of the simulated board: put back, a board goes on with the very bytes it would have
// said, however far it had gone meanwhile. Also the rewriting of the binary that this needs.
import binaryen from "binaryen";
import { describe, expect, test } from "vitest";
import { exposeGlobals } from "../../host/simulator/wasmGlobals.ts";
import { AGENT, Echo, EchoBench, MODULE } from "./echoBoard.ts";

/** Uses every part of the state that a snapshot must hold. */
function work(bench: EchoBench, round: number): void {
  for (const channel of [AGENT, MODULE] as const) {
    bench.ask(channel, Echo.RANDOM, [40]);
    bench.ask(channel, Echo.COUNTS);
    bench.ask(channel, Echo.COUNTER_RAISE);
    bench.ask(channel, Echo.FLASH_WRITE, round * 8, [round, 2, 3, 4, 5, 6, 7, 8]);
    bench.ask(channel, Echo.FLASH_READ, 0, [200, 0]);
    bench.ask(channel, Echo.CLOCK);
  }
  bench.send(AGENT, Echo.TICK, 70, [200]);
  bench.clock.advance(1000);
  bench.send(MODULE, Echo.TRAP);
  bench.ask(MODULE, Echo.COUNTS);
}

describe("snapshots", () => {
  test("put back, the board says the same bytes again, failures and ticks included", () => {
    const bench = new EchoBench();
    work(bench, 1);
    const board = bench.board.snapshot();
    const link = bench.link.snapshot();
    const clock = bench.clock.snapshot();
    const goOn = (): unknown => {
      bench.heard.length = 0;
      bench.events.length = 0;
      // The tick that was pending comes first.
      bench.clock.advance(100);
      for (let round = 2; round < 6; round += 1) work(bench, round);
      return structuredClone([bench.heard, bench.events]);
    };
    const first = goOn();
    for (let time = 0; time < 3; time += 1) {
      bench.clock.restore(clock);
      bench.board.restore(board);
      bench.link.restore(link);
      expect(goOn()).toEqual(first);
    }
  });

  test("a snapshot taken while off stays off, one taken while on comes back on", () => {
    const bench = new EchoBench();
    bench.ask(AGENT, Echo.COUNTS);
    const on = bench.board.snapshot();
    const link = bench.link.snapshot();
    bench.board.powerOff();
    const off = bench.board.snapshot();
    bench.board.restore(on);
    bench.link.restore(link);
    expect(bench.ask(AGENT, Echo.COUNTS).status).toBe(2);
    bench.board.restore(off);
    expect(bench.board.isOn).toBe(false);
    bench.board.powerOn();
    bench.clock.advance(2000);
    expect(bench.ask(AGENT, Echo.COUNTS).status).toBe(1);
  });

  test("what is written after a snapshot does not change it", () => {
    const bench = new EchoBench();
    const snapshot = bench.board.snapshot();
    const link = bench.link.snapshot();
    const before = snapshot.modules.map(({ flash }) => flash.pages[0]!.slice());
    bench.ask(AGENT, Echo.FLASH_WRITE, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
    bench.board.restore(snapshot);
    bench.link.restore(link);
    bench.ask(AGENT, Echo.FLASH_WRITE, 0, [8, 7, 6, 5, 4, 3, 2, 1]);
    expect(snapshot.modules.map(({ flash }) => flash.pages[0]!)).toEqual(before);
  });
});

describe("visible globals", () => {
  const globalsOf = (text: string): Map<string, unknown> => {
    const module = binaryen.parseText(text);
    module.setFeatures(binaryen.Features.MVP | binaryen.Features.MutableGlobals);
    const visible = exposeGlobals(module.emitBinary());
    const imported = new WebAssembly.Global({ value: "i32", mutable: true }, 5);
    const constant = new WebAssembly.Global({ value: "i32" }, 6);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(visible.bytes), {
      e: { f: () => 0, m: imported, c: constant },
    });
    const value = (name: string): unknown => (instance.exports[name] as WebAssembly.Global).value;
    return new Map(visible.names.map((name) => [name, value(name)]));
  };

  test("all kinds of values, beside constants, imports and other exports", () => {
    const globals = globalsOf(`(module
      (import "e" "f" (func $f (param i32) (result i32)))
      (import "e" "c" (global $c i32))
      (global $a (mut i32) (i32.const -77))
      (global $k i64 (i64.const 9))
      (global $b (mut i64) (i64.const -123456789012345678))
      (global $d (mut f64) (f64.const 0.5))
      (global $s (mut f32) (f32.const 0.25))
      (global $g (mut i32) (global.get $c))
      (memory 1 1)
      (export "memory" (memory 0))
      (func $work (export "work") (result i32)
        (global.set $a (call $f (global.get $a)))
        (global.set $b (global.get $k)) (global.set $d (f64.const 1))
        (global.set $s (f32.const 1)) (global.set $g (i32.const 1)) (global.get $g)))`);
    expect([...globals.values()]).toEqual([-77, -123456789012345678n, 0.5, 0.25, 6]);
  });

  test("a binary without exports gets an export section at its place", () => {
    const globals = globalsOf(`(module
      (global $a (mut i32) (i32.const 3))
      (func $start (global.set $a (i32.add (global.get $a) (i32.const 1))))
      (start $start))`);
    expect([...globals.values()]).toEqual([4]);
  });

  test("a binary without mutable globals stays as it is", () => {
    const module = binaryen.parseText("(module (global $k i32 (i32.const 3)))");
    const bytes = module.emitBinary();
    expect(exposeGlobals(bytes)).toEqual({ bytes, names: [] });
  });

  test("what is no binary, or ends too early, is refused with a sentence", () => {
    expect(() => exposeGlobals(new Uint8Array(8))).toThrow("not a WebAssembly binary");
    const cut = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 6, 20, 1);
    expect(() => exposeGlobals(cut)).toThrow("ends in a section");
  });
});
