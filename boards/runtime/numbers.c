// SPDX-License-Identifier: Apache-2.0
// Boots, version floors and erasures, on the numbers that a board keeps.
#include "numbers.h"

#include "board.h"

uint32_t numbers_raise_boots(void) {
  uint32_t boots = board_number_read(NUMBER_BOOTS, 0, 0) + 1;
  /* A host that sees one number twice does not hear that the modules have lost their sessions. */
  if (!board_number_write(NUMBER_BOOTS, 0, 0, boots)) board_fail("it cannot count its starts");
  return boots;
}

uint32_t numbers_version_floor(uint8_t slot) { return board_number_read(NUMBER_VERSION, slot, 0); }

bool numbers_raise_version_floor(uint8_t slot, uint32_t version) {
  return board_number_write(NUMBER_VERSION, slot, 0, version);
}

uint32_t numbers_erasures(uint8_t slot, uint32_t page) {
  return board_number_read(NUMBER_ERASURES, slot, page);
}

/* Counted first: a cut in between counts one too many, never one too few. */
bool numbers_erase(uint8_t slot, uint32_t page) {
  uint32_t erasures = numbers_erasures(slot, page);
  if (erasures != UINT32_MAX &&
      !board_number_write(NUMBER_ERASURES, slot, page, erasures + 1)) {
    return false;
  }
  return board_flash_erase(slot, page);
}
