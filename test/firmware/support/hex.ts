// SPDX-License-Identifier: Apache-2.0
// Hexadecimal for the specs: vectors in, results out. Vectors are pinned, so that a spec may keep
// no more than their address while it allocates.

/** The bytes that a string of hexadecimal digits writes; spaces and line ends are ignored. */
export function bytesOf(hex: string): StaticArray<u8> {
  const digits = hex.replaceAll(" ", "").replaceAll("\n", "");
  const bytes = new StaticArray<u8>(digits.length >> 1);
  __pin(changetype<usize>(bytes));
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = <u8>parseInt(digits.substr(2 * i, 2), 16);
  }
  return bytes;
}

/** The address of an array's bytes. */
export function at(bytes: StaticArray<u8>): usize {
  return changetype<usize>(bytes);
}

/** `length` bytes at `pointer` as lower-case hexadecimal digits. */
export function hexOf(pointer: usize, length: i32): string {
  let hex = "";
  for (let i = 0; i < length; i++) {
    hex += load<u8>(pointer + i)
      .toString(16)
      .padStart(2, "0");
  }
  return hex;
}

/** The bytes of an array as lower-case hexadecimal digits. */
export function hex(bytes: StaticArray<u8>): string {
  return hexOf(changetype<usize>(bytes), bytes.length);
}

/** The bytes of an ASCII text. */
export function textOf(text: string): StaticArray<u8> {
  const bytes = new StaticArray<u8>(text.length);
  __pin(changetype<usize>(bytes));
  for (let i = 0; i < text.length; i++) bytes[i] = <u8>text.charCodeAt(i);
  return bytes;
}
