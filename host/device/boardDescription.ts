// SPDX-License-Identifier: Apache-2.0
// What boards/BOARD/board.json says of a board, and which of the emulated ones can be built and run
// on this machine.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { projectFile } from "../projectFile.ts";

/** A board that an emulator stands for. */
export interface EmulatedBoardDescription {
  /** Images that it has room for: 2 for an agent and a module, 1 for one of them. */
  slots: 1 | 2;
  /** C compiler, a program's name. */
  compiler: string;
  /** Debian packages with compiler, wasm2c and emulator, as words for apt-get. */
  packages: string;
  emulator: { program: string; arguments: string[] };
}

/**
 * Reads the description of an emulated board.
 * @throws {Error} where there is no such board, or no emulator for it
 */
export function describeEmulated(board: string): EmulatedBoardDescription {
  const description = describe(board);
  if (description === null)
    throw new Error(`there is no board ${board}: boards/README.md lists them`);
  if (!isEmulated(description)) throw new Error(`the board ${board} has no emulator`);
  return description;
}

/** Names of the boards that have an emulator, in alphabetical order. */
export function emulatedBoardNames(): string[] {
  const names = readdirSync(projectFile("boards")).sort();
  return names.filter((name) => isEmulated(describe(name)));
}

/** The programs that a board needs and this machine does not have. */
export function missingPrograms({ compiler, emulator }: EmulatedBoardDescription): string[] {
  return [compiler, "wasm2c", emulator.program].filter(
    (program) => spawnSync(program, ["--version"]).error !== undefined,
  );
}

type Described = Omit<EmulatedBoardDescription, "emulator"> & Partial<EmulatedBoardDescription>;

function isEmulated(board: Described | null): board is EmulatedBoardDescription {
  return board?.emulator !== undefined;
}

function describe(board: string): Described | null {
  // A board is a folder's name, never a way to some other folder.
  if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(board)) return null;
  try {
    return JSON.parse(readFileSync(projectFile(`boards/${board}/board.json`), "utf8")) as Described;
  } catch {
    return null;
  }
}
