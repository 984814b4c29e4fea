// SPDX-License-Identifier: Apache-2.0
// Ed25519 (RFC 8032) for the board itself: it signs its identity, and checks who signed an image.
// The images carry their own cryptography.
#ifndef FLORIN_ED25519_H
#define FLORIN_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ED25519_KEY_SIZE = 32, ED25519_SIGNATURE_SIZE = 64 };

/* The public key of a secret of 32 bytes. */
void ed25519_public_key(const uint8_t secret[ED25519_KEY_SIZE], uint8_t key[ED25519_KEY_SIZE]);

/* Signs in constant time. */
void ed25519_sign(const uint8_t secret[ED25519_KEY_SIZE], const uint8_t *message, size_t length,
                  uint8_t signature[ED25519_SIGNATURE_SIZE]);

/* True if the key's owner signed; strict (section 5.1.7 without the cofactor). */
bool ed25519_verify(const uint8_t key[ED25519_KEY_SIZE], const uint8_t *message, size_t length,
                    const uint8_t signature[ED25519_SIGNATURE_SIZE]);

#endif
