// SPDX-License-Identifier: Apache-2.0
// SHA-256 by FIPS 180-4 section 6.2, HMAC by RFC 2104, HKDF by RFC 5869.
#include "sha256.h"

#include <string.h>

/* FIPS 180-4 section 4.2.2: the first 32 bits of the cube roots' fractions. */
static const uint32_t ROUND_CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t value, unsigned bits) {
  return value >> bits | value << (32 - bits);
}

static uint32_t get_big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void put_big_endian(uint8_t *bytes, uint32_t value) {
  for (int index = 3; index >= 0; index -= 1) {
    bytes[index] = (uint8_t)value;
    value >>= 8;
  }
}

static void compress(struct sha256 *hash) {
  uint32_t words[64];
  uint32_t v[8];
  for (int t = 0; t < 16; t += 1) words[t] = get_big_endian(hash->block + 4 * t);
  for (int t = 16; t < 64; t += 1) {
    uint32_t x = words[t - 15];
    uint32_t y = words[t - 2];
    words[t] = words[t - 16] + words[t - 7] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) +
               (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
  }
  memcpy(v, hash->state, sizeof v);
  for (int t = 0; t < 64; t += 1) {
    uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
    uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    uint32_t first = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + choice +
                     ROUND_CONSTANTS[t] + words[t];
    uint32_t second = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + majority;
    memmove(v + 1, v, 7 * sizeof v[0]);
    v[4] += first;
    v[0] = first + second;
  }
  for (int index = 0; index < 8; index += 1) hash->state[index] += v[index];
  wipe(words, sizeof words);
  wipe(v, sizeof v);
}

void sha256_begin(struct sha256 *hash) {
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(hash->state, start, sizeof start);
  hash->length = 0;
}

void sha256_update(struct sha256 *hash, const uint8_t *bytes, size_t length) {
  for (size_t index = 0; index < length; index += 1) {
    hash->block[hash->length % SHA256_BLOCK] = bytes[index];
    hash->length += 1;
    if (hash->length % SHA256_BLOCK == 0) compress(hash);
  }
}

void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_SIZE]) {
  static const uint8_t end_mark = 0x80;
  static const uint8_t zero = 0;
  uint64_t bits = hash->length * 8;
  uint8_t size[8];
  put_big_endian(size, (uint32_t)(bits >> 32));
  put_big_endian(size + 4, (uint32_t)bits);
  sha256_update(hash, &end_mark, 1);
  while (hash->length % SHA256_BLOCK != SHA256_BLOCK - sizeof size) sha256_update(hash, &zero, 1);
  sha256_update(hash, size, sizeof size);
  for (int index = 0; index < 8; index += 1) put_big_endian(digest + 4 * index, hash->state[index]);
  wipe(hash, sizeof *hash);
}

/* HMAC-SHA256 of `bytes` and one byte more; keys have at most a block's size here. */
static void hmac(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length,
                 const uint8_t *last, uint8_t output[SHA256_SIZE]) {
  struct sha256 hash;
  uint8_t pad[SHA256_BLOCK];
  for (int pass = 0; pass < 2; pass += 1) {
    memset(pad, pass == 0 ? 0x36 : 0x5c, sizeof pad);
    for (size_t index = 0; index < key_length; index += 1) pad[index] ^= key[index];
    sha256_begin(&hash);
    sha256_update(&hash, pad, sizeof pad);
    if (pass == 0) {
      sha256_update(&hash, bytes, length);
      if (last != NULL) sha256_update(&hash, last, 1);
    } else sha256_update(&hash, output, SHA256_SIZE);
    sha256_end(&hash, output);
  }
  wipe(pad, sizeof pad);
}

void hkdf_sha256(const uint8_t *secret, size_t secret_length, const uint8_t *info,
                 size_t info_length, uint8_t output[SHA256_SIZE]) {
  static const uint8_t no_salt[SHA256_SIZE];
  static const uint8_t first_block = 1;
  uint8_t extracted[SHA256_SIZE];
  hmac(no_salt, sizeof no_salt, secret, secret_length, NULL, extracted);
  hmac(extracted, sizeof extracted, info, info_length, &first_block, output);
  wipe(extracted, sizeof extracted);
}

void wipe(void *bytes, size_t length) {
  volatile uint8_t *at = bytes;
  for (size_t index = 0; index < length; index += 1) at[index] = 0;
}
