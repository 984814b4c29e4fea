// SPDX-License-Identifier: Apache-2.0
// Byte strings of the firmware: one managed type for what is kept, raw addresses for what is only
// looked at. Comparisons here are for public bytes; secrets use crypto/bytes.ts.

/** A byte string on the heap or in static memory; treated as immutable once it is handed on. */
export type Bytes = StaticArray<u8>;

/** Copies `length` bytes at `pointer` into a new byte string. */
export function bytesOf(pointer: usize, length: i32): Bytes {
  const copy = new StaticArray<u8>(length);
  memory.copy(changetype<usize>(copy), pointer, <usize>length);
  return copy;
}

/** Address of the first byte; valid while `bytes` is referenced. */
export function pointerOf(bytes: Bytes): usize {
  return changetype<usize>(bytes);
}

/** Whether two byte strings have the same length and content. Not constant time. */
export function bytesEqual(a: Bytes, b: Bytes): bool {
  return a.length == b.length && equalAt(a, changetype<usize>(b));
}

/** Whether memory at `pointer` holds the content of `bytes`. Not constant time. */
export function equalAt(bytes: Bytes, pointer: usize): bool {
  return memory.compare(changetype<usize>(bytes), pointer, <usize>bytes.length) == 0;
}

/** Lexicographic order of two byte strings: negative, zero or positive. Not constant time. */
export function bytesOrder(a: Bytes, b: Bytes): i32 {
  const shared = min(a.length, b.length);
  const order = memory.compare(changetype<usize>(a), changetype<usize>(b), <usize>shared);
  return order != 0 ? order : a.length - b.length;
}

/** The content of `a` followed by that of `b`. */
export function concat2(a: Bytes, b: Bytes): Bytes {
  const joined = new StaticArray<u8>(a.length + b.length);
  memory.copy(changetype<usize>(joined), changetype<usize>(a), <usize>a.length);
  memory.copy(changetype<usize>(joined) + <usize>a.length, changetype<usize>(b), <usize>b.length);
  return joined;
}
