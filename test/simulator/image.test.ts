// SPDX-License-Identifier: Apache-2.0
// Which binaries the simulated board takes as firmware images, and the marks of traced ones.
import binaryen from "binaryen";
import { describe, expect, test } from "vitest";
import { Port } from "../../host/link/protocol.ts";
import { loadImage } from "../../host/simulator/image.ts";
import type { ImageDescription } from "../../host/simulator/types.ts";
import { AGENT, EchoBench, pack } from "./echoBoard.ts";

/** An image of the board contract in the text format, with `imports` and `receive` given. */
function imageOf(parts: {
  imports?: string;
  receive?: string;
  without?: string;
}): ImageDescription {
  const functions: Record<string, string> = {
    _initialize: `(func (export "_initialize"))`,
    boot: `(func (export "boot") (result i32) (i32.const -1))`,
    receive: `(func (export "receive") (param i32) (result i32) ${parts.receive ?? ""} (i32.const -1))`,
    tick: `(func (export "tick") (result i32) (i32.const -1))`,
    inbox: `(func (export "inbox") (result i32) (i32.const 1024))`,
    inboxSize: `(func (export "inboxSize") (result i32) (i32.const 8704))`,
    memory: `(memory (export "memory") 1 1)`,
  };
  if (parts.without !== undefined) delete functions[parts.without];
  const text = `(module ${parts.imports ?? ""} ${Object.values(functions).join("\n")})`;
  return { bytes: binaryen.parseText(text).emitBinary(), name: "handmade" };
}

describe("images", () => {
  test.each(["_initialize", "boot", "receive", "tick", "inbox", "inboxSize", "memory"])(
    "without %s: refused",
    (without) => expect(() => loadImage(imageOf({ without }))).toThrow(/does not export/),
  );

  test("an import outside the board contract is refused with its name", () => {
    const imports = `(import "board" "network" (func))`;
    expect(() => loadImage(imageOf({ imports }))).toThrow("imports board.network");
    const foreign = `(import "env" "send" (func))`;
    expect(() => loadImage(imageOf({ imports: foreign }))).toThrow("imports env.send");
  });

  test("steps of a traced image reach the observer in order, with the half's channel", () => {
    const steps: [number, number][] = [];
    const observer = { step: (channel: number, step: number) => steps.push([channel, step]) };
    const agent = imageOf({
      imports: `(import "board" "stepReached" (func $step (param i32)))`,
      receive: "(call $step (i32.const 318)) (call $step (i32.const 320))",
    });
    const bench = new EchoBench({ agent, observer });
    bench.link.send(AGENT, pack([Port.HOST]));
    expect(steps).toEqual([
      [AGENT, 318],
      [AGENT, 320],
    ]);
  });

  test("the observer sees messages in both directions, and each storage operation", () => {
    const seen: string[] = [];
    const bench = new EchoBench({
      observer: {
        message: ({ direction, port, id, body }) =>
          seen.push(`${direction} port ${port} id ${id}: ${[...body]}`),
        storage: ({ kind, offset, length }) => seen.push(`${kind} ${offset} ${length}`),
        power: (isOn) => seen.push(isOn ? "on" : "off"),
      },
    });
    bench.send(AGENT, 3, 8, [1, 2, 3, 4, 5, 6, 7, 8]);
    bench.send(AGENT, 7);
    bench.board.powerOff();
    expect(seen).toEqual([
      "on",
      "to-module port 0 id 1: 3,8,0,0,0,1,2,3,4,5,6,7,8",
      "write 8 8",
      "from-module port 0 id 1: 3,0,0,0,0",
      "to-module port 0 id 2: 7",
      "raise 0 0",
      "from-module port 0 id 2: 7,0,0,0,0,1,0,0,0,0,0,0,0",
      "off",
    ]);
  });
});
