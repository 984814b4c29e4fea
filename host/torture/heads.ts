// SPDX-License-Identifier: Apache-2.0
// Walks over CBOR items of a message without making objects of them (RFC 8949 section 3): enough to
// tell what a message is. What is not what was asked for makes all that follows fail.

const ADDED_BYTES = [1, 2, 4, 8];

export class Heads {
  isFailed = false;
  private readonly bytes: Uint8Array;
  private at = 0;
  private value = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** An array's number of items. */
  array(): number {
    return this.take(4);
  }

  uint(): number {
    return this.take(0);
  }

  /** A byte string, not copied. */
  view(): Uint8Array {
    const length = this.take(2);
    return this.part(length);
  }

  /** As `view`, of a byte string whose end may be missing. */
  begin(): Uint8Array {
    this.take(2);
    return this.bytes.subarray(this.at);
  }

  /** Major type of the next item. */
  peek(): number {
    return (this.bytes[this.at] ?? 0xff) >> 5;
  }

  /** Passes over one item. */
  skip(): void {
    const major = this.head();
    if (major === 2 || major === 3) this.part(this.value);
    const items = major === 4 ? this.value : major === 5 ? 2 * this.value : 0;
    for (let item = 0; item < items && !this.isFailed; item += 1) this.skip();
  }

  private take(major: number): number {
    if (this.head() !== major) this.isFailed = true;
    return this.isFailed ? 0 : this.value;
  }

  private part(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) this.isFailed = true;
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += length;
    return part;
  }

  private head(): number {
    const first = this.bytes[this.at++];
    if (first === undefined) {
      this.isFailed = true;
      return -1;
    }
    const low = first & 0x1f;
    this.value = low;
    if (low < 24) return first >> 5;
    const added = ADDED_BYTES[low - 24];
    if (added === undefined || this.at + added > this.bytes.length) {
      this.isFailed = true;
      return -1;
    }
    this.value = 0;
    for (let end = this.at + added; this.at < end; this.at += 1) {
      this.value = this.value * 256 + this.bytes[this.at]!;
    }
    return first >> 5;
  }
}
