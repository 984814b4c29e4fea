// SPDX-License-Identifier: Apache-2.0
// Ed25519 by RFC 8032 section 5.1: one addition formula for everything, and no tables. A signature
// takes some ten million instructions, which a board spends when its host asks who it is.
#include "ed25519.h"

#include <string.h>

#include "field25519.h"
#include "sha256.h"
#include "sha512.h"

/* Extended coordinates (section 5.1.4): x = X/Z, y = Y/Z, xy = T/Z. */
struct point {
  field x, y, z, t;
};

/* d of the curve, the square root of -1, and the base point (section 5.1). */
static const field CURVE_D = {{0x135978a3, 0x75eb4dca, 0x4141d8ab, 0x00700a4d,
    0x7779e898, 0x8cc74079, 0x2b6ffe73, 0x52036cee}};
static const field ROOT_OF_MINUS_ONE = {{0x4a0ea0b0, 0xc4ee1b27, 0xad2fe478, 0x2f431806,
    0x3dfbd7a7, 0x2b4d0099, 0x4fc1df0b, 0x2b832480}};
static const field BASE_X = {{0x8f25d51a, 0xc9562d60, 0x9525a7b2, 0x692cc760,
    0xfdd6dc5c, 0xc0a4e231, 0xcd6e53fe, 0x216936d3}};
static const field BASE_Y = {{0x66666658, 0x66666666, 0x66666666, 0x66666666,
    0x66666666, 0x66666666, 0x66666666, 0x66666666}};
/* The order of the base point. */
static const uint32_t ORDER[FIELD_WORDS] = {0x5cf5d3ed, 0x5812631a, 0xa2f79cd6, 0x14def9de,
    0x00000000, 0x00000000, 0x00000000, 0x10000000};

static const field ZERO = {{0}};
static const field ONE = {{1}};

static void point_add(struct point *sum, const struct point *p, const struct point *q) {
  field a, b, c, d, e;
  field_subtract(&a, &p->y, &p->x);
  field_subtract(&b, &q->y, &q->x);
  field_multiply(&a, &a, &b);
  field_add(&b, &p->y, &p->x);
  field_add(&c, &q->y, &q->x);
  field_multiply(&b, &b, &c);
  field_multiply(&c, &p->t, &q->t);
  field_multiply(&c, &c, &CURVE_D);
  field_add(&c, &c, &c);
  field_multiply(&d, &p->z, &q->z);
  field_add(&d, &d, &d);
  field_subtract(&e, &b, &a);
  field_add(&b, &b, &a);
  field_subtract(&a, &d, &c);
  field_add(&d, &d, &c);
  field_multiply(&sum->x, &e, &a);
  field_multiply(&sum->y, &d, &b);
  field_multiply(&sum->t, &e, &b);
  field_multiply(&sum->z, &a, &d);
}

/* Every bit takes both a doubling and an addition, whose result is taken or not. */
static void point_multiply(struct point *product, const uint32_t scalar[FIELD_WORDS],
                           const struct point *p) {
  struct point result = {ZERO, ONE, ONE, ZERO};
  struct point more;
  for (int bit = 255; bit >= 0; bit -= 1) {
    uint32_t is_set = scalar[bit / 32] >> bit % 32 & 1;
    point_add(&result, &result, &result);
    point_add(&more, &result, p);
    field_choose(&result.x, &more.x, is_set);
    field_choose(&result.y, &more.y, is_set);
    field_choose(&result.z, &more.z, is_set);
    field_choose(&result.t, &more.t, is_set);
  }
  *product = result;
  wipe(&result, sizeof result);
  wipe(&more, sizeof more);
}

static void base_multiply(struct point *product, const uint32_t scalar[FIELD_WORDS]) {
  struct point base = {BASE_X, BASE_Y, ONE, ZERO};
  field_multiply(&base.t, &BASE_X, &BASE_Y);
  point_multiply(product, scalar, &base);
}

