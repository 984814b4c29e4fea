// SPDX-License-Identifier: Apache-2.0
// Emulated and simulated boards for tests: the same images, secret, seed and date, each behind a
// real link; and what a board says, collected.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BoardSlots, boardProgram } from "../../host/device/boardProgram.ts";
import { EmulatedBoard } from "../../host/device/emulatedBoard.ts";
import { systemClock } from "../../host/link/clock.ts";
import { LinkClient } from "../../host/link/linkClient.ts";
import { LinuxBoard } from "./linuxBoard.ts";
import type { ByteTransport } from "../../host/link/transport.ts";
import { SimulatedBoard } from "../../host/simulator/board.ts";
import { buildRelease } from "../../host/trust/releaseSigner.ts";
import type { ImageDescription } from "../../host/simulator/types.ts";

/** The board that the tests run on: any that boards/ has an emulator for. */
export const BOARD = process.env.FLORIN_BOARD ?? "mps2-an505";
export const SECRET = new Uint8Array(32).fill(0x5e);
export const START_MS = Date.UTC(2026, 0, 1);

/** A directory for a board's storage, removed by `remove`. */
export function boardDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "florin-board-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** An emulated board whose random bytes are a seeded stream and whose date stands still. */
export async function seededBoard(
  slots: BoardSlots,
  directory: string,
  seed: string,
  emulator: string[] = [],
  board = BOARD,
): Promise<EmulatedBoard> {
  writeFileSync(join(directory, "secret"), SECRET);
  writeFileSync(join(directory, "seed"), seed);
  writeFileSync(join(directory, "clock"), `${START_MS}\n`);
  // Five numbers that the board replaces (boards/mps2-an505/work.c).
  writeFileSync(join(directory, "work"), new Uint8Array(40));
  const program = await boardProgram(board, slots);
  const options = { board, program, directory, arguments: emulator };
  return board === "linux" ? new LinuxBoard(options) : new EmulatedBoard(options);
}

/** The simulator's board with the same secret, seed, signer and date. */
export function simulatedTwin(slots: BoardSlots, seed: string): SimulatedBoard {
  const image = (name: string): ImageDescription => ({
    bytes: new Uint8Array(readFileSync(`build/firmware/${name}.wasm`)),
    name,
    ...buildRelease(),
  });
  return new SimulatedBoard({
    secret: SECRET,
    random: { kind: "seeded", seed },
    clock: { ...systemClock, epochMs: () => START_MS },
    ...(slots.agent === undefined ? {} : { agent: image(slots.agent) }),
    ...(slots.module === undefined ? {} : { module: image(slots.module) }),
  });
}

/** One thing that a board said: a message, or an ERROR with its code as body. */
export interface Said {
  kind: "message" | "error";
  channel: number;
  id: number;
  body: string;
}

/** A link to a board, and all that it said. */
export class Listener {
  readonly said: Said[] = [];
  readonly link: LinkClient;
  private waiters: (() => void)[] = [];

  constructor(transport: ByteTransport) {
    this.link = new LinkClient({
      transport,
      clock: systemClock,
      nonce: new Uint8Array(8).fill(1),
    });
    this.link.onMessage((channel, id, body) => {
      this.take({ kind: "message", channel, id, body: Buffer.from(body).toString("hex") });
    });
    this.link.onEvent((event) => {
      if (event.type !== "error") return;
      const { channel, id, code } = event;
      this.take({ kind: "error", channel, id, body: String(code) });
    });
  }

  /** Sends a request and waits until the board has said something under its id. */
  async ask(channel: number, body: Uint8Array): Promise<Said> {
    const id = this.link.send(channel, body);
    await this.until(() => this.said.some((said) => said.id === id));
    return this.said.find((said) => said.id === id)!;
  }

  /** Waits for something that the board is to say; rejects after 120 seconds. */
  async until(holds: () => boolean): Promise<void> {
    const end = performance.now() + 120_000;
    while (!holds()) {
      if (performance.now() > end) throw new Error("The board did not say what was waited for.");
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, 1000);
        this.waiters.push(() => {
          clearTimeout(timer);
          wake();
        });
      });
    }
  }

  private take(said: Said): void {
    this.said.push(said);
    for (const wake of this.waiters.splice(0)) wake();
  }
}
