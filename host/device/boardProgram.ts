// SPDX-License-Identifier: Apache-2.0
// The program of a board with images in its slots, built by scripts/boards.mjs where it is not up
// to date: some twenty seconds of compiling at first, nothing later.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { projectFile } from "../projectFile.ts";

/** Names of images in build/firmware, for the slots of a board. */
export interface BoardSlots {
  agent?: string;
  module?: string;
  /** What runs them; wasm2c if absent. wasm3 needs WASM3_DIR. */
  engine?: "wasm3";
}

/**
 * Gives the path of the ELF file.
 * @throws {Error} with what is missing, or the compiler's words
 */
export async function boardProgram(board: string, slots: BoardSlots): Promise<string> {
  const words = Object.entries(slots).flatMap(([slot, image]) => [`--${slot}`, String(image)]);
  const script = [projectFile("scripts/boards.mjs"), board, "--quiet", ...words];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, script);
    return projectFile(stdout.trim());
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(stderr?.trim() || String(error));
  }
}
