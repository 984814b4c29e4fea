// SPDX-License-Identifier: Apache-2.0
// The flash windows and, for an engine that loads images, banks: partitions (partitions.csv). The
// numbers: NVS.
#include "parts.h"

#include <stdio.h>

#include "board.h"
#include "idf.h"
#include "link/protocol.h"

/* Of each slot: banks 0 and 1, and the window. */
enum { SLOTS = 2, WINDOW = BANK_COUNT, AREAS = BANK_COUNT + 1, NAME_SIZE = 16 };

static nvs_handle_t numbers;

void storage_start(void) {
  if (nvs_flash_init() != ESP_OK || nvs_open("florin", NVS_READWRITE, &numbers) != ESP_OK) {
    board_fail("its NVS partition cannot be used");
  }
}

/* Partitions agent0, agent1 and agent; module0, module1 and module. */
static const esp_partition_t *area(uint8_t slot, uint8_t number) {
  static const esp_partition_t *areas[SLOTS][AREAS];
  const esp_partition_t **found = &areas[slot - CHANNEL_AGENT][number];
  if (*found != NULL) return *found;
  char name[NAME_SIZE];
  const char *half = slot == CHANNEL_AGENT ? "agent" : "module";
  snprintf(name, sizeof name, number == WINDOW ? "%s" : "%s%u", half, (unsigned)number);
  *found = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, name);
  if (*found == NULL || (*found)->size < FLASH_SIZE) board_fail("a partition is missing");
  return *found;
}

static bool erase(const esp_partition_t *area, uint32_t page) {
  return esp_partition_erase_range(area, page * FLASH_PAGE_SIZE, FLASH_PAGE_SIZE) == ESP_OK;
}

void board_flash_read(uint8_t slot, uint32_t offset, uint8_t *output, size_t length) {
  if (esp_partition_read(area(slot, WINDOW), offset, output, length) != ESP_OK) {
    board_fail("its flash cannot be read");
  }
}

bool board_flash_write(uint8_t slot, uint32_t offset, const uint8_t *bytes, size_t length) {
  return esp_partition_write(area(slot, WINDOW), offset, bytes, length) == ESP_OK;
}

bool board_flash_erase(uint8_t slot, uint32_t page) { return erase(area(slot, WINDOW), page); }

const uint8_t *board_bank(uint8_t slot, uint8_t bank) {
  static const void *mapped[SLOTS][BANK_COUNT];
  const void **bytes = &mapped[slot - CHANNEL_AGENT][bank];
  esp_partition_mmap_handle_t handle;
  if (*bytes == NULL && esp_partition_mmap(area(slot, bank), 0, FLASH_SIZE,
                                           ESP_PARTITION_MMAP_DATA, bytes, &handle) != ESP_OK) {
    board_fail("a bank cannot be mapped");
  }
  return *bytes;
}

bool board_bank_write(uint8_t slot, uint8_t bank, uint32_t offset, const uint8_t *bytes,
                      size_t length) {
  return esp_partition_write(area(slot, bank), offset, bytes, length) == ESP_OK;
}

bool board_bank_erase(uint8_t slot, uint8_t bank, uint32_t page) {
  return erase(area(slot, bank), page);
}

static void name_key(char key[NAME_SIZE], enum number number, uint8_t slot, uint32_t page) {
  snprintf(key, NAME_SIZE, "%u.%u.%u", (unsigned)number, (unsigned)slot, (unsigned)page);
}

uint32_t board_number_read(enum number number, uint8_t slot, uint32_t page) {
  char key[NAME_SIZE];
  uint32_t value = 0;
  name_key(key, number, slot, page);
  esp_err_t result = nvs_get_u32(numbers, key, &value);
  if (result != ESP_OK && result != ESP_ERR_NVS_NOT_FOUND) board_fail("NVS cannot be read");
  return value;
}

bool board_number_write(enum number number, uint8_t slot, uint32_t page, uint32_t value) {
  char key[NAME_SIZE];
  name_key(key, number, slot, page);
  return nvs_set_u32(numbers, key, value) == ESP_OK && nvs_commit(numbers) == ESP_OK;
}
