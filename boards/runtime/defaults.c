// SPDX-License-Identifier: Apache-2.0
// What a board may leave out: a light, and a monotonic counter. A board that has them defines the
// same functions, which take the place of these.
#include "board.h"

__attribute__((weak)) void board_work(uint8_t channel, bool is_at_work) {
  (void)channel;
  (void)is_at_work;
}

__attribute__((weak)) int64_t board_counter_read(uint8_t slot) {
  (void)slot;
  return -1;
}

__attribute__((weak)) int64_t board_counter_raise(uint8_t slot) {
  (void)slot;
  return -1;
}
