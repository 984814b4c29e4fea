// SPDX-License-Identifier: Apache-2.0
// Elements modulo p = 2^255 - 19 from and to 32 bytes, little-endian (RFC 7748, section 5; RFC
// 8032, section 5.1.2). Constant time.
import { wipe } from "./bytes";
import { FIELD_SIZE, MASK25, MASK26 } from "./field25519";

const carried = memory.data(FIELD_SIZE, 8);

/** Reads 32 bytes, little-endian. The top bit is ignored; values from p on are taken modulo p. */
export function fieldFromBytes(out: usize, bytes: usize): void {
  const w0 = load<u64>(bytes);
  const w1 = load<u64>(bytes, 8);
  const w2 = load<u64>(bytes, 16);
  const w3 = load<u64>(bytes, 24);
  store<u32>(out, <u32>(w0 & MASK26));
  store<u32>(out, <u32>((w0 >> 26) & MASK25), 4);
  store<u32>(out, <u32>(((w0 >> 51) | (w1 << 13)) & MASK26), 8);
  store<u32>(out, <u32>((w1 >> 13) & MASK25), 12);
  store<u32>(out, <u32>(w1 >> 38), 16);
  store<u32>(out, <u32>(w2 & MASK25), 20);
  store<u32>(out, <u32>((w2 >> 25) & MASK26), 24);
  store<u32>(out, <u32>(((w2 >> 51) | (w3 << 13)) & MASK25), 28);
  store<u32>(out, <u32>((w3 >> 12) & MASK26), 32);
  store<u32>(out, <u32>((w3 >> 38) & MASK25), 36);
}

/** Writes the one canonical encoding, 32 bytes, of an element of width 32 at most. */
export function fieldToBytes(bytes: usize, a: usize): void {
  // Carry through once: now every limb is within its width and the value below 2p.
  let carry: u64 = 0;
  for (let i = 0; i < FIELD_SIZE; i += 4) {
    const width: u64 = 26 - <u64>((i >> 2) & 1);
    carry += <u64>load<u32>(a + i);
    store<u32>(carried + i, <u32>(carry & (((<u64>1) << width) - 1)));
    carry >>= width;
  }
  store<u32>(carried, load<u32>(carried) + 19 * <u32>carry);
  // The value is p or more exactly if value + 19 reaches 2^255; then adding 19 and dropping the
  // carry out of the top subtracts p.
  carry = 19;
  for (let i = 0; i < FIELD_SIZE; i += 8) {
    carry = (carry + <u64>load<u32>(carried + i)) >> 26;
    carry = (carry + <u64>load<u32>(carried + i, 4)) >> 25;
  }
  carry *= 19;
  let word: u64 = 0;
  let bits: u64 = 0;
  for (let i = 0; i < FIELD_SIZE; i += 4) {
    const width: u64 = 26 - <u64>((i >> 2) & 1);
    carry += <u64>load<u32>(carried + i);
    word |= (carry & (((<u64>1) << width) - 1)) << bits;
    carry >>= width;
    bits += width;
    if (bits >= 32) {
      store<u32>(bytes, <u32>word);
      bytes += 4;
      word >>= 32;
      bits -= 32;
    }
  }
  store<u32>(bytes, <u32>word);
  wipe(carried, FIELD_SIZE);
}
