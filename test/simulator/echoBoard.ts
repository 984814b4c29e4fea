// SPDX-License-Identifier: Apache-2.0
// A simulated board that runs the test image assembly/images/echo.ts, and the requests it knows.
import { existsSync, readFileSync } from "node:fs";
import { LinkClient, type LinkEvent } from "../../host/link/linkClient.ts";
import { Channel, type ModuleChannel, Port } from "../../host/link/protocol.ts";
import { SimulatedBoard } from "../../host/simulator/board.ts";
import type { BoardOptions, ImageDescription } from "../../host/simulator/types.ts";
import { VirtualClock } from "../../host/simulator/virtualClock.ts";

export const START_MS = Date.UTC(2026, 0, 1);
export const SECRET = new Uint8Array(32).fill(0x5e);

/** Requests of the echo image; its answers begin with the same byte and a status of 4 bytes. */
export const Echo = {
  ECHO: 1,
  RANDOM: 2,
  FLASH_WRITE: 3,
  FLASH_READ: 4,
  FLASH_ERASE: 5,
  COUNTER_READ: 6,
  COUNTER_RAISE: 7,
  DEVICE_KEY: 8,
  CLOCK: 9,
  TICK: 10,
  PANIC: 11,
  TRAP: 12,
  TO_OWN: 13,
  TO_PEER: 14,
  SEND_BAD_RANGE: 15,
  COUNTS: 16,
  FAIL_BOOTS: 18,
  SPEAK_AT_BOOTS: 19,
} as const;

export function echoImage(name = "echo"): ImageDescription {
  const path = new URL("../../build/firmware/echo.wasm", import.meta.url);
  if (!existsSync(path)) throw new Error("build/firmware/echo.wasm is missing: npm run build");
  return { bytes: new Uint8Array(readFileSync(path)), name };
}

/** Little-endian numbers and bytes, one after the other: a number becomes 4 bytes. */
export function pack(...parts: (number | Uint8Array | number[])[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => {
      if (typeof part !== "number") return [...part];
      return [part & 0xff, (part >>> 8) & 0xff, (part >>> 16) & 0xff, part >>> 24];
    }),
  );
}

export interface EchoAnswer {
  request: number;
  status: number;
  data: Uint8Array;
}

export interface Heard {
  channel: number;
  id: number;
  port: number;
  body: Uint8Array;
}

/** A board with two echo images, a link to it, and all that was heard. */
export class EchoBench {
  readonly clock: VirtualClock;
  readonly board: SimulatedBoard;
  readonly link: LinkClient;
  readonly heard: Heard[] = [];
  readonly events: LinkEvent[] = [];

  constructor(options: Partial<BoardOptions> = {}) {
    this.clock = (options.clock as VirtualClock | undefined) ?? new VirtualClock(START_MS);
    this.board = new SimulatedBoard({
      secret: SECRET,
      agent: echoImage("echo agent"),
      module: echoImage("echo module"),
      random: { kind: "seeded", seed: "bench" },
      clock: this.clock,
      ...options,
    });
    const nonce = new Uint8Array(8).fill(1);
    this.link = new LinkClient({ transport: this.board.connect(), clock: this.clock, nonce });
    this.link.onMessage((channel, id, body) =>
      this.heard.push({ channel, id, port: body[0]!, body: body.slice(1) }),
    );
    this.link.onEvent((event) => this.events.push(event));
    this.board.powerOn();
    void this.link.open().catch(() => {});
  }

  /** Sends one HOST request; what the board says meanwhile is in `heard`. */
  send(channel: ModuleChannel, request: number, ...parts: Parameters<typeof pack>): number {
    return this.link.send(channel, pack([Port.HOST, request], ...parts));
  }

  /** Sends one HOST request and gives its answer; throws if there is none. */
  ask(channel: ModuleChannel, request: number, ...parts: Parameters<typeof pack>): EchoAnswer {
    const id = this.send(channel, request, ...parts);
    const answer = this.heard.find((heard) => heard.channel === channel && heard.id === id);
    if (answer === undefined) throw new Error(`no answer to echo request ${request}`);
    return readEcho(answer.body);
  }

  /** ERROR codes the board sent, with their channel and request id. */
  errors(): { channel: number; id: number; code: number }[] {
    return this.events.flatMap((event) =>
      event.type === "error" ? [{ channel: event.channel, id: event.id, code: event.code }] : [],
    );
  }

  close(): void {
    this.link.close();
    this.board.close();
  }
}

export function readEcho(body: Uint8Array): EchoAnswer {
  const status = new DataView(body.buffer, body.byteOffset).getInt32(1, true);
  return { request: body[0]!, status, data: body.slice(5) };
}

export const AGENT = Channel.AGENT;
export const MODULE = Channel.MODULE;
