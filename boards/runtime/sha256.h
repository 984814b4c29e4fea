// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) and HKDF-SHA256 (RFC 5869) for device keys, and for seeded randomness of
// emulated boards. The images carry their own cryptography.
#ifndef FLORIN_SHA256_H
#define FLORIN_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_BLOCK = 64 };

struct sha256 {
  uint32_t state[8];
  uint64_t length;
  uint8_t block[SHA256_BLOCK];
};

void sha256_begin(struct sha256 *hash);
void sha256_update(struct sha256 *hash, const uint8_t *bytes, size_t length);
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_SIZE]);

/*
 * HKDF-SHA256 without a salt, 32 bytes of output: the one form that device keys need. `info` has
 * at most 255 bytes.
 */
void hkdf_sha256(const uint8_t *secret, size_t secret_length, const uint8_t *info,
                 size_t info_length, uint8_t output[SHA256_SIZE]);

/* Overwrites secrets in a way that no compiler leaves out. */
void wipe(void *bytes, size_t length);

#endif
