// SPDX-License-Identifier: Apache-2.0
// What Ed25519 signs in a COSE_Sign1 (RFC 9052 section 4.4) with one of the board's two purposes.
#ifndef FLORIN_COSE_H
#define FLORIN_COSE_H

#include <stddef.h>
#include <stdint.h>

/* Both purposes have 12 letters; payloads have 24 to 255 bytes. */
enum { COSE_PURPOSE_SIZE = 12, COSE_PAYLOAD_LIMIT = 255, COSE_HEAD_SIZE = 29 };
enum { COSE_MESSAGE_LIMIT = COSE_HEAD_SIZE + 2 + COSE_PAYLOAD_LIMIT };

/* Writes [ "Signature1", h'a10127', purpose, payload ] and returns its length. */
size_t cose_message(const char *purpose, const uint8_t *payload, size_t length,
                    uint8_t message[COSE_MESSAGE_LIMIT]);

/* Writes a payload of 24 to 255 bytes as a byte string and returns where it ends. */
uint8_t *cose_put_payload(uint8_t *at, const uint8_t *payload, size_t length);

#endif
