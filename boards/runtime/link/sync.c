// SPDX-License-Identifier: Apache-2.0
// SYNC read and answered (docs/link.md, "SYNC").
#include "sync.h"

#include <string.h>

#include "bytes.h"

enum { FLAG_SIMULATED = 1, REQUEST_SIZE = NONCE_SIZE + 4 };

/* The fixed fields, two names and two modules' fields: more never go into one answer. */
_Static_assert(NONCE_SIZE + 10 + NAME_LIMIT + MODULES_LIMIT * (10 + HASH_SIZE + NAME_LIMIT) <=
                   PAYLOAD_LIMIT,
               "The answer to SYNC is one frame.");

bool sync_is_request(const uint8_t *payload, size_t length) {
  static const uint8_t no_nonce[NONCE_SIZE];
  if (length != REQUEST_SIZE) return false;
  uint8_t lowest = payload[NONCE_SIZE];
  uint8_t highest = payload[NONCE_SIZE + 1];
  if (lowest > LINK_VERSION || highest < LINK_VERSION) return false;
  /* The zero nonce is the board's own; in a host's SYNC it would look like a start of the board. */
  return memcmp(payload, no_nonce, NONCE_SIZE) != 0;
}

static uint8_t *put_name(uint8_t *at, const char *name) {
  size_t length = strlen(name);
  if (length > NAME_LIMIT) length = NAME_LIMIT;
  *at = (uint8_t)length;
  memcpy(at + 1, name, length);
  return at + 1 + length;
}

size_t sync_encode_answer(const uint8_t nonce[NONCE_SIZE], const struct board_information *board,
                          uint8_t payload[PAYLOAD_LIMIT]) {
  uint8_t *at = payload;
  memcpy(at, nonce, NONCE_SIZE);
  at += NONCE_SIZE;
  *at++ = LINK_VERSION;
  *at++ = board->is_simulated ? FLAG_SIMULATED : 0;
  put_uint32(at, board->boot_counter);
  put_uint16(at + 4, board->message_limit);
  at = put_name(at + 6, board->board_name);
  *at++ = board->module_count;
  for (uint8_t index = 0; index < board->module_count; index += 1) {
    const struct module_information *module = &board->modules[index];
    *at++ = module->channel;
    put_uint32(at, module->starts);
    put_uint32(at + 4, module->image_version);
    memcpy(at + 8, module->image_hash, HASH_SIZE);
    at = put_name(at + 8 + HASH_SIZE, module->image_name);
  }
  return (size_t)(at - payload);
}
