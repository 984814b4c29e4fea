// SPDX-License-Identifier: Apache-2.0
// What a board supplies to carry agents and money modules: a line, time, randomness, storage, a
// secret. Porting to a new board is writing these functions and a main that calls runtime_run.
// `slot` is the module's channel, CHANNEL_AGENT or CHANNEL_MODULE: each has its own flash window
// and counter. The runtime checks every range before it calls.
#ifndef FLORIN_BOARD_H
#define FLORIN_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The flash window of each module (assembly/board.ts). */
enum { FLASH_SIZE = 131072, FLASH_PAGE_SIZE = 4096, FLASH_WORD_SIZE = 8 };

/* Bytes of the board's secret, which every device key is derived from. */
enum { BOARD_SECRET_SIZE = 32 };

/* 1 to 24 ASCII characters. */
extern const char board_name[];
/* True if the board holds no money that others should take. */
extern const bool board_is_simulated;

/* Milliseconds since the board was switched on. */
uint64_t board_now_ms(void);

/* The time as milliseconds since 1970-01-01 UTC, or -1 where the board does not know it. */
int64_t board_epoch_ms(void);

/* Writes bytes to the line, waiting until there is room for each. */
void board_write(const uint8_t *bytes, size_t length);

/* Gives the next byte that came from the line, or -1 for none. */
int board_read(void);

/* Sleeps until a byte may have come or `deadline_ms` of board_now_ms is there. */
void board_wait(uint64_t deadline_ms);

/*
 * Calls runtime_millisecond about once each millisecond from an interrupt. While `board_hold` is in
 * force it does not, so that nothing is written into the middle of a frame.
 */
void board_hold(void);
void board_release(void);

/* Tells that the module on a channel, or the board for channel 1, begins or ends its work on an
 * event: for a light, or a clock. Does nothing if left out. */
void board_work(uint8_t channel, bool is_at_work);

/* Fills with random bytes of a true source, which health.c watches; false if it failed. */
bool board_random(uint8_t slot, uint8_t *output, size_t length);

void board_flash_read(uint8_t slot, uint32_t offset, uint8_t *output, size_t length);

/* Programs erased words; false if the flash did not take them. */
bool board_flash_write(uint8_t slot, uint32_t offset, const uint8_t *bytes, size_t length);

bool board_flash_erase(uint8_t slot, uint32_t page);

/* The monotonic counter, or -1 where there is none, as where these two are left out: such a board
 * is certified `counter: none`. */
int64_t board_counter_read(uint8_t slot);

/* Raises the counter by one, atomic under power loss; -1 where there is none or it is worn out. */
int64_t board_counter_raise(uint8_t slot);

/* Numbers that a board keeps, beginning at 0. */
enum number {
  /* How often the board was switched on; slot and page are 0. */
  NUMBER_BOOTS,
  /* The highest version of the slot's image that has run. Where the board has a monotonic counter
   * to spare, it is this: no old copy of the storage then brings an old image back. */
  NUMBER_VERSION,
  /* How often a page of the slot's flash window was erased; UINT32_MAX, and never written, where
   * the board does not count. */
  NUMBER_ERASURES,
};

/* Replacing a number is atomic under power loss; false if the board could not. */
uint32_t board_number_read(enum number number, uint8_t slot, uint32_t page);
bool board_number_write(enum number number, uint8_t slot, uint32_t page, uint32_t value);

/* Of each slot, where the engine loads images (wasm3/banks.h): of FLASH_SIZE bytes, with pages and
 * words as the flash windows have them. */
enum { BANK_COUNT = 2 };

/* The bank's bytes, mapped where the processor reads them; programs erased words; erases a page.
 * Other engines do without these three. */
const uint8_t *board_bank(uint8_t slot, uint8_t bank);
bool board_bank_write(uint8_t slot, uint8_t bank, uint32_t offset, const uint8_t *bytes,
                      size_t length);
bool board_bank_erase(uint8_t slot, uint8_t bank, uint32_t page);

/* The board's own secret. The caller wipes its copy. */
void board_secret(uint8_t secret[BOARD_SECRET_SIZE]);

/* Nothing can be trusted any more: the board stops, or starts anew. `reason` is told
 * where somebody hears it. */
_Noreturn void board_fail(const char *reason);

#endif
