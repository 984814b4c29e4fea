// SPDX-License-Identifier: Apache-2.0
// The answer to IDENTITY (docs/link.md, "Channel 1"): what the board tells in SYNC, signed by a key
// of the board's own (docs/decisions/0011; host/simulator/boardIdentity.ts is the simulator's).
#ifndef FLORIN_IDENTITY_H
#define FLORIN_IDENTITY_H

#include "ed25519.h"
#include "image.h"
#include "link/sync.h"

/* The signed bytes: whose images the board takes, and its answer to SYNC; then COSE_Sign1's own. */
enum {
  IDENTITY_PAYLOAD_LIMIT = SIGNER_SIZE + PAYLOAD_LIMIT,
  IDENTITY_LIMIT = ED25519_KEY_SIZE + 8 + IDENTITY_PAYLOAD_LIMIT + 2 + ED25519_SIGNATURE_SIZE,
};

/* Writes public key and COSE_Sign1 and returns their length. */
size_t identity_encode(const uint8_t signer[SIGNER_SIZE], const uint8_t nonce[NONCE_SIZE],
                       const struct board_information *board, uint8_t output[IDENTITY_LIMIT]);

#endif
