// SPDX-License-Identifier: Apache-2.0
// A small seeded generator (xorshift32, Marsaglia 2003) for tests: a failing seed repeats exactly.

export class Random {
  private state: number;

  /** Any seed; equal seeds give equal sequences. */
  constructor(seed: number) {
    this.state = Math.imul(seed, 0x9e3779b1) || 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** A 32-bit unsigned integer. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }

  byte(): number {
    return this.next() >>> 24;
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.next() / 2 ** 32 < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.byte());
  }
}
