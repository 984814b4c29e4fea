// SPDX-License-Identifier: Apache-2.0
// The field of Ed25519 (RFC 8032 section 5.1): 2^256 is 38 modulo 2^255 - 19, so what leaves the
// top word comes back at the bottom, times 38.
#include "field25519.h"

#include <string.h>

/* Adds a small number; gives what leaves the top word. */
static uint32_t add_small(uint32_t *words, uint64_t value) {
  for (int index = 0; index < FIELD_WORDS; index += 1) {
    value += words[index];
    words[index] = (uint32_t)value;
    value >>= 32;
  }
  return (uint32_t)value;
}

/* Brings back what left the top word: the second time nothing leaves it. */
static void fold(field *a, uint32_t carry) {
  carry = add_small(a->word, (uint64_t)carry * 38);
  add_small(a->word, (uint64_t)carry * 38);
}

void field_add(field *sum, const field *a, const field *b) {
  uint64_t carry = 0;
  for (int index = 0; index < FIELD_WORDS; index += 1) {
    carry += (uint64_t)a->word[index] + b->word[index];
    sum->word[index] = (uint32_t)carry;
    carry >>= 32;
  }
  fold(sum, (uint32_t)carry);
}

/* Takes away a small number; gives 1 where it was the greater. */
static uint32_t subtract_small(uint32_t *words, uint32_t value) {
  for (int index = 0; index < FIELD_WORDS; index += 1) {
    uint64_t difference = (uint64_t)words[index] - value;
    words[index] = (uint32_t)difference;
    value = (uint32_t)(difference >> 63);
  }
  return value;
}

void field_subtract(field *difference, const field *a, const field *b) {
  uint32_t borrow = 0;
  for (int index = 0; index < FIELD_WORDS; index += 1) {
    uint64_t word = (uint64_t)a->word[index] - b->word[index] - borrow;
    difference->word[index] = (uint32_t)word;
    borrow = (uint32_t)(word >> 63);
  }
  borrow = subtract_small(difference->word, 38 * borrow);
  subtract_small(difference->word, 38 * borrow);
}

void words_multiply(uint32_t product[2 * FIELD_WORDS], const uint32_t *a, const uint32_t *b) {
  memset(product, 0, 2 * FIELD_SIZE);
  for (int i = 0; i < FIELD_WORDS; i += 1) {
    uint64_t carry = 0;
    for (int j = 0; j < FIELD_WORDS; j += 1) {
      carry += (uint64_t)a[i] * b[j] + product[i + j];
      product[i + j] = (uint32_t)carry;
      carry >>= 32;
    }
    product[i + FIELD_WORDS] = (uint32_t)carry;
  }
}

void field_multiply(field *product, const field *a, const field *b) {
  uint32_t words[2 * FIELD_WORDS];
  uint64_t carry = 0;
  words_multiply(words, a->word, b->word);
  for (int index = 0; index < FIELD_WORDS; index += 1) {
    carry += (uint64_t)words[FIELD_WORDS + index] * 38 + words[index];
    product->word[index] = (uint32_t)carry;
    carry >>= 32;
  }
  fold(product, (uint32_t)carry);
}

void field_power(field *power, const field *a, int ones, int rest_count, unsigned rest) {
  const field base = *a;
  field result = base;
  for (int index = 1; index < ones + rest_count; index += 1) {
    field_multiply(&result, &result, &result);
    /* Exponents are public. */
    bool is_one = index < ones || (rest >> (ones + rest_count - 1 - index) & 1) != 0;
    if (is_one) field_multiply(&result, &result, &base);
  }
  *power = result;
}

void field_invert(field *inverse, const field *a) {
  /* Fermat: 2^255 - 21. */
  field_power(inverse, a, 250, 5, 0x0b);
}

void field_choose(field *value, const field *other, uint32_t is_taken) {
  uint32_t mask = 0u - is_taken;
  for (int index = 0; index < FIELD_WORDS; index += 1) {
    value->word[index] ^= mask & (value->word[index] ^ other->word[index]);
  }
}

void field_encode(uint8_t bytes[FIELD_SIZE], const field *a) {
  field reduced = *a;
  uint32_t top = reduced.word[7] >> 31;
  reduced.word[7] &= 0x7fffffff;
  add_small(reduced.word, (uint64_t)top * 19);
  /* At least 2^255 - 19 exactly where 19 more reach bit 255. */
  field more = reduced;
  add_small(more.word, 19);
  uint32_t is_large = more.word[7] >> 31;
  more.word[7] &= 0x7fffffff;
  field_choose(&reduced, &more, is_large);
  for (int index = 0; index < FIELD_SIZE; index += 1) {
    bytes[index] = (uint8_t)(reduced.word[index / 4] >> 8 * (index % 4));
  }
}

bool field_decode(field *a, const uint8_t bytes[FIELD_SIZE]) {
  uint8_t canonical[FIELD_SIZE];
  memset(a, 0, sizeof *a);
  for (int index = 0; index < FIELD_SIZE; index += 1) {
    a->word[index / 4] |= (uint32_t)bytes[index] << 8 * (index % 4);
  }
  a->word[7] &= 0x7fffffff;
  field_encode(canonical, a);
  canonical[FIELD_SIZE - 1] |= bytes[FIELD_SIZE - 1] & 0x80;
  return memcmp(canonical, bytes, FIELD_SIZE) == 0;
}

bool field_equal(const field *a, const field *b) {
  uint8_t left[FIELD_SIZE];
  uint8_t right[FIELD_SIZE];
  field_encode(left, a);
  field_encode(right, b);
  return memcmp(left, right, FIELD_SIZE) == 0;
}