static void point_encode(uint8_t bytes[FIELD_SIZE], const struct point *p) {
  uint8_t x_bytes[FIELD_SIZE];
  field inverse, x, y;
  field_invert(&inverse, &p->z);
  field_multiply(&x, &p->x, &inverse);
  field_multiply(&y, &p->y, &inverse);
  field_encode(x_bytes, &x);
  field_encode(bytes, &y);
  bytes[FIELD_SIZE - 1] |= (uint8_t)((x_bytes[0] & 1) << 7);
}

/* Section 5.1.3: finds x; false where there is none. */
static bool point_decode(struct point *p, const uint8_t bytes[FIELD_SIZE]) {
  field u, v, root, check;
  uint8_t x_bytes[FIELD_SIZE];
  if (!field_decode(&p->y, bytes)) return false;
  field_multiply(&u, &p->y, &p->y);
  field_multiply(&v, &u, &CURVE_D);
  field_subtract(&u, &u, &ONE);
  field_add(&v, &v, &ONE);
  field_invert(&check, &v);
  field_multiply(&u, &u, &check);
  /* (p + 3) / 8 is (p - 5) / 8 + 1. */
  field_power(&root, &u, 250, 2, 1);
  field_multiply(&root, &root, &u);
  field_multiply(&check, &root, &root);
  if (!field_equal(&check, &u)) {
    field_multiply(&root, &root, &ROOT_OF_MINUS_ONE);
    field_multiply(&check, &root, &root);
    if (!field_equal(&check, &u)) return false;
  }
  field_encode(x_bytes, &root);
  bool is_odd = (bytes[FIELD_SIZE - 1] & 0x80) != 0;
  if (is_odd && field_equal(&root, &ZERO)) return false;
  p->x = root;
  if (((x_bytes[0] & 1) != 0) != is_odd) field_subtract(&p->x, &ZERO, &root);
  p->z = ONE;
  field_multiply(&p->t, &p->x, &p->y);
  return true;
}

/* The remainder of 16 words by the order, bit by bit, in constant time. */
static void reduce(uint32_t remainder[FIELD_WORDS], const uint32_t words[2 * FIELD_WORDS]) {
  uint32_t less[FIELD_WORDS];
  memset(remainder, 0, FIELD_SIZE);
  for (int bit = 511; bit >= 0; bit -= 1) {
    uint32_t carry = words[bit / 32] >> bit % 32 & 1;
    uint32_t borrow = 0;
    for (int index = 0; index < FIELD_WORDS; index += 1) {
      uint32_t top = remainder[index] >> 31;
      remainder[index] = remainder[index] << 1 | carry;
      carry = top;
      uint64_t difference = (uint64_t)remainder[index] - ORDER[index] - borrow;
      less[index] = (uint32_t)difference;
      borrow = (uint32_t)(difference >> 63);
    }
    uint32_t mask = borrow - 1;
    for (int index = 0; index < FIELD_WORDS; index += 1) {
      remainder[index] ^= mask & (remainder[index] ^ less[index]);
    }
  }
  wipe(less, sizeof less);
}

static void to_words(uint32_t *words, const uint8_t *bytes, size_t length) {
  memset(words, 0, length);
  for (size_t index = 0; index < length; index += 1) {
    words[index / 4] |= (uint32_t)bytes[index] << 8 * (index % 4);
  }
}

/* SHA-512 of up to three parts, as a scalar. */
static void hash_to_scalar(uint32_t scalar[FIELD_WORDS], const uint8_t first[32],
                           const uint8_t *second, const uint8_t *message, size_t length) {
  struct sha512 hash;
  uint8_t digest[SHA512_SIZE];
  uint32_t words[2 * FIELD_WORDS];
  sha512_begin(&hash);
  sha512_update(&hash, first, 32);
  if (second != NULL) sha512_update(&hash, second, 32);
  sha512_update(&hash, message, length);
  sha512_end(&hash, digest);
  to_words(words, digest, sizeof digest);
  reduce(scalar, words);
  wipe(digest, sizeof digest);
  wipe(words, sizeof words);
}

