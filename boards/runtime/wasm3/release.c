// SPDX-License-Identifier: Apache-2.0
// COSE_Sign1 of [ name, version, minimum version, size, hash ], in deterministic CBOR alone.
#include "release.h"

#include <string.h>

#include "../cose.h"
#include "../ed25519.h"

/* What is left to read; NULL once a part was not as it must be. */
struct reader {
  const uint8_t *at;
  const uint8_t *end;
};

static const uint8_t *take(struct reader *reader, size_t length) {
  const uint8_t *at = reader->at;
  if (at == NULL || (size_t)(reader->end - at) < length) {
    reader->at = NULL;
    return NULL;
  }
  reader->at = at + length;
  return at;
}

static void expect(struct reader *reader, const uint8_t *bytes, size_t length) {
  const uint8_t *found = take(reader, length);
  if (found != NULL && memcmp(found, bytes, length) != 0) reader->at = NULL;
}

/* The number of a head of this major type, in its shortest form. */
static uint32_t take_head(struct reader *reader, uint8_t major) {
  const uint8_t *head = take(reader, 1);
  if (head == NULL || head[0] >> 5 != major || (head[0] & 0x1f) > 26) {
    reader->at = NULL;
    return 0;
  }
  uint8_t low = head[0] & 0x1f;
  if (low < 24) return low;
  size_t length = (size_t)1 << (low - 24);
  const uint8_t *bytes = take(reader, length);
  uint32_t value = 0;
  for (size_t index = 0; bytes != NULL && index < length; index += 1) {
    value = value << 8 | bytes[index];
  }
  uint32_t least = low == 24 ? 24 : low == 25 ? 0x100 : 0x10000;
  if (value < least) reader->at = NULL;
  return value;
}

static bool read_payload(const uint8_t *payload, size_t length, struct release *release) {
  static const uint8_t five[] = {0x85};
  enum { UNSIGNED = 0, BYTES = 2, TEXT = 3 };
  struct reader reader = {payload, payload + length};
  expect(&reader, five, sizeof five);
  uint32_t name_length = take_head(&reader, TEXT);
  const uint8_t *name = take(&reader, name_length);
  release->version = take_head(&reader, UNSIGNED);
  release->minimum_version = take_head(&reader, UNSIGNED);
  release->size = take_head(&reader, UNSIGNED);
  if (take_head(&reader, BYTES) != HASH_SIZE) return false;
  const uint8_t *hash = take(&reader, HASH_SIZE);
  if (hash == NULL || name == NULL || reader.at != reader.end) return false;
  if (name_length < 1 || name_length > NAME_LIMIT) return false;
  memcpy(release->name, name, name_length);
  release->name[name_length] = 0;
  memcpy(release->hash, hash, HASH_SIZE);
  return release->minimum_version >= 1 && release->minimum_version <= release->version &&
         release->version <= UINT16_MAX;
}

bool release_read(const uint8_t *statement, size_t length, const uint8_t signer[SIGNER_SIZE],
                  struct release *release) {
  static const uint8_t head[] = {0x84, 0x43, 0xa1, 0x01, 0x27, 0xa0, 0x58};
  static const uint8_t signature_head[] = {0x58, ED25519_SIGNATURE_SIZE};
  uint8_t message[COSE_MESSAGE_LIMIT];
  struct reader reader = {statement, statement + length};
  expect(&reader, head, sizeof head);
  const uint8_t *size = take(&reader, 1);
  const uint8_t *payload = size == NULL ? NULL : take(&reader, *size);
  expect(&reader, signature_head, sizeof signature_head);
  const uint8_t *signature = take(&reader, ED25519_SIGNATURE_SIZE);
  if (signature == NULL || payload == NULL || reader.at != reader.end) return false;
  size_t message_length = cose_message("florin/image", payload, *size, message);
  return ed25519_verify(signer, message, message_length, signature) &&
         read_payload(payload, *size, release);
}
