// SPDX-License-Identifier: Apache-2.0
// The imports of an image (assembly/board.ts), checked, on top of what the board supplies.
#include "contract.h"

#include <string.h>

#include "board.h"
#include "health.h"
#include "numbers.h"
#include "runtime.h"
#include "sha256.h"

enum { SEND_LIMIT = 8448, RANDOM_LIMIT = 256, LABEL_LIMIT = 64, KEY_SIZE = SHA256_SIZE };

/* What an import answers where it could not do its work. */
static const uint32_t REFUSED = UINT32_MAX;

/* A range of the image's memory, or NULL where it is not inside. */
static uint8_t *view(const struct module *module, uint32_t pointer, uint32_t length) {
  if (pointer > IMAGE_MEMORY_SIZE || length > IMAGE_MEMORY_SIZE - pointer) return NULL;
  return module->image->memory() + pointer;
}

static bool is_in_window(uint32_t offset, uint32_t length) {
  return offset <= FLASH_SIZE && length <= FLASH_SIZE - offset;
}

bool contract_send(struct module *module, uint32_t port, uint32_t pointer, uint32_t length) {
  const uint8_t *body = view(module, pointer, length);
  if (port > LARGEST_PORT || length < 1 || length > SEND_LIMIT || body == NULL) return false;
  runtime_send(module, (uint8_t)port, body, length);
  return true;
}

bool contract_random(struct module *module, uint32_t pointer, uint32_t length, uint32_t *result) {
  uint8_t *output = view(module, pointer, length);
  if (length < 1 || length > RANDOM_LIMIT || output == NULL) return false;
  bool is_sound = board_random(module->image->channel, output, length);
  *result = is_sound && health_check(output, length) ? 0 : REFUSED;
  return true;
}

int64_t contract_clock(void) { return board_epoch_ms(); }

bool contract_flash_read(struct module *module, uint32_t offset, uint32_t pointer, uint32_t length,
                         uint32_t *result) {
  uint8_t *output = view(module, pointer, length);
  if (output == NULL) return false;
  *result = is_in_window(offset, length) ? 0 : REFUSED;
  if (*result == 0) board_flash_read(module->image->channel, offset, output, length);
  return true;
}

/* True if the range consists of whole words that are erased. */
static bool is_erased(uint8_t slot, uint32_t offset, uint32_t length) {
  if (offset % FLASH_WORD_SIZE != 0 || length % FLASH_WORD_SIZE != 0) return false;
  if (!is_in_window(offset, length)) return false;
  for (uint32_t done = 0; done < length; done += FLASH_WORD_SIZE) {
    uint8_t word[FLASH_WORD_SIZE];
    board_flash_read(slot, offset + done, word, sizeof word);
    for (size_t index = 0; index < sizeof word; index += 1) {
      if (word[index] != 0xff) return false;
    }
  }
  return true;
}

bool contract_flash_write(struct module *module, uint32_t offset, uint32_t pointer,
                          uint32_t length, uint32_t *result) {
  uint8_t slot = module->image->channel;
  const uint8_t *bytes = view(module, pointer, length);
  if (bytes == NULL) return false;
  *result = REFUSED;
  if (is_erased(slot, offset, length) && board_flash_write(slot, offset, bytes, length)) {
    *result = 0;
  }
  return true;
}

uint32_t contract_flash_erase(struct module *module, uint32_t page) {
  if (page >= FLASH_SIZE / FLASH_PAGE_SIZE) return REFUSED;
  return numbers_erase(module->image->channel, page) ? 0 : REFUSED;
}

int64_t contract_counter_read(struct module *module) {
  return board_counter_read(module->image->channel);
}

int64_t contract_counter_raise(struct module *module) {
  return board_counter_raise(module->image->channel);
}

/* Appends a part with its length in front, so that no two lists of parts give the same bytes. */
static size_t put_part(uint8_t *info, size_t at, const void *part, size_t length) {
  info[at] = (uint8_t)length;
  info[at + 1] = (uint8_t)(length >> 8);
  memcpy(info + at + 2, part, length);
  return at + 2 + length;
}

bool contract_device_key(struct module *module, uint32_t label, uint32_t label_length,
                         uint32_t output, uint32_t *result) {
  static const char purpose[] = "florin/device-key";
  const struct image *image = module->image;
  uint8_t *key = view(module, output, KEY_SIZE);
  if (key == NULL) return false;
  *result = REFUSED;
  if (label_length < 1 || label_length > LABEL_LIMIT) return true;
  const uint8_t *label_bytes = view(module, label, label_length);
  if (label_bytes == NULL) return false;

  uint8_t version[4];
  for (int index = 0; index < 4; index += 1) {
    version[index] = (uint8_t)(image->minimum_version >> 8 * index);
  }
  /* The build holds names to 24 bytes: the parts always fit. */
  uint8_t info[5 * 2 + sizeof purpose + 24 + SIGNER_SIZE + sizeof version + LABEL_LIMIT];
  size_t length = put_part(info, 0, purpose, sizeof purpose - 1);
  length = put_part(info, length, image->name, strlen(image->name));
  length = put_part(info, length, image->signer, SIGNER_SIZE);
  length = put_part(info, length, version, sizeof version);
  length = put_part(info, length, label_bytes, label_length);

  uint8_t secret[BOARD_SECRET_SIZE];
  board_secret(secret);
  hkdf_sha256(secret, sizeof secret, info, length, key);
  wipe(secret, sizeof secret);
  *result = 0;
  return true;
}

void contract_panic(struct module *module, uint32_t line, uint32_t column) {
  module->panic_line = (uint16_t)line;
  module->panic_column = (uint16_t)column;
}
