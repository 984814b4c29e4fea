// SPDX-License-Identifier: Apache-2.0
// Reads deterministic CBOR (RFC 8949, section 4.2) in place, from bytes nobody vouches for.
//
// Accepted: integers, byte and text strings, arrays, maps, false, true, null; shortest heads,
// definite lengths, valid UTF-8, map keys strictly ascending. All else fails. Failure is sticky:
// from then on `failed` is true, every read gives 0, false or empty and consumes nothing. A caller
// may therefore read a whole structure and look at `failed` once; nothing ever traps.
import { Bytes, bytesOf } from "./bytes";
import { argumentSize, Major, Simple } from "./cborHead";
import { isUtf8 } from "./utf8";

/** Nesting `skip` follows; deeper items fail, so that the stack is bounded. */
const DEPTH_MAX: i32 = 8;

export class CborReader {
  /** Whether any read so far met something malformed or unexpected. */
  failed: bool = false;
  /** The range set by `view` and `raw`. */
  viewPointer: usize = 0;
  viewLength: i32 = 0;

  private start: usize;
  private cursor: usize;
  private end: usize;

  /** Reads the `length` bytes at `pointer`, which stay the caller's. */
  constructor(pointer: usize, length: i32) {
    this.start = pointer;
    this.cursor = pointer;
    this.end = pointer + <usize>max(length, 0);
  }

  /** Begins anew on other bytes: who parses many small parts uses one reader, without garbage. */
  restart(pointer: usize, length: i32): void {
    this.failed = false;
    this.start = pointer;
    this.cursor = pointer;
    this.end = pointer + <usize>max(length, 0);
  }

  /** Bytes consumed so far. */
  get position(): i32 {
    return <i32>(this.cursor - this.start);
  }

  /** Bytes not consumed yet. */
  get remaining(): i32 {
    return <i32>(this.end - this.cursor);
  }

  /** Address of the next unread byte. */
  get itemStart(): usize {
    return this.cursor;
  }

  /** Whether everything was read without failure: the last check of every parser. */
  atEnd(): bool {
    return !this.failed && this.cursor == this.end;
  }

  /**
   * Whether the whole range is exactly one deterministic item. Consumes nothing. After it, a parser
   * that reads some keys of a map and skips others still knows that all of them are in order.
   */
  wellFormed(): bool {
    const begin = this.cursor;
    const sound = this.skip() && this.atEnd();
    if (sound) this.cursor = begin;
    return sound;
  }

  /** Major type of the next item (0 to 7), or -1 after a failure or at the end. */
  peekMajor(): i32 {
    if (this.failed || this.cursor == this.end) return -1;
    return <i32>load<u8>(this.cursor) >> 5;
  }

  /** Reads an array's head; returns its number of items, or -1. */
  array(): i32 {
    return this.count(Major.ARRAY, 1);
  }

  /** Reads an array's head; whether it has exactly `count` items. */
  arrayOf(count: i32): bool {
    if (this.array() == count) return true;
    return this.fail();
  }

  /** Reads a map's head; returns its number of pairs, or -1. */
  map(): i32 {
    return this.count(Major.MAP, 2);
  }

  /** Reads the next map key; whether it is the integer `expected`. Else the reader fails. */
  key(expected: i64): bool {
    if (this.int() == expected && !this.failed) return true;
    return this.fail();
  }

  /** Reads the next map key if it is the integer `expected`; else consumes nothing. */
  keyIf(expected: i64): bool {
    const major = this.peekMajor();
    if (major != Major.UNSIGNED && major != Major.NEGATIVE) return false;
    const begin = this.cursor;
    if (this.int() == expected && !this.failed) return true;
    if (!this.failed) this.cursor = begin;
    return false;
  }

  /** Reads an unsigned integer. */
  u64(): u64 {
    return this.head(Major.UNSIGNED);
  }

  /** Reads an unsigned integer that may be at most `max`. */
  uintAtMost(max: u64): u64 {
    const value = this.u64();
    if (value <= max) return value;
    this.fail();
    return 0;
  }

  /** Reads an integer from -2^63 to 2^63 - 1. */
  int(): i64 {
    const major = this.peekMajor() == Major.NEGATIVE ? Major.NEGATIVE : Major.UNSIGNED;
    const argument = this.head(major);
    if (argument > <u64>i64.MAX_VALUE) {
      this.fail();
      return 0;
    }
    if (this.failed) return 0;
    return major == Major.NEGATIVE ? -1 - <i64>argument : <i64>argument;
  }

  /** Reads a byte string of any length into a new one; empty after a failure. */
  bytes(): Bytes {
    return this.bytesAtMost(i32.MAX_VALUE);
  }

  /** Reads a byte string of exactly `length` bytes; `length` zeros after a failure. */
  bytesExact(length: i32): Bytes {
    const begin = this.cursor;
    if (this.view() && this.viewLength == length) return bytesOf(this.viewPointer, length);
    this.failAt(begin);
    return new StaticArray<u8>(length);
  }

  /** Reads a byte string of at most `length` bytes; empty after a failure. */
  bytesAtMost(length: i32): Bytes {
    const begin = this.cursor;
    if (this.view() && this.viewLength <= length) {
      return bytesOf(this.viewPointer, this.viewLength);
    }
    this.failAt(begin);
    return new StaticArray<u8>(0);
  }

