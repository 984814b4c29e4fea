// SPDX-License-Identifier: Apache-2.0
// An ESP32-S3, C3 or C6 as a board: time, randomness, flash partitions, the counts that NVS keeps,
// and the secret, which only the HMAC peripheral can use (ESP-IDF 5 Programming Guide). line.c is
// the line.
#include "board.h"

#include <stdio.h>
#include <string.h>

#include "idf.h"
#include "line.h"
#include "link/protocol.h"
#include "runtime.h"
#include "secure_element.h"

const char board_name[] = "esp32";
const bool board_is_simulated = false;

enum { SLOTS = 2, KEY_SIZE = 16, REPETITIONS_LIMIT = 3 };

/* No clock of this board was ever before this: 2026-01-01 UTC, as seconds. */
static const int64_t EARLIEST_SECONDS = 1767225600;

static const esp_partition_t *windows[SLOTS];
static nvs_handle_t counts;

/* Nothing can be trusted any more: the chip starts anew, and the modules from their journals. */
static void must(esp_err_t result) {
  if (result != ESP_OK) esp_restart();
}

static const esp_partition_t *window_of(uint8_t slot) { return windows[slot - CHANNEL_AGENT]; }

uint64_t board_now_ms(void) { return (uint64_t)esp_timer_get_time() / 1000; }

int64_t board_epoch_ms(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  if (now.tv_sec < EARLIEST_SECONDS) return -1;
  return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

/* The repetition count test of NIST SP 800-90B section 4.4.1, on words of 32 bits. */
static bool is_healthy(uint32_t word) {
  static uint32_t last;
  static int repetitions;
  repetitions = word == last ? repetitions + 1 : 1;
  last = word;
  return repetitions < REPETITIONS_LIMIT;
}

bool board_random(uint8_t slot, uint8_t *output, size_t length) {
  (void)slot;
  for (size_t done = 0; done < length;) {
    uint32_t word = esp_random();
    size_t part = length - done < sizeof word ? length - done : sizeof word;
    if (!is_healthy(word)) return false;
    memcpy(output + done, &word, part);
    done += part;
  }
  return true;
}

void board_flash_read(uint8_t slot, uint32_t offset, uint8_t *output, size_t length) {
  must(esp_partition_read(window_of(slot), offset, output, length));
}

bool board_flash_write(uint8_t slot, uint32_t offset, const uint8_t *bytes, size_t length) {
  return esp_partition_write(window_of(slot), offset, bytes, length) == ESP_OK;
}

/* A number that NVS keeps: replaced at once, 0 where it was never written. */
static uint32_t read_count(const char *key) {
  uint32_t value = 0;
  esp_err_t result = nvs_get_u32(counts, key, &value);
  if (result != ESP_ERR_NVS_NOT_FOUND) must(result);
  return value;
}

static bool write_count(const char *key, uint32_t value) {
  return nvs_set_u32(counts, key, value) == ESP_OK && nvs_commit(counts) == ESP_OK;
}

static void name_key(char key[KEY_SIZE], const char *what, uint8_t slot, uint32_t page) {
  snprintf(key, KEY_SIZE, "%s.%u.%u", what, (unsigned)slot, (unsigned)page);
}

uint32_t board_flash_erasures(uint8_t slot, uint32_t page) {
  char key[KEY_SIZE];
  name_key(key, "wear", slot, page);
  return read_count(key);
}

/* Counted first: a cut in between counts one too many, never one too few. */
bool board_flash_erase(uint8_t slot, uint32_t page) {
  char key[KEY_SIZE];
  name_key(key, "wear", slot, page);
  if (!write_count(key, read_count(key) + 1)) return false;
  return esp_partition_erase_range(window_of(slot), page * FLASH_PAGE_SIZE, FLASH_PAGE_SIZE) ==
         ESP_OK;
}

int64_t board_counter_read(uint8_t slot) { return secure_element_read(slot); }

int64_t board_counter_raise(uint8_t slot) { return secure_element_raise(slot); }

uint32_t board_raise_boot_counter(void) {
  uint32_t boots = read_count("boots") + 1;
  if (!write_count("boots", boots)) esp_restart();
  return boots;
}

uint32_t board_version_floor(uint8_t slot) {
  char key[KEY_SIZE];
  name_key(key, "version", slot, 0);
  return read_count(key);
}

bool board_raise_version_floor(uint8_t slot, uint32_t version) {
  char key[KEY_SIZE];
  name_key(key, "version", slot, 0);
  return write_count(key, version);
}

void board_secret(uint8_t secret[BOARD_SECRET_SIZE]) {
  static const char purpose[] = "florin/board-secret";
  must(esp_hmac_calculate(HMAC_KEY0, purpose, sizeof purpose - 1, secret));
}

void board_work(uint8_t channel, bool is_at_work) {
  (void)channel;
  (void)is_at_work;
}

void app_main(void) {
  static const char *const names[SLOTS] = {"agent", "module"};
  /* Noise of the converter feeds the random source while the radio is off (it always is). */
  bootloader_random_enable();
  must(nvs_flash_init());
  must(nvs_open("florin", NVS_READWRITE, &counts));
  for (int slot = 0; slot < SLOTS; slot += 1) {
    windows[slot] =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, names[slot]);
    if (windows[slot] == NULL || windows[slot]->size < FLASH_SIZE) esp_restart();
  }
  line_start();
  runtime_run();
}
