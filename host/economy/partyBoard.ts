// SPDX-License-Identifier: Apache-2.0
// A board for one party of an economy that is not simulated: an emulated one, with its storage in a
// directory that lasts as long as it does.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BoardSlots, boardProgram } from "../device/boardProgram.ts";
import { EmulatedBoard } from "../device/emulatedBoard.ts";
import type { Clock } from "../link/clock.ts";
import type { ByteTransport } from "../link/transport.ts";
import type { BoardStatistics } from "../simulator/types.ts";

/** A board that is on, with its line open. */
export interface PartyBoard {
  transport: ByteTransport;
  /** What a simulated board counts. */
  statistics?: BoardStatistics;
  close(): Promise<void>;
}

/**
 * Makes a board with these images; `secret` is what its device keys are derived from, `clock` has
 * the economy's date, in which days may pass at once.
 */
export type BoardMaker = (
  slots: BoardSlots,
  secret: Uint8Array,
  clock: Clock,
) => Promise<PartyBoard>;

/** A board's date may be behind by this much. */
const DATE_STEP_MS = 1_000;

/** Keeps the date of an emulated board in its file `clock`, which it reads whenever it looks. */
class BoardDate {
  private readonly file: string;
  private readonly clock: Clock;
  private toldMs = 0;

  constructor(directory: string, clock: Clock) {
    this.file = join(directory, "clock");
    this.clock = clock;
    this.tell();
  }

  /** Writes the date if it moved, at once whole: the board may be reading it. */
  tell(): void {
    const nowMs = Math.floor(this.clock.epochMs());
    if (Math.abs(nowMs - this.toldMs) < DATE_STEP_MS) return;
    this.toldMs = nowMs;
    writeFileSync(`${this.file}.new`, `${nowMs}\n`);
    renameSync(`${this.file}.new`, this.file);
  }
}

/** The line, on which whatever the host says finds the board with the economy's date. */
function dated(line: ByteTransport, date: BoardDate): ByteTransport {
  return {
    write: (bytes) => {
      date.tell();
      line.write(bytes);
    },
    onBytes: (receive) => line.onBytes(receive),
    onClose: (closed) => line.onClose(closed),
    close: () => line.close(),
  };
}

/** Makes boards of this kind (boards/README.md), in an emulator each. */
export function emulatedBoards(board: string): BoardMaker {
  return async (slots, secret, clock) => {
    const program = await boardProgram(board, slots);
    const directory = mkdtempSync(join(tmpdir(), "florin-board-"));
    writeFileSync(join(directory, "secret"), secret, { mode: 0o600 });
    const date = new BoardDate(directory, clock);
    const emulated = new EmulatedBoard({ board, program, directory });
    const close = async (): Promise<void> => {
      await emulated.powerOff();
      rmSync(directory, { recursive: true, force: true });
    };
    try {
      await emulated.powerOn();
      return { transport: dated(await emulated.openLine(), date), close };
    } catch (error) {
      await close();
      throw error;
    }
  };
}
