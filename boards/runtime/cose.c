// SPDX-License-Identifier: Apache-2.0
// Sig_structure by hand: boards sign one thing and read one other, both of fixed form.
#include "cose.h"

#include <string.h>

enum { ONE_BYTE_LENGTH = 0x58 };

uint8_t *cose_put_payload(uint8_t *at, const uint8_t *payload, size_t length) {
  *at++ = ONE_BYTE_LENGTH;
  *at++ = (uint8_t)length;
  memcpy(at, payload, length);
  return at + length;
}

size_t cose_message(const char *purpose, const uint8_t *payload, size_t length,
                    uint8_t message[COSE_MESSAGE_LIMIT]) {
  static const uint8_t head[] = {0x84, 0x6a, 'S', 'i',  'g',  'n',  'a', 't',
                                 'u',  'r',  'e', '1',  0x43, 0xa1, 1,   0x27,
                                 0x40 + COSE_PURPOSE_SIZE};
  memcpy(message, head, sizeof head);
  memcpy(message + sizeof head, purpose, COSE_PURPOSE_SIZE);
  uint8_t *end = cose_put_payload(message + COSE_HEAD_SIZE, payload, length);
  return (size_t)(end - message);
}
