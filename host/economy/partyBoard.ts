// SPDX-License-Identifier: Apache-2.0
// A board for one party of an economy that is not simulated: an emulated one, with its storage in a
// directory that lasts as long as it does.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BoardSlots, boardProgram } from "../device/boardProgram.ts";
import { EmulatedBoard } from "../device/emulatedBoard.ts";
import type { ByteTransport } from "../link/transport.ts";
import type { BoardStatistics } from "../simulator/types.ts";

/** A board that is on, with its line open. */
export interface PartyBoard {
  transport: ByteTransport;
  /** What a simulated board counts. */
  statistics?: BoardStatistics;
  close(): Promise<void>;
}

/** Makes a board with these images; `secret` is what its device keys are derived from. */
export type BoardMaker = (slots: BoardSlots, secret: Uint8Array) => Promise<PartyBoard>;

/** Makes boards of this kind (boards/README.md), in an emulator each. */
export function emulatedBoards(board: string): BoardMaker {
  return async (slots, secret) => {
    const program = await boardProgram(board, slots);
    const directory = mkdtempSync(join(tmpdir(), "florin-board-"));
    writeFileSync(join(directory, "secret"), secret, { mode: 0o600 });
    const emulated = new EmulatedBoard({ board, program, directory });
    const close = async (): Promise<void> => {
      await emulated.powerOff();
      rmSync(directory, { recursive: true, force: true });
    };
    try {
      await emulated.powerOn();
      return { transport: await emulated.openLine(), close };
    } catch (error) {
      await close();
      throw error;
    }
  };
}
