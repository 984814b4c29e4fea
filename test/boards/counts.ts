// SPDX-License-Identifier: Apache-2.0
// Exact counts of instructions on the emulated board (boards/mps2-an505/bench/calls.c): the
// firmware's cryptography as compiled for it, called with given bytes, each call counted.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { BOARD, boardDirectory, SECRET } from "./emulated.ts";

/** Functions that the program knows, in its order. */
const FUNCTIONS = [
  "nothing",
  "x25519",
  "ed25519Sign",
  "ed25519Verify",
  "sha256",
  "sha512",
  "sealBox",
  "openBox",
  "equalConstantTime",
  "x25519PublicKey",
  "ed25519PublicKey",
] as const;
export type CountedFunction = (typeof FUNCTIONS)[number];

/** The emulator's time: 2^SHIFT ns for an instruction, TICK_NS for a tick of the timer. */
const SHIFT = 7;
const TICK_NS = 50;
export const INSTRUCTIONS_PER_TICK = TICK_NS / 2 ** SHIFT;
const ARGUMENTS = 7;
const SCRATCH_SIZE = 24576;

/** What one call did: its instructions, the value it returned, and bytes that it wrote. */
export interface Counted {
  instructions: number;
  value: number;
  output: Uint8Array;
}

/** An argument of a call: a number, bytes to be read, or room for bytes to be written. */
export type CountedArgument = number | Uint8Array | { room: number };

/** Calls to be made, in order; the image's scratch buffer is used anew by each. */
export class Calls {
  private readonly base: number;
  private readonly image: string;
  private readonly records: Uint8Array[] = [];
  private readonly outputs: number[] = [];

  /** `image`: a build of the image `primitives`. */
  constructor(image = "primitives") {
    this.image = image;
    const bytes = new Uint8Array(readFileSync(`build/firmware/${image}.wasm`));
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      board: { panic: () => {} },
    });
    this.base = (instance.exports.buffer as () => number)();
    // What the measuring itself costs; taken from all others.
    this.add("nothing");
  }

  /** Adds a call; the first room among the arguments is what it gives back. */
  add(name: CountedFunction, ...given: CountedArgument[]): void {
    let at = this.base;
    let output: [address: number, length: number] = [this.base, 0];
    const values = given.map((argument) => {
      if (typeof argument === "number") return argument;
      const address = at;
      const length = argument instanceof Uint8Array ? argument.length : argument.room;
      at += (length + 7) & ~7;
      if (argument instanceof Uint8Array) {
        this.records.push(Uint8Array.of(1), numbers(address, length), argument);
      } else if (output[1] === 0) output = [address, length];
      return address;
    });
    if (at > this.base + SCRATCH_SIZE) throw new Error("The arguments do not fit the buffer.");
    while (values.length < ARGUMENTS) values.push(0);
    this.records.push(Uint8Array.of(2, FUNCTIONS.indexOf(name)), numbers(...values));
    this.records.push(Uint8Array.of(3), numbers(...output));
    this.outputs.push(output[1]);
  }

  /** Runs the calls on the board and gives what each did. */
  run(): Counted[] {
    const script = ["scripts/boards.mjs", BOARD, "--counter", this.image];
    const program = execFileSync(process.execPath, script, { encoding: "utf8" }).trim();
    const directory = boardDirectory();
    try {
      writeFileSync(join(directory.path, "secret"), SECRET);
      writeFileSync(
        join(directory.path, "calls"),
        Buffer.concat([...this.records, [0]].map(toBuffer)),
      );
      const words = [
        ...["-M", BOARD, "-display", "none", "-monitor", "none", "-serial", "none"],
        ...["-icount", `shift=${SHIFT}`, "-semihosting-config", "enable=on,target=native"],
        ...["-kernel", resolve(program)],
      ];
      emulate(words, directory.path);
      return this.read(readFileSync(join(directory.path, "results")));
    } finally {
      directory.remove();
    }
  }

  private read(results: Buffer): Counted[] {
    let at = 0;
    const all = this.outputs.map((length): Counted => {
      const ticks = results.readUInt32LE(at);
      const value = results.readUInt32LE(at + 4);
      const output = new Uint8Array(results.subarray(at + 8, at + 8 + length));
      at += 8 + length;
      // Within half an instruction, since a tick is less than that.
      return { instructions: Math.round(ticks * INSTRUCTIONS_PER_TICK), value, output };
    });
    if (at !== results.length) throw new Error("The board did not make all calls.");
    const [nothing, ...calls] = all;
    return calls.map((call) => ({
      ...call,
      instructions: call.instructions - nothing!.instructions,
    }));
  }
}

/** The program ends with a code of its own, however it went: the results tell. */
function emulate(words: string[], directory: string): void {
  try {
    execFileSync("qemu-system-arm", words, { cwd: directory, stdio: "pipe" });
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    const said = stderr?.toString().trim();
    if (said) throw new Error(said);
  }
}

function toBuffer(bytes: Uint8Array | number[]): Buffer {
  return Buffer.from(bytes as Uint8Array);
}

function numbers(...values: number[]): Uint8Array {
  return new Uint8Array(new Uint32Array(values).buffer);
}