/* The two halves of the secret's hash: the scalar, and what makes signatures' own secrets. */
static void expand(const uint8_t secret[ED25519_KEY_SIZE], uint32_t scalar[FIELD_WORDS],
                   uint8_t prefix[32]) {
  struct sha512 hash;
  uint8_t digest[SHA512_SIZE];
  sha512_begin(&hash);
  sha512_update(&hash, secret, ED25519_KEY_SIZE);
  sha512_end(&hash, digest);
  digest[0] &= 0xf8;
  digest[31] = (uint8_t)((digest[31] & 0x7f) | 0x40);
  to_words(scalar, digest, FIELD_SIZE);
  memcpy(prefix, digest + 32, 32);
  wipe(digest, sizeof digest);
}

void ed25519_public_key(const uint8_t secret[ED25519_KEY_SIZE], uint8_t key[ED25519_KEY_SIZE]) {
  uint32_t scalar[FIELD_WORDS];
  uint8_t prefix[32];
  struct point product;
  expand(secret, scalar, prefix);
  base_multiply(&product, scalar);
  point_encode(key, &product);
  wipe(scalar, sizeof scalar);
  wipe(prefix, sizeof prefix);
}

void ed25519_sign(const uint8_t secret[ED25519_KEY_SIZE], const uint8_t *message, size_t length,
                  uint8_t signature[ED25519_SIGNATURE_SIZE]) {
  uint32_t scalar[FIELD_WORDS];
  uint32_t nonce[FIELD_WORDS];
  uint32_t challenge[FIELD_WORDS];
  uint32_t words[2 * FIELD_WORDS];
  uint8_t prefix[32];
  uint8_t key[ED25519_KEY_SIZE];
  struct point product;
  expand(secret, scalar, prefix);
  base_multiply(&product, scalar);
  point_encode(key, &product);
  hash_to_scalar(nonce, prefix, NULL, message, length);
  base_multiply(&product, nonce);
  point_encode(signature, &product);
  hash_to_scalar(challenge, signature, key, message, length);
  words_multiply(words, challenge, scalar);
  uint64_t carry = 0;
  for (int index = 0; index < 2 * FIELD_WORDS; index += 1) {
    carry += (uint64_t)words[index] + (index < FIELD_WORDS ? nonce[index] : 0);
    words[index] = (uint32_t)carry;
    carry >>= 32;
  }
  reduce(challenge, words);
  for (int index = 0; index < FIELD_SIZE; index += 1) {
    signature[FIELD_SIZE + index] = (uint8_t)(challenge[index / 4] >> 8 * (index % 4));
  }
  wipe(scalar, sizeof scalar);
  wipe(nonce, sizeof nonce);
  wipe(words, sizeof words);
  wipe(prefix, sizeof prefix);
}

bool ed25519_verify(const uint8_t key[ED25519_KEY_SIZE], const uint8_t *message, size_t length,
                    const uint8_t signature[ED25519_SIGNATURE_SIZE]) {
  uint32_t words[2 * FIELD_WORDS] = {0};
  uint32_t scalar[FIELD_WORDS];
  uint32_t reduced[FIELD_WORDS];
  uint8_t expected[FIELD_SIZE];
  struct point owner;
  struct point left;
  struct point right;
  if (!point_decode(&owner, key)) return false;
  to_words(words, signature + FIELD_SIZE, FIELD_SIZE);
  memcpy(scalar, words, sizeof scalar);
  reduce(reduced, words);
  /* A second form of the same signature. */
  if (memcmp(scalar, reduced, sizeof scalar) != 0) return false;
  base_multiply(&left, scalar);
  hash_to_scalar(scalar, signature, key, message, length);
  field_subtract(&owner.x, &ZERO, &owner.x);
  field_subtract(&owner.t, &ZERO, &owner.t);
  point_multiply(&right, scalar, &owner);
  point_add(&left, &left, &right);
  point_encode(expected, &left);
  return memcmp(expected, signature, FIELD_SIZE) == 0;
}
