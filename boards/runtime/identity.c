// SPDX-License-Identifier: Apache-2.0
// The board's own key and its signature: COSE_Sign1 (RFC 9052) with the purpose "florin/board".
#include "identity.h"

#include <string.h>

#include "board.h"
#include "cose.h"
#include "sha256.h"

/* [ h'a10127', {}, payload, signature ] up to the payload. */
static const uint8_t OBJECT_HEAD[] = {0x84, 0x43, 0xa1, 0x01, 0x27, 0xa0};
static const uint8_t SIGNATURE_HEAD[] = {0x58, ED25519_SIGNATURE_SIZE};

/* Nothing but the board's secret and this purpose: the key is the same for all its images. */
static void derive_seed(uint8_t seed[ED25519_KEY_SIZE]) {
  static const char purpose[] = "florin/board-key";
  uint8_t info[2 + sizeof purpose - 1] = {sizeof purpose - 1, 0};
  uint8_t secret[BOARD_SECRET_SIZE];
  memcpy(info + 2, purpose, sizeof purpose - 1);
  board_secret(secret);
  hkdf_sha256(secret, sizeof secret, info, sizeof info, seed);
  wipe(secret, sizeof secret);
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t length) {
  memcpy(at, bytes, length);
  return at + length;
}

/* The longest payload is of two modules with the longest names: sync.c asserts that it fits a frame. */
_Static_assert(SIGNER_SIZE + NONCE_SIZE + 10 + NAME_LIMIT +
                       MODULES_LIMIT * (10 + HASH_SIZE + NAME_LIMIT) <=
                   COSE_PAYLOAD_LIMIT,
               "The payload's length has one byte.");

size_t identity_encode(const uint8_t signer[SIGNER_SIZE], const uint8_t nonce[NONCE_SIZE],
                       const struct board_information *board, uint8_t output[IDENTITY_LIMIT]) {
  uint8_t payload[IDENTITY_PAYLOAD_LIMIT];
  uint8_t message[COSE_MESSAGE_LIMIT];
  uint8_t seed[ED25519_KEY_SIZE];
  memcpy(payload, signer, SIGNER_SIZE);
  size_t length = SIGNER_SIZE + sync_encode_answer(nonce, board, payload + SIGNER_SIZE);
  size_t message_length = cose_message("florin/board", payload, length, message);
  derive_seed(seed);
  ed25519_public_key(seed, output);
  uint8_t *at = put(output + ED25519_KEY_SIZE, OBJECT_HEAD, sizeof OBJECT_HEAD);
  at = put(cose_put_payload(at, payload, length), SIGNATURE_HEAD, sizeof SIGNATURE_HEAD);
  ed25519_sign(seed, message, message_length, at);
  wipe(seed, sizeof seed);
  return (size_t)(at + ED25519_SIGNATURE_SIZE - output);
}
