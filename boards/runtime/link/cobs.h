// SPDX-License-Identifier: Apache-2.0
// Consistent Overhead Byte Stuffing (S. Cheshire, M. Baker, IEEE/ACM Transactions on Networking
// 7(2), 1999): bytes without any zero, so that a zero always and only ends a frame.
#ifndef FLORIN_LINK_COBS_H
#define FLORIN_LINK_COBS_H

#include <stddef.h>
#include <stdint.h>

/* Encodes 1 to 253 bytes into one byte more, which is the result's length. */
size_t cobs_encode(const uint8_t *bytes, size_t length, uint8_t *output);

/*
 * Decodes what any encoder made, without the ending zero. The result is shorter than `length`;
 * `output` may be `encoded` itself. Returns the length, or -1 where it is not COBS.
 */
int cobs_decode(const uint8_t *encoded, size_t length, uint8_t *output);

#endif
