// SPDX-License-Identifier: Apache-2.0
// How much of an image's heap is in use, read from a snapshot of its memory: the allocator of
// AssemblyScript (TLSF) puts blocks one behind the other up to the end of the memory.
import type { ModuleSnapshot } from "../../host/simulator/simulatedModule.ts";

/** Each block begins with its size and two flags, 4 bytes; what follows is 16-byte aligned. */
const HEAD = 4;
const FREE = 1;
const FLAGS = 3;

/** From the word that holds the end of the heap to the first block. */
const END_TO_FIRST_BLOCK = 12;

/** Bytes of blocks in use between two events. Throws if the memory has no such heap. */
export function heapInUse(snapshot: ModuleSnapshot): number {
  const memory = snapshot.instance?.memory;
  if (memory === undefined) throw new Error("The module is off: it has no heap.");
  const words = new DataView(memory.buffer, memory.byteOffset, memory.length);
  const end = memory.length - HEAD;
  for (let at = 0; at < end; at += 16) {
    if (words.getUint32(at, true) !== end) continue;
    const used = walk(words, at + END_TO_FIRST_BLOCK, end);
    if (used !== null) return used;
  }
  throw new Error("The memory does not end in a chain of heap blocks.");
}

/** Sum of the blocks in use from `start` to `end`; null if they do not end there. */
function walk(words: DataView, start: number, end: number): number | null {
  let used = 0;
  let at = start;
  while (at < end) {
    const info = words.getUint32(at, true);
    const size = info & ~FLAGS;
    if (size === 0 || size % 16 !== 12) return null;
    if ((info & FREE) === 0) used += size + HEAD;
    at += HEAD + size;
  }
  return at === end ? used : null;
}
