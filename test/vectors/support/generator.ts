// SPDX-License-Identifier: Apache-2.0
// Repeatable pseudorandom inputs for differential tests: xorshift32 (Marsaglia, 2003), and byte
// patterns that provoke carries.

export class Generator {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** A number from 0 to 2^32 - 1. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** A number from 0 to `limit` - 1. */
  below(limit: number): number {
    return this.next() % limit;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.next() >>> 13);
  }

  /** Runs of 00, FF and single odd bytes: limbs at their limits, long carries. */
  pattern(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; ) {
      const value = [0x00, 0xff, 0x7f, 0x80, 0x01, 0xfe, this.below(256)][this.below(7)]!;
      for (let run = 1 + this.below(12); run > 0 && i < length; run--) bytes[i++] = value;
    }
    return bytes;
  }

  /** Bytes of either kind. */
  either(length: number): Uint8Array<ArrayBuffer> {
    return this.below(3) === 0 ? this.pattern(length) : this.bytes(length);
  }
}
