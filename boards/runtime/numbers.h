// SPDX-License-Identifier: Apache-2.0
// What the runtime counts with the numbers that a board keeps (board.h, board_number_read).
#ifndef FLORIN_NUMBERS_H
#define FLORIN_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

/* Raises the count of times that the board was switched on, and gives it. */
uint32_t numbers_raise_boots(void);

/* The highest version of the slot's image that has run, 0 for none: no lower one starts again. */
uint32_t numbers_version_floor(uint8_t slot);
bool numbers_raise_version_floor(uint8_t slot, uint32_t version);

/* Counts an erasure of a page of the flash window, and erases it. */
bool numbers_erase(uint8_t slot, uint32_t page);

/* How often a page of the flash window was erased; UINT32_MAX where the board does not count. */
uint32_t numbers_erasures(uint8_t slot, uint32_t page);

#endif
