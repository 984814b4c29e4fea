// SPDX-License-Identifier: Apache-2.0
// CRC-32 as in IEEE 802.3 and ISO 3309 (reflected polynomial 0xEDB88320, start and end inverted).
// It finds the accidents of a line; it protects nothing against an opponent.

const TABLE = new Uint32Array(256).map((_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The checksum as an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff]! ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
