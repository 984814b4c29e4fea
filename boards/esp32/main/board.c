// SPDX-License-Identifier: Apache-2.0
// An ESP32-S3, C3 or C6 as a board: time, randomness, and the secret, which only the HMAC
// peripheral can use (ESP-IDF 5 Programming Guide). line.c is the line, storage.c flash and NVS.
#include "board.h"

#include "idf.h"
#include "runtime.h"
#include "parts.h"

const char board_name[] = "esp32";
const bool board_is_simulated = false;

/* No clock of this board was ever before this: 2026-01-01 UTC, as seconds. */
static const int64_t EARLIEST_SECONDS = 1767225600;

/* The chip starts anew, and the modules from their journals. */
_Noreturn void board_fail(const char *reason) {
  (void)reason;
  esp_restart();
}

uint64_t board_now_ms(void) { return (uint64_t)esp_timer_get_time() / 1000; }

int64_t board_epoch_ms(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  if (now.tv_sec < EARLIEST_SECONDS) return -1;
  return (int64_t)now.tv_sec * 1000 + now.tv_usec / 1000;
}

bool board_random(uint8_t slot, uint8_t *output, size_t length) {
  (void)slot;
  esp_fill_random(output, length);
  return true;
}

void board_secret(uint8_t secret[BOARD_SECRET_SIZE]) {
  static const char purpose[] = "florin/board-secret";
  if (esp_hmac_calculate(HMAC_KEY0, purpose, sizeof purpose - 1, secret) != ESP_OK) {
    board_fail("its secret cannot be used");
  }
}

void app_main(void) {
  /* Noise of the converter feeds the random source while the radio is off (it always is). */
  bootloader_random_enable();
  storage_start();
  line_start();
  runtime_run();
}
