// SPDX-License-Identifier: Apache-2.0
// Two helpers of the compiler, which scripts/compactCode.mjs lets it call where it would otherwise
// write the same few instructions for each class: how objects begin, and how they are searched for
// references by the garbage collector.

/** Like `__new`, but the object is all zeros: its constructor need not store any. */
export function newOfZeros(size: usize, id: u32): usize {
  const object = __new(size, id);
  memory.fill(object, 0, size);
  return object;
}

/** Visits the objects that the 32-bit words of `object` refer to: word n where bit n is set. */
export function visitWords(object: usize, words: u64, cookie: u32): void {
  for (; words != 0; words >>= 1) {
    if ((words & 1) != 0) __visit(load<usize>(object), cookie);
    object += sizeof<usize>();
  }
}
