// SPDX-License-Identifier: Apache-2.0
// SHA-512 (FIPS 180-4) for Ed25519 alone: the board's own signature and those of images.
#ifndef FLORIN_SHA512_H
#define FLORIN_SHA512_H

#include <stddef.h>
#include <stdint.h>

enum { SHA512_SIZE = 64, SHA512_BLOCK = 128 };

struct sha512 {
  uint64_t state[8];
  uint64_t length;
  uint8_t block[SHA512_BLOCK];
};

void sha512_begin(struct sha512 *hash);
void sha512_update(struct sha512 *hash, const uint8_t *bytes, size_t length);
void sha512_end(struct sha512 *hash, uint8_t digest[SHA512_SIZE]);

#endif
