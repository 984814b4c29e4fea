// SPDX-License-Identifier: Apache-2.0
// Constants of curve25519 (RFC 8032, section 5.1), computed by scripts/tables25519.mjs; do not edit.
// Elements are ten limbs of 26 and 25 bits.

/** The curve constant d = -121665/121666. */
export const CURVE_D = memory.data<u32>([
  0x035978a3, 0x00d37284, 0x03156ebd, 0x006a0a0e, 0x0001c029, 0x0179e898, 0x03a03cbb, 0x01ce7198,
  0x02e2b6ff, 0x01480db3,
]);

/** 2d. */
export const CURVE_2D = memory.data<u32>([
  0x02b2f159, 0x01a6e509, 0x022add7a, 0x00d4141d, 0x00038052, 0x00f3d130, 0x03407977, 0x019ce331,
  0x01c56dff, 0x00901b67,
]);

/** A square root of -1: 2^((p-1)/4). */
export const ROOT_OF_MINUS_ONE = memory.data<u32>([
  0x020ea0b0, 0x0186c9d2, 0x008f189d, 0x0035697f, 0x00bd0c60, 0x01fbd7a7, 0x02804c9e, 0x01e16569,
  0x0004fc1d, 0x00ae0c92,
]);

/** The group order L = 2^252 + 27742317777372353535851937790883648493, 9 words. */
export const GROUP_ORDER = memory.data<u32>([
  0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de, 0x00000000, 0x00000000, 0x00000000, 0x10000000,
  0x00000000,
]);

/** floor(2^512 / L), 9 words: the multiplier of Barrett's reduction. */
export const BARRETT_MULTIPLIER = memory.data<u32>([
  0x0a2c131b, 0xed9ce5a3, 0x086329a7, 0x2106215d, 0xffffffeb, 0xffffffff, 0xffffffff, 0xffffffff,
  0x0000000f,
]);

/** 1/2 modulo L, 8 words. */
export const SCALAR_HALF = memory.data<u32>([
  0x2e7ae9f7, 0x2c09318d, 0x517bce6b, 0x0a6f7cef, 0x00000000, 0x00000000, 0x00000000, 0x08000000,
]);

/** (2^260 - 1) / 2 modulo L, 8 words; see comb25519.ts. */
export const COMB_OFFSET = memory.data<u32>([
  0xb390f376, 0x22d7a45e, 0xd5ad633f, 0x9af28d9d, 0xfffffff5, 0xffffffff, 0xffffffff, 0x07ffffff,
]);

/** The base point B as section 5.1.5 encodes it. */
export const BASE_POINT = memory.data<u64>([
  0x6666666666666658, 0x6666666666666666, 0x6666666666666666, 0x6666666666666666,
]);
