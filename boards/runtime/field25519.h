// SPDX-License-Identifier: Apache-2.0
// Arithmetic modulo 2^255 - 19 on eight words of 32 bits: small code before fast code. Nothing here
// branches on a value or reads an address that depends on one.
#ifndef FLORIN_FIELD25519_H
#define FLORIN_FIELD25519_H

#include <stdbool.h>
#include <stdint.h>

enum { FIELD_WORDS = 8, FIELD_SIZE = 32 };

/* A number below 2^256, little-endian; several stand for the same element. */
typedef struct {
  uint32_t word[FIELD_WORDS];
} field;

void field_add(field *sum, const field *a, const field *b);
void field_subtract(field *difference, const field *a, const field *b);
void field_multiply(field *product, const field *a, const field *b);

/* a to the power whose binary digits are `ones` ones and then the `rest_count` digits of `rest`: the
 * form of every exponent that is needed. */
void field_power(field *power, const field *a, int ones, int rest_count, unsigned rest);
/* The inverse; 0 for 0. */
void field_invert(field *inverse, const field *a);

/* Takes `other` where `is_taken`, in constant time. */
void field_choose(field *value, const field *other, uint32_t is_taken);

/* The one form below 2^255 - 19. */
void field_encode(uint8_t bytes[FIELD_SIZE], const field *a);
/* Reads 255 bits; false where they are not below 2^255 - 19. */
bool field_decode(field *a, const uint8_t bytes[FIELD_SIZE]);
bool field_equal(const field *a, const field *b);

/* The product of two numbers of eight words. */
void words_multiply(uint32_t product[2 * FIELD_WORDS], const uint32_t *a, const uint32_t *b);

#endif