  /** Reads a byte string without copying: sets `viewPointer` and `viewLength` to its content. */
  view(): bool {
    return this.string(Major.BYTES);
  }

  /** Reads a text string of at most `maxBytes` bytes of UTF-8; empty after a failure. */
  text(maxBytes: i32): Bytes {
    if (this.viewText(maxBytes)) return bytesOf(this.viewPointer, this.viewLength);
    return new StaticArray<u8>(0);
  }

  /** Like `text` without copying: sets `viewPointer` and `viewLength` to its UTF-8 bytes. */
  viewText(maxBytes: i32): bool {
    const begin = this.cursor;
    if (this.string(Major.TEXT) && this.viewLength <= maxBytes) return true;
    this.failAt(begin);
    return false;
  }

  /** Reads true or false. */
  bool(): bool {
    if (this.nextIs(Simple.TRUE)) return true;
    if (!this.nextIs(Simple.FALSE)) this.fail();
    return false;
  }

  /** Whether the next item is null; if so, reads it. */
  isNull(): bool {
    return this.nextIs(Simple.NULL);
  }

  /** Passes over one item of any accepted kind, checking all of it. */
  skip(): bool {
    return this.skipNested(DEPTH_MAX);
  }

  /** Like `skip`, and sets `viewPointer` and `viewLength` to the whole encoded item. */
  raw(): bool {
    const begin = this.cursor;
    if (!this.skip()) return false;
    this.viewPointer = begin;
    this.viewLength = <i32>(this.cursor - begin);
    return true;
  }

  private fail(): bool {
    this.failed = true;
    this.viewPointer = this.start;
    this.viewLength = 0;
    return false;
  }

  /** Fails with the cursor put back to where the refused item begins. */
  private failAt(begin: usize): void {
    this.cursor = begin;
    this.fail();
  }

  private nextIs(item: u8): bool {
    if (this.failed || this.cursor == this.end || load<u8>(this.cursor) != item) return false;
    this.cursor++;
    return true;
  }

  /** Reads a head of the given major type; returns its argument, 0 after a failure. */
  private head(major: i32): u64 {
    if (this.peekMajor() != major) {
      this.fail();
      return 0;
    }
    const short = <u64>(load<u8>(this.cursor) & 31);
    if (short < 24) {
      this.cursor++;
      return short;
    }
    // 28 to 31 are reserved or of indefinite length: neither is deterministic.
    const size = short < 28 ? 1 << (<i32>short - 24) : 0;
    if (size == 0 || this.end - this.cursor < <usize>(size + 1)) {
      this.fail();
      return 0;
    }
    let argument: u64 = 0;
    for (let i = 1; i <= size; i++) {
      argument = (argument << 8) | <u64>load<u8>(this.cursor + <usize>i);
    }
    if (argumentSize(argument) != size) {
      this.fail();
      return 0;
    }
    this.cursor += <usize>(size + 1);
    return argument;
  }

  /** Reads an array's or a map's head. A count that the remaining bytes cannot hold fails. */
  private count(major: i32, itemsEach: u64): i32 {
    const begin = this.cursor;
    const count = this.head(major);
    const room = <u64>(this.end - this.cursor);
    if (!this.failed && count <= room && count * itemsEach <= room) return <i32>count;
    this.failAt(begin);
    return -1;
  }

  private string(major: i32): bool {
    const begin = this.cursor;
    const length = this.head(major);
    if (this.failed || length > <u64>(this.end - this.cursor)) {
      this.failAt(begin);
      return false;
    }
    if (major == Major.TEXT && !isUtf8(this.cursor, <i32>length)) {
      this.failAt(begin);
      return false;
    }
    this.viewPointer = this.cursor;
    this.viewLength = <i32>length;
    this.cursor += <usize>length;
    return true;
  }

  private skipNested(depth: i32): bool {
    const major = this.peekMajor();
    if (major == Major.UNSIGNED || major == Major.NEGATIVE) {
      this.head(major);
    } else if (major == Major.BYTES || major == Major.TEXT) {
      this.string(major);
    } else if (major == Major.SIMPLE) {
      if (!this.isNull()) this.bool();
    } else if ((major == Major.ARRAY || major == Major.MAP) && depth > 0) {
      this.skipChildren(major, depth - 1);
    } else {
      this.fail();
    }
    return !this.failed;
  }

  private skipChildren(major: i32, depth: i32): void {
    let count = major == Major.ARRAY ? this.array() : this.map();
    let lastKey: usize = 0;
    let lastKeyLength: usize = 0;
    for (; count > 0 && !this.failed; count--) {
      if (major == Major.MAP) {
        const key = this.cursor;
        if (!this.skipNested(depth)) return;
        const keyLength = this.cursor - key;
        // Bytewise lexicographic order of the encoded keys (section 4.2.1); no key is a prefix of
        // another, so the shorter length decides nothing.
        const shared = min(lastKeyLength, keyLength);
        if (lastKey != 0 && memory.compare(lastKey, key, shared) >= 0) {
          this.fail();
          return;
        }
        lastKey = key;
        lastKeyLength = keyLength;
      }
      this.skipNested(depth);
    }
  }
}
