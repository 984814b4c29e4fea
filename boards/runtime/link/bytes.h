// SPDX-License-Identifier: Apache-2.0
// Numbers in messages: little-endian, at any address.
#ifndef FLORIN_LINK_BYTES_H
#define FLORIN_LINK_BYTES_H

#include <stdint.h>

static inline void put_uint16(uint8_t *bytes, uint16_t value) {
  bytes[0] = (uint8_t)value;
  bytes[1] = (uint8_t)(value >> 8);
}

static inline void put_uint32(uint8_t *bytes, uint32_t value) {
  put_uint16(bytes, (uint16_t)value);
  put_uint16(bytes + 2, (uint16_t)(value >> 16));
}

static inline uint16_t get_uint16(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t get_uint32(const uint8_t *bytes) {
  return get_uint16(bytes) | (uint32_t)get_uint16(bytes + 2) << 16;
}

#endif
