// SPDX-License-Identifier: Apache-2.0
// The banks: a statement stands in front of an image only when all of it is there, so power lost at
// any moment leaves the old image or the new one.
#include "banks.h"

#include <string.h>

#include "../board.h"
#include "../link/bytes.h"
#include "../numbers.h"
#include "../sha256.h"

/* A bank's first page: the statement's length, and from the next word the statement. */
enum { STATEMENT_START = FLASH_WORD_SIZE, IMAGE_START = FLASH_PAGE_SIZE };
enum { IMAGE_LIMIT = FLASH_SIZE - IMAGE_START, WORDS_LIMIT = PAYLOAD_LIMIT + 2 * FLASH_WORD_SIZE };

static bool is_release_of(const struct image *image, const struct release *release) {
  return strcmp(release->name, image->name) == 0 &&
         release->minimum_version == image->minimum_version && release->size <= IMAGE_LIMIT;
}

static bool has_hash(const uint8_t *bytes, const struct release *release) {
  struct sha256 hash;
  uint8_t digest[SHA256_SIZE];
  sha256_begin(&hash);
  sha256_update(&hash, bytes, release->size);
  sha256_end(&hash, digest);
  return memcmp(digest, release->hash, sizeof digest) == 0;
}

static bool is_runnable(const uint8_t *bytes, uint32_t size) {
  struct instance trial = {.bytes = bytes, .size = size};
  bool is_good = instance_load(&trial, NULL);
  instance_free(&trial);
  return is_good;
}

static void activate(struct banks *banks, int bank, const struct release *release) {
  banks->active = bank;
  banks->image->version = release->version;
  memcpy(banks->image->hash, release->hash, HASH_SIZE);
  banks->instance->bytes = board_bank(banks->image->channel, (uint8_t)bank) + IMAGE_START;
  banks->instance->size = release->size;
}

void banks_choose(struct banks *banks) {
  banks->active = -1;
  for (uint8_t bank = 0; bank < BANK_COUNT; bank += 1) {
    struct release release;
    const uint8_t *bytes = board_bank(banks->image->channel, bank);
    uint32_t length = get_uint32(bytes);
    if (length > PAYLOAD_LIMIT) continue;
    if (!release_read(bytes + STATEMENT_START, length, banks->image->signer, &release)) continue;
    if (!is_release_of(banks->image, &release)) continue;
    if (release.version <= banks->image->version) continue;
    if (!has_hash(bytes + IMAGE_START, &release)) continue;
    if (is_runnable(bytes + IMAGE_START, release.size)) activate(banks, bank, &release);
  }
}

static uint8_t incoming(const struct banks *banks) { return banks->active == 0 ? 1 : 0; }

static enum update_status begin(struct banks *banks, bool is_outdated, const uint8_t *statement,
                                size_t length) {
  const struct image *image = banks->image;
  struct release release;
  if (length > sizeof banks->statement) return UPDATE_NOT_SIGNED;
  if (!release_read(statement, length, image->signer, &release)) return UPDATE_NOT_SIGNED;
  if (strcmp(release.name, image->name) != 0) return UPDATE_OTHER_NAME;
  if (release.minimum_version != image->minimum_version) return UPDATE_OTHER_PURSE;
  if (release.size > IMAGE_LIMIT) return UPDATE_TOO_LONG;
  bool is_newer = release.version >= numbers_version_floor(image->channel) &&
                  (is_outdated || release.version > image->version);
  /* The same bytes under a newer version are loaded: the version is what never goes back. */
  bool is_there =
      !is_newer && !is_outdated && memcmp(release.hash, image->hash, HASH_SIZE) == 0;
  if (!is_there && !is_newer) return UPDATE_OLDER;
  /* After a break of the line the same image goes on where it was. */
  if (banks->statement_length == length && memcmp(banks->statement, statement, length) == 0) {
    return UPDATE_TAKEN;
  }
  banks->statement_length = 0;
  if (!is_there && !board_bank_erase(image->channel, incoming(banks), 0)) return UPDATE_DAMAGED;
  memcpy(banks->statement, statement, length);
  banks->statement_length = length;
  banks->release = release;
  banks->is_there = is_there;
  banks->done = is_there ? release.size : 0;
  return UPDATE_TAKEN;
}

/* Programs bytes, filled up to whole words. */
static bool program(const struct banks *banks, uint32_t offset, const uint8_t *bytes,
                    size_t length) {
  uint8_t words[WORDS_LIMIT];
  memset(words, 0xff, sizeof words);
  memcpy(words, bytes, length);
  size_t whole = (length + FLASH_WORD_SIZE - 1) / FLASH_WORD_SIZE * FLASH_WORD_SIZE;
  return board_bank_write(banks->image->channel, incoming(banks), offset, words, whole);
}

static enum update_status write_part(struct banks *banks, const struct update_request *request) {
  uint32_t offset = request->offset;
  uint32_t length = (uint32_t)request->length;
  if (banks->statement_length == 0 || offset > banks->done) return UPDATE_OUT_OF_ORDER;
  uint32_t end = offset + length;
  if (end <= banks->done) return UPDATE_TAKEN;
  bool is_last = end == banks->release.size;
  if (offset < banks->done || end > banks->release.size ||
      (!is_last && length % FLASH_WORD_SIZE != 0)) {
    return UPDATE_OUT_OF_ORDER;
  }
  uint32_t first_page = (offset + FLASH_PAGE_SIZE - 1) / FLASH_PAGE_SIZE;
  uint32_t end_page = (end + FLASH_PAGE_SIZE - 1) / FLASH_PAGE_SIZE;
  for (uint32_t page = first_page; page < end_page; page += 1) {
    if (!board_bank_erase(banks->image->channel, incoming(banks), page + 1)) return UPDATE_DAMAGED;
  }
  if (!program(banks, IMAGE_START + offset, request->bytes, length)) return UPDATE_DAMAGED;
  banks->done = end;
  return UPDATE_TAKEN;
}

static enum update_status end_update(struct banks *banks) {
  uint8_t head[STATEMENT_START + PAYLOAD_LIMIT];
  if (banks->statement_length == 0 || banks->done != banks->release.size) {
    return UPDATE_OUT_OF_ORDER;
  }
  if (banks->is_there) return UPDATE_TAKEN;
  uint8_t bank = incoming(banks);
  const uint8_t *bytes = board_bank(banks->image->channel, bank) + IMAGE_START;
  memset(head, 0xff, sizeof head);
  put_uint32(head, (uint32_t)banks->statement_length);
  memcpy(head + STATEMENT_START, banks->statement, banks->statement_length);
  if (!has_hash(bytes, &banks->release) || !is_runnable(bytes, banks->release.size) ||
      !program(banks, 0, head, STATEMENT_START + banks->statement_length)) {
    banks->statement_length = 0;
    return UPDATE_DAMAGED;
  }
  banks->is_there = true;
  activate(banks, bank, &banks->release);
  return UPDATE_TAKEN;
}

enum update_status banks_update(struct banks *banks, const struct module *module,
                                const struct update_request *request, uint32_t *done) {
  enum update_status status = UPDATE_OUT_OF_ORDER;
  if (request->kind == MANAGEMENT_BEGIN) {
    status = begin(banks, module->is_outdated, request->bytes, request->length);
  } else if (request->kind == MANAGEMENT_DATA) status = write_part(banks, request);
  else if (request->kind == MANAGEMENT_END) status = end_update(banks);
  *done = banks->statement_length == 0 ? 0 : banks->done;
  return status;
}
