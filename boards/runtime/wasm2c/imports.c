// SPDX-License-Identifier: Apache-2.0
// The board contract under the names that wasm2c gives to imports of the module "board".
#include "imports.h"

#include "../contract.h"
#include "wasm-rt.h"

/* What an image did that it must not: it ends like a trap. */
static void check(bool is_good) {
  if (!is_good) wasm_rt_trap(WASM_RT_TRAP_OOB);
}

void Z_boardZ_send(struct Z_board_instance_t *board, uint32_t port, uint32_t pointer,
                   uint32_t length) {
  check(contract_send(board->module, port, pointer, length));
}

uint32_t Z_boardZ_random(struct Z_board_instance_t *board, uint32_t pointer, uint32_t length) {
  uint32_t result = 0;
  check(contract_random(board->module, pointer, length, &result));
  return result;
}

uint64_t Z_boardZ_clock(struct Z_board_instance_t *board) {
  (void)board;
  return (uint64_t)contract_clock();
}

uint32_t Z_boardZ_flashRead(struct Z_board_instance_t *board, uint32_t offset, uint32_t pointer,
                            uint32_t length) {
  uint32_t result = 0;
  check(contract_flash_read(board->module, offset, pointer, length, &result));
  return result;
}

uint32_t Z_boardZ_flashWrite(struct Z_board_instance_t *board, uint32_t offset, uint32_t pointer,
                             uint32_t length) {
  uint32_t result = 0;
  check(contract_flash_write(board->module, offset, pointer, length, &result));
  return result;
}

uint32_t Z_boardZ_flashErase(struct Z_board_instance_t *board, uint32_t page) {
  return contract_flash_erase(board->module, page);
}

uint64_t Z_boardZ_counterRead(struct Z_board_instance_t *board) {
  return (uint64_t)contract_counter_read(board->module);
}

uint64_t Z_boardZ_counterRaise(struct Z_board_instance_t *board) {
  return (uint64_t)contract_counter_raise(board->module);
}

uint32_t Z_boardZ_deviceKey(struct Z_board_instance_t *board, uint32_t label,
                            uint32_t label_length, uint32_t output) {
  uint32_t result = 0;
  check(contract_device_key(board->module, label, label_length, output, &result));
  return result;
}

void Z_boardZ_panic(struct Z_board_instance_t *board, uint32_t line, uint32_t column) {
  contract_panic(board->module, line, column);
  wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}

void Z_boardZ_stepReached(struct Z_board_instance_t *board, uint32_t number) {
  /* Marks of traced images; a board has nobody to tell. */
  (void)board;
  (void)number;
}
