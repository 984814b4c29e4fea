// SPDX-License-Identifier: Apache-2.0
// CBOR (RFC 8949) as a tree that may also be wrong: heads that are too long or lie, items that are
// missing or there twice, so that a fuzzer can say what no encoder would. Byte strings that hold
// one item are opened, too: payloads of signed objects, sealed bodies inside messages.

export interface Item {
  /**
   * 0 unsigned, 1 negative, 2 bytes, 3 text, 4 array, 5 map (keys and values in turn), 7 simple.
   */
  major: number;
  /** Value, or what the head says of the length; it need not be true. */
  value: bigint;
  /** Bytes that follow the head's first one: 0, 1, 2, 4 or 8; null for the shortest. */
  headBytes: number | null;
  isIndefinite: boolean;
  /** Of bytes and texts. */
  bytes: Uint8Array;
  /** Of arrays and maps; of bytes the one item in them, if they hold one. */
  items: Item[];
}

const DEPTH_LIMIT = 12;

export function item(major: number, value: bigint | number, change: Partial<Item> = {}): Item {
  const bytes = new Uint8Array(0);
  return {
    ...{ major, value: BigInt(value), headBytes: null, isIndefinite: false, bytes, items: [] },
    ...change,
  };
}

/** Reads exactly one item; null for anything that is not plain CBOR with definite lengths. */
export function readTree(bytes: Uint8Array): Item | null {
  const reader = { bytes, at: 0 };
  const tree = readItem(reader, 0);
  return tree !== null && reader.at === bytes.length ? tree : null;
}

function readItem(reader: { bytes: Uint8Array; at: number }, depth: number): Item | null {
  const { bytes } = reader;
  const first = bytes[reader.at++];
  if (first === undefined || depth > DEPTH_LIMIT) return null;
  const major = first >> 5;
  const low = first & 31;
  if (low > 27 || major === 6) return null;
  const headBytes = low < 24 ? 0 : 1 << (low - 24);
  let value = low < 24 ? BigInt(low) : 0n;
  for (let i = 0; i < headBytes; i += 1) {
    const next = bytes[reader.at++];
    if (next === undefined) return null;
    value = (value << 8n) | BigInt(next);
  }
  const read = item(major, value);
  if (major === 2 || major === 3) {
    if (value > BigInt(bytes.length - reader.at)) return null;
    read.bytes = bytes.slice(reader.at, reader.at + Number(value));
    reader.at += Number(value);
    const inner = major === 2 && read.bytes.length > 3 ? readTree(read.bytes) : null;
    if (inner !== null && (inner.major === 4 || inner.major === 5)) read.items.push(inner);
  } else if (major === 4 || major === 5) {
    const count = major === 4 ? value : 2n * value;
    if (count > BigInt(bytes.length)) return null;
    for (let i = 0n; i < count; i += 1n) {
      const child = readItem(reader, depth + 1);
      if (child === null) return null;
      read.items.push(child);
    }
  }
  return read;
}

/** The bytes of a tree. Lengths are those of the content, but for items that are to lie. */
export function writeTree(tree: Item, lies: ReadonlySet<Item> = new Set()): Uint8Array {
  const out: number[] = [];
  writeItem(tree, lies, out);
  return Uint8Array.from(out);
}

function writeItem(tree: Item, lies: ReadonlySet<Item>, out: number[]): void {
  const { major, items, isIndefinite } = tree;
  let content: number[] = [];
  let { value } = tree;
  if (major === 2 && items.length > 0) for (const one of items) writeItem(one, lies, content);
  else if (major === 2 || major === 3) content = [...tree.bytes];
  else if (major === 4 || major === 5) for (const one of items) writeItem(one, lies, content);
  if (!lies.has(tree)) {
    if (major === 2 || major === 3) value = BigInt(content.length);
    else if (major === 4) value = BigInt(items.length);
    else if (major === 5) value = BigInt(items.length >> 1);
  }
  if (isIndefinite) out.push((major << 5) | 31);
  else writeHead(major, value, tree.headBytes, out);
  for (const byte of content) out.push(byte);
  if (isIndefinite) out.push(0xff);
}

function writeHead(major: number, value: bigint, headBytes: number | null, out: number[]): void {
  const shortest =
    value < 24n ? 0 : value < 256n ? 1 : value < 65536n ? 2 : value < 1n << 32n ? 4 : 8;
  const size = Math.max(shortest, headBytes ?? 0);
  if (size === 0) {
    out.push((major << 5) | Number(value));
    return;
  }
  out.push((major << 5) | (24 + Math.log2(size)));
  for (let i = size - 1; i >= 0; i -= 1) out.push(Number((value >> BigInt(8 * i)) & 0xffn));
}

/** All items of a tree, also those inside byte strings, from the outside in. */
export function allItems(tree: Item): Item[] {
  return [tree, ...tree.items.flatMap(allItems)];
}

/** A copy that shares nothing. */
export function copyTree(tree: Item): Item {
  return { ...tree, bytes: tree.bytes.slice(), items: tree.items.map(copyTree) };
}
