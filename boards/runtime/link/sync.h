// SPDX-License-Identifier: Apache-2.0
// The payloads of SYNC (docs/link.md, "SYNC"): the host's nonce, and the board's answer that tells
// what it is.
#ifndef FLORIN_LINK_SYNC_H
#define FLORIN_LINK_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* A board carries a trusted agent, a money module, or both. */
enum { MODULES_LIMIT = 2 };

/* What the board tells of one module. */
struct module_information {
  uint8_t channel;
  /* Starts since the board was switched on, 1 for the first. */
  uint32_t starts;
  uint32_t image_version;
  const uint8_t *image_hash;
  /* 1 to 24 ASCII characters. */
  const char *image_name;
};

/* What the board tells of itself. */
struct board_information {
  /* The board holds no money that others should take. */
  bool is_simulated;
  uint32_t boot_counter;
  uint16_t message_limit;
  const char *board_name;
  uint8_t module_count;
  struct module_information modules[MODULES_LIMIT];
};

/* True if the payload is a host's SYNC for this version, with a nonce that is not zero. */
bool sync_is_request(const uint8_t *payload, size_t length);

/* Writes the answer and returns its length, which fits one frame. */
size_t sync_encode_answer(const uint8_t nonce[NONCE_SIZE], const struct board_information *board,
                          uint8_t payload[PAYLOAD_LIMIT]);

#endif
