// SPDX-License-Identifier: Apache-2.0
// The board's random source (Random Number Generator 156): the system's, or for tests a stream from
// a seed, SHA-256(key | counter) block by block, whose state is small and can be put back.
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { RandomSource } from "./types.ts";

export class RandomGenerator {
  private readonly key: Uint8Array | null;
  /** Blocks used so far. */
  private counter = 0;

  /** `label` makes the streams of several modules from one seed differ. */
  constructor(source: RandomSource, label: string) {
    if (source.kind === "system") this.key = null;
    else {
      const seed = typeof source.seed === "string" ? utf8ToBytes(source.seed) : source.seed;
      this.key = sha256(concatBytes(sha256(utf8ToBytes(label)), seed));
    }
  }

  /** Fills `output` with random bytes. */
  fill(output: Uint8Array): void {
    if (this.key === null) {
      crypto.getRandomValues(output);
      return;
    }
    for (let done = 0; done < output.length; done += 32) {
      const input = new Uint8Array(40);
      input.set(this.key);
      new DataView(input.buffer).setBigUint64(32, BigInt(this.counter), true);
      this.counter += 1;
      output.set(sha256(input).subarray(0, Math.min(32, output.length - done)), done);
    }
  }

  /** 32 random bits. */
  bits(): number {
    const bytes = new Uint8Array(4);
    this.fill(bytes);
    return new DataView(bytes.buffer).getUint32(0, true);
  }

  snapshot(): number {
    return this.counter;
  }

  restore(counter: number): void {
    this.counter = counter;
  }
}
