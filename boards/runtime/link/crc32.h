// SPDX-License-Identifier: Apache-2.0
// CRC-32 as in IEEE 802.3 and ISO 3309: it finds the accidents of a line, and protects nothing
// against an opponent.
#ifndef FLORIN_LINK_CRC32_H
#define FLORIN_LINK_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `length` bytes. */
uint32_t crc32(const uint8_t *bytes, size_t length);

#endif
