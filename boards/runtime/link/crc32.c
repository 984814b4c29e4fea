// SPDX-License-Identifier: Apache-2.0
// CRC-32 (reflected polynomial 0xEDB88320, start and end inverted), four bits at a time: a table of
// 64 bytes in place of 1,024, on a line that is slower than either.
#include "crc32.h"

/* Remainder of each four-bit value. */
static const uint32_t REMAINDERS[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
    0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t crc32(const uint8_t *bytes, size_t length) {
  uint32_t value = 0xffffffff;
  for (size_t index = 0; index < length; index += 1) {
    value ^= bytes[index];
    value = REMAINDERS[value & 15] ^ value >> 4;
    value = REMAINDERS[value & 15] ^ value >> 4;
  }
  return ~value;
}
