// SPDX-License-Identifier: Apache-2.0
// UTF-8 validity (RFC 3629, section 4): no overlong forms, no surrogates, nothing above U+10FFFF.

/** Whether `length` bytes at `pointer` are well-formed UTF-8. */
export function isUtf8(pointer: usize, length: i32): bool {
  const end = pointer + <usize>length;
  while (pointer < end) {
    const first = <u32>load<u8>(pointer++);
    if (first < 0x80) continue;
    let following: i32;
    // The second byte's range is narrower after some first bytes: that rules out overlong forms
    // (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4).
    let lowest: u32 = 0x80;
    let highest: u32 = 0xbf;
    if (first >= 0xc2 && first <= 0xdf) {
      following = 1;
    } else if (first >= 0xe0 && first <= 0xef) {
      following = 2;
      if (first == 0xe0) lowest = 0xa0;
      if (first == 0xed) highest = 0x9f;
    } else if (first >= 0xf0 && first <= 0xf4) {
      following = 3;
      if (first == 0xf0) lowest = 0x90;
      if (first == 0xf4) highest = 0x8f;
    } else {
      return false;
    }
    if (end - pointer < <usize>following) return false;
    for (; following > 0; following--) {
      const byte = <u32>load<u8>(pointer++);
      if (byte < lowest || byte > highest) return false;
      lowest = 0x80;
      highest = 0xbf;
    }
  }
  return true;
}
