// SPDX-License-Identifier: Apache-2.0
// What is fuzzed, seen from the engine: makes inputs from a random source and from inputs that were
// worth keeping, runs one, and says what it did. An input is plain data, so that a file repeats it.
import type { Random } from "../../host/torture/random.ts";

/** Plain data; bytes as hexadecimal text. */
export type Input = Readonly<Record<string, string | number | boolean | null>>;

export interface Target {
  readonly name: string;
  /** Another input; `kept`: those that did something new before. */
  next(random: Random, kept: readonly Input[]): Input;
  /**
   * Runs one input; a short text that is another for another behaviour.
   * @throws {Error} if what must hold does not: the finding, in one sentence
   */
  run(input: Input): string;
}

export const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
export const fromHex = (text: unknown) => new Uint8Array(Buffer.from(String(text), "hex"));
