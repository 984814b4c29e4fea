// SPDX-License-Identifier: Apache-2.0
// A board in an emulator (boards/BOARD/board.json names the program), with its serial line as a
// pseudo-terminal and its storage in a directory. Ending the emulator is cutting the power.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { openSerialTransport } from "../link/serialTransport.ts";
import type { ByteTransport } from "../link/transport.ts";
import { describeEmulated } from "./boardDescription.ts";

const START_TIMEOUT_MS = 10_000;
const OUTPUT_LIMIT = 4096;
const SECRET_SIZE = 32;

export interface EmulatedBoardOptions {
  /** Name of a folder in boards/. */
  board: string;
  /** The ELF file that scripts/boards.mjs built. */
  program: string;
  /** Where flash, counters and secret are; made, with a random secret, if absent. */
  directory: string;
  /** More words for the emulator, such as `-icount shift=0`. */
  arguments?: string[];
}

/** A board that can be switched on and off; off when it is made. */
export class EmulatedBoard {
  private readonly options: EmulatedBoardOptions;
  private process: ChildProcess | null = null;
  private path: string | null = null;
  private printed = "";
  /** Lines that were opened since the board was switched on. */
  private lines: ByteTransport[] = [];

  constructor(options: EmulatedBoardOptions) {
    this.options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const secret = join(options.directory, "secret");
    if (!existsSync(secret)) writeFileSync(secret, randomBytes(SECRET_SIZE), { mode: 0o600 });
  }

  get isOn(): boolean {
    return this.process !== null;
  }

  /**
   * Switches the board on.
   * @throws {Error} with what to do, where the emulator or the program is missing or does not start
   */
  async powerOn(): Promise<void> {
    if (this.process !== null) return;
    const { board, directory, program } = this.options;
    const { emulator, packages } = describeEmulated(board);
    if (!existsSync(program)) {
      throw new Error(
        `${program} is not built; run \`node scripts/boards.mjs ${board} ...\` first`,
      );
    }
    const words = [
      ...emulator.arguments,
      ...["-display", "none", "-monitor", "none", "-serial", "pty"],
      ...["-semihosting-config", "enable=on,target=native"],
      ...(this.options.arguments ?? []),
      ...["-kernel", resolve(program)],
    ];
    const child = spawn(emulator.program, words, {
      cwd: directory,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = child;
    this.printed = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.printed = (this.printed + chunk.toString()).slice(-OUTPUT_LIMIT);
      });
    }
    // No emulator outlives the program that started it.
    const end = (): void => {
      child.kill("SIGKILL");
    };
    process.once("exit", end);
    child.on("exit", () => {
      process.off("exit", end);
      if (this.process === child) this.forget();
    });
    try {
      this.path = await this.terminalOf(child, emulator.program, packages);
    } catch (error) {
      child.kill("SIGKILL");
      this.forget();
      throw error;
    }
  }

  /** What the emulator and the board printed since it was switched on last, beside the line. */
  get output(): string {
    return this.printed;
  }

  /** Opens the serial line; rejects while the board is off. */
  async openLine(): Promise<ByteTransport> {
    const { path } = this;
    if (path === null) throw new Error("the emulated board is off");
    const line = await openSerialTransport(path);
    if (this.path !== path) {
      line.close();
      throw new Error("the emulated board was switched off");
    }
    this.lines.push(line);
    return line;
  }

  /** Takes the power away at once; resolves when nothing of the board runs any more. */
  async powerOff(): Promise<void> {
    const child = this.process;
    if (child === null) return;
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    this.forget();
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await ended;
  }

  private forget(): void {
    this.process = null;
    this.path = null;
    // The end of a pseudo-terminal is not always told to who has it open.
    for (const line of this.lines.splice(0)) line.close();
  }

  /** The path of the pseudo-terminal, which the emulator prints when it starts. */
  private terminalOf(child: ChildProcess, program: string, packages: string): Promise<string> {
    return new Promise((found, reject) => {
      const timer = setTimeout(() => fail("it named no serial line in time."), START_TIMEOUT_MS);
      const fail = (reason: string): void => {
        clearTimeout(timer);
        reject(new Error(`${program} does not start: ${reason} ${this.printed}`.trim()));
      };
      const look = (): void => {
        const match = /redirected to (\/dev\/\S+)\s/.exec(this.printed);
        if (match === null) return;
        clearTimeout(timer);
        found(match[1]!);
      };
      child.stdout?.on("data", look);
      child.stderr?.on("data", look);
      child.once("exit", (code) => fail(`it ended with ${code}.`));
      child.once("error", (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") fail(`it is not there: sudo apt-get install ${packages}.`);
        else fail(error.message);
      });
    });
  }
}
