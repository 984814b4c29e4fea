// SPDX-License-Identifier: Apache-2.0
// The head of a CBOR data item (RFC 8949, section 3): major type and argument in 1 to 9 bytes.
// Reader and writer share it, so that both have one notion of the shortest form (section 4.2.1).

/** Major types of RFC 8949, section 3.1. */
export namespace Major {
  export const UNSIGNED: i32 = 0;
  export const NEGATIVE: i32 = 1;
  export const BYTES: i32 = 2;
  export const TEXT: i32 = 3;
  export const ARRAY: i32 = 4;
  export const MAP: i32 = 5;
  export const SIMPLE: i32 = 7;
}

/** The three simple values Florin uses, as whole one-byte items (RFC 8949, section 3.3). */
export namespace Simple {
  export const FALSE: u8 = 0xf4;
  export const TRUE: u8 = 0xf5;
  export const NULL: u8 = 0xf6;
}

/** How many bytes of argument follow the first byte in the shortest head for `argument`: 0 to 8. */
export function argumentSize(argument: u64): i32 {
  if (argument < 24) return 0;
  if (argument <= 0xff) return 1;
  if (argument <= 0xffff) return 2;
  if (argument <= 0xffffffff) return 4;
  return 8;
}

/** Writes the shortest head at `pointer`, which has room for it; returns its size, 1 to 9. */
export function storeHead(pointer: usize, major: i32, argument: u64): i32 {
  const size = argumentSize(argument);
  if (size == 0) {
    store<u8>(pointer, (major << 5) | <i32>argument);
    return 1;
  }
  // 24, 25, 26, 27 announce 1, 2, 4, 8 bytes.
  store<u8>(pointer, (major << 5) | (24 + ctz(size)));
  for (let i = size; i > 0; i--) {
    store<u8>(pointer + <usize>i, <u8>argument);
    argument >>= 8;
  }
  return 1 + size;
}
