// SPDX-License-Identifier: Apache-2.0
// SHA-512 by FIPS 180-4 section 6.4.
#include "sha512.h"

#include <string.h>

#include "sha256.h"

/* FIPS 180-4 section 4.2.3: the first 64 bits of the cube roots' fractions. */
static const uint64_t ROUND_CONSTANTS[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static uint64_t rotate(uint64_t value, unsigned bits) {
  return value >> bits | value << (64 - bits);
}

static uint64_t get_big_endian(const uint8_t *bytes) {
  uint64_t value = 0;
  for (int index = 0; index < 8; index += 1) value = value << 8 | bytes[index];
  return value;
}

static void put_big_endian(uint8_t *bytes, uint64_t value) {
  for (int index = 7; index >= 0; index -= 1) {
    bytes[index] = (uint8_t)value;
    value >>= 8;
  }
}

/* The next 16 words of the schedule, in the place of the last 16: a board's stack is small. */
static void extend(uint64_t words[16]) {
  for (int t = 0; t < 16; t += 1) {
    uint64_t x = words[(t + 1) % 16];
    uint64_t y = words[(t + 14) % 16];
    words[t] += words[(t + 9) % 16] + (rotate(x, 1) ^ rotate(x, 8) ^ x >> 7) +
                (rotate(y, 19) ^ rotate(y, 61) ^ y >> 6);
  }
}

static void compress(struct sha512 *hash) {
  uint64_t words[16];
  uint64_t v[8];
  for (int t = 0; t < 16; t += 1) words[t] = get_big_endian(hash->block + 8 * t);
  memcpy(v, hash->state, sizeof v);
  for (int t = 0; t < 80; t += 1) {
    if (t > 0 && t % 16 == 0) extend(words);
    uint64_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
    uint64_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
    uint64_t first = v[7] + (rotate(v[4], 14) ^ rotate(v[4], 18) ^ rotate(v[4], 41)) + choice +
                     ROUND_CONSTANTS[t] + words[t % 16];
    uint64_t second = (rotate(v[0], 28) ^ rotate(v[0], 34) ^ rotate(v[0], 39)) + majority;
    memmove(v + 1, v, 7 * sizeof v[0]);
    v[4] += first;
    v[0] = first + second;
  }
  for (int index = 0; index < 8; index += 1) hash->state[index] += v[index];
  wipe(words, sizeof words);
  wipe(v, sizeof v);
}

void sha512_begin(struct sha512 *hash) {
  static const uint64_t start[8] = {
        0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
        0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
        0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
  memcpy(hash->state, start, sizeof start);
  hash->length = 0;
}

void sha512_update(struct sha512 *hash, const uint8_t *bytes, size_t length) {
  for (size_t index = 0; index < length; index += 1) {
    hash->block[hash->length % SHA512_BLOCK] = bytes[index];
    hash->length += 1;
    if (hash->length % SHA512_BLOCK == 0) compress(hash);
  }
}

void sha512_end(struct sha512 *hash, uint8_t digest[SHA512_SIZE]) {
  static const uint8_t end_mark = 0x80;
  static const uint8_t zero = 0;
  uint8_t size[16] = {0};
  put_big_endian(size + 8, hash->length * 8);
  sha512_update(hash, &end_mark, 1);
  while (hash->length % SHA512_BLOCK != SHA512_BLOCK - sizeof size) sha512_update(hash, &zero, 1);
  sha512_update(hash, size, sizeof size);
  for (int index = 0; index < 8; index += 1) put_big_endian(digest + 8 * index, hash->state[index]);
  wipe(hash, sizeof *hash);
}
