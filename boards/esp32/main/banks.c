// SPDX-License-Identifier: Apache-2.0
// The banks of loaded images, for the engine that has some (runtime/wasm3): four partitions, mapped
// into the processor's addresses.
#include "../../runtime/wasm3/banks.h"

#include <stdio.h>

#include "board.h"
#include "idf.h"

enum { SLOTS = 2, NAME_SIZE = 16 };

struct bank {
  const esp_partition_t *partition;
  const void *mapped;
};

static struct bank banks[SLOTS][BANK_COUNT];

static struct bank *bank_of(uint8_t slot, uint8_t number) {
  struct bank *bank = &banks[slot - CHANNEL_AGENT][number];
  if (bank->mapped != NULL) return bank;
  char name[NAME_SIZE];
  esp_partition_mmap_handle_t handle;
  snprintf(name, sizeof name, "%s%u", slot == CHANNEL_AGENT ? "agent" : "module",
           (unsigned)number);
  bank->partition =
      esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, name);
  if (bank->partition == NULL ||
      esp_partition_mmap(bank->partition, 0, FLASH_SIZE, ESP_PARTITION_MMAP_DATA, &bank->mapped,
                         &handle) != ESP_OK) {
    esp_restart();
  }
  return bank;
}

const uint8_t *board_bank(uint8_t slot, uint8_t number) { return bank_of(slot, number)->mapped; }

bool board_bank_write(uint8_t slot, uint8_t number, uint32_t offset, const uint8_t *bytes,
                      size_t length) {
  return esp_partition_write(bank_of(slot, number)->partition, offset, bytes, length) == ESP_OK;
}

bool board_bank_erase(uint8_t slot, uint8_t number, uint32_t page) {
  return esp_partition_erase_range(bank_of(slot, number)->partition, page * FLASH_PAGE_SIZE,
                                   FLASH_PAGE_SIZE) == ESP_OK;
}
