// SPDX-License-Identifier: Apache-2.0
// Writes deterministic CBOR (RFC 8949, section 4.2) into a given range: shortest heads, definite
// lengths. Map keys leave in the order of the calls; the caller writes them ascending.
//
// Running out of room is sticky: `overflow` is true from then on and nothing more is written.
import { Bytes, bytesOf } from "./bytes";
import { argumentSize, Major, Simple, storeHead } from "./cborHead";

/** Room `beginBytes` keeps for the head of a string of up to 65,535 bytes. */
const OPEN_HEAD_SIZE: i32 = 3;

export class CborWriter {
  /** Whether something did not fit; what was written is then useless. */
  overflow: bool = false;

  private start: usize;
  private capacity: i32;
  private used: i32 = 0;

  /** Writes into the `capacity` bytes at `pointer`, which stay the caller's. */
  constructor(pointer: usize, capacity: i32) {
    this.start = pointer;
    this.capacity = capacity;
  }

  /** Begins anew at the start of the same range. */
  restart(): void {
    this.overflow = false;
    this.used = 0;
  }

  /** Bytes written so far. */
  get length(): i32 {
    return this.used;
  }

  /** Address of the first byte written. */
  get pointer(): usize {
    return this.start;
  }

  /** A copy of all that was written; empty after an overflow. */
  taken(): Bytes {
    return bytesOf(this.start, this.overflow ? 0 : this.used);
  }

  /** Begins an array of `count` items. */
  array(count: i32): void {
    this.head(Major.ARRAY, <u64>count);
  }

  /** Begins a map of `count` pairs. */
  map(count: i32): void {
    this.head(Major.MAP, <u64>count);
  }

  /** Writes an unsigned integer. */
  uint(value: u64): void {
    this.head(Major.UNSIGNED, value);
  }

  /** Writes an integer of either sign. */
  int(value: i64): void {
    if (value >= 0) this.head(Major.UNSIGNED, <u64>value);
    else this.head(Major.NEGATIVE, <u64>(-1 - value));
  }

  /** Writes a byte string of `length` bytes at `pointer`. */
  bytes(pointer: usize, length: i32): void {
    this.head(Major.BYTES, <u64>length);
    this.raw(pointer, length);
  }

  /** Writes the head alone of a byte string whose `length` bytes follow elsewhere. */
  bytesHead(length: i32): void {
    this.head(Major.BYTES, <u64>length);
  }

  /** Writes a byte string. */
  bytesFrom(value: Bytes): void {
    this.bytes(changetype<usize>(value), value.length);
  }

  /** Writes a text string of `length` bytes of UTF-8 at `pointer`. */
  text(pointer: usize, length: i32): void {
    this.head(Major.TEXT, <u64>length);
    this.raw(pointer, length);
  }

  /** Writes a text string from its UTF-8 bytes. */
  textFrom(value: Bytes): void {
    this.text(changetype<usize>(value), value.length);
  }

  /** Writes true or false. */
  boolean(value: bool): void {
    this.simple(value ? Simple.TRUE : Simple.FALSE);
  }

  /** Writes null. */
  nil(): void {
    this.simple(Simple.NULL);
  }

  /** Copies `length` bytes that are already encoded. The range may overlap the writer's own. */
  raw(pointer: usize, length: i32): void {
    if (!this.fits(length)) return;
    memory.copy(this.start + <usize>this.used, pointer, <usize>length);
    this.used += length;
  }

  /** Copies an already encoded item. */
  rawFrom(value: Bytes): void {
    this.raw(changetype<usize>(value), value.length);
  }

  /** Begins a byte string of unknown length, at most 65,535; returns the mark for `endBytes`. */
  beginBytes(): i32 {
    const mark = this.used;
    if (this.fits(OPEN_HEAD_SIZE)) this.used += OPEN_HEAD_SIZE;
    return mark;
  }

  /** Ends the byte string begun at `mark`: writes the shortest head and closes the gap. */
  endBytes(mark: i32): void {
    if (this.overflow) return;
    const length = this.used - mark - OPEN_HEAD_SIZE;
    if (length < 0 || length > 0xffff) {
      this.overflow = true;
      return;
    }
    const content = this.start + <usize>(mark + OPEN_HEAD_SIZE);
    const headSize = 1 + argumentSize(<u64>length);
    memory.copy(this.start + <usize>(mark + headSize), content, <usize>length);
    storeHead(this.start + <usize>mark, Major.BYTES, <u64>length);
    this.used = mark + headSize + length;
  }

  private head(major: i32, argument: u64): void {
    if (!this.fits(1 + argumentSize(argument))) return;
    this.used += storeHead(this.start + <usize>this.used, major, argument);
  }

  private simple(item: u8): void {
    if (!this.fits(1)) return;
    store<u8>(this.start + <usize>this.used, item);
    this.used++;
  }

  private fits(size: i32): bool {
    if (size < 0 || size > this.capacity - this.used) this.overflow = true;
    return !this.overflow;
  }
}
