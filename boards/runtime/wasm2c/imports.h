// SPDX-License-Identifier: Apache-2.0
// The imports of an image compiled by wasm2c; its own header declares the same for its caller.
#ifndef FLORIN_IMPORTS_H
#define FLORIN_IMPORTS_H

#include <stdint.h>

struct module;

/* What wasm2c hands to each import: whose instance it is. */
struct Z_board_instance_t {
  struct module *module;
};

void Z_boardZ_send(struct Z_board_instance_t *board, uint32_t port, uint32_t pointer,
                   uint32_t length);
uint32_t Z_boardZ_random(struct Z_board_instance_t *board, uint32_t pointer, uint32_t length);
uint64_t Z_boardZ_clock(struct Z_board_instance_t *board);
uint32_t Z_boardZ_flashRead(struct Z_board_instance_t *board, uint32_t offset, uint32_t pointer,
                            uint32_t length);
uint32_t Z_boardZ_flashWrite(struct Z_board_instance_t *board, uint32_t offset, uint32_t pointer,
                             uint32_t length);
uint32_t Z_boardZ_flashErase(struct Z_board_instance_t *board, uint32_t page);
uint64_t Z_boardZ_counterRead(struct Z_board_instance_t *board);
uint64_t Z_boardZ_counterRaise(struct Z_board_instance_t *board);
uint32_t Z_boardZ_deviceKey(struct Z_board_instance_t *board, uint32_t label,
                            uint32_t label_length, uint32_t output);
void Z_boardZ_panic(struct Z_board_instance_t *board, uint32_t line, uint32_t column);
void Z_boardZ_stepReached(struct Z_board_instance_t *board, uint32_t number);

#endif
