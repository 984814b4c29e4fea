// SPDX-License-Identifier: Apache-2.0
// The board contract (assembly/board.ts) for any engine: each import with the checks that it
// promises. False means that the image gave a range outside its memory or a value that cannot be:
// the engine then ends the instance as it does for a trap.
#ifndef FLORIN_CONTRACT_H
#define FLORIN_CONTRACT_H

#include "module.h"

bool contract_send(struct module *module, uint32_t port, uint32_t pointer, uint32_t length);
bool contract_random(struct module *module, uint32_t pointer, uint32_t length, uint32_t *result);
int64_t contract_clock(void);
bool contract_flash_read(struct module *module, uint32_t offset, uint32_t pointer, uint32_t length,
                         uint32_t *result);
bool contract_flash_write(struct module *module, uint32_t offset, uint32_t pointer,
                          uint32_t length, uint32_t *result);
uint32_t contract_flash_erase(struct module *module, uint32_t page);
int64_t contract_counter_read(struct module *module);
int64_t contract_counter_raise(struct module *module);
bool contract_device_key(struct module *module, uint32_t label, uint32_t label_length,
                         uint32_t output, uint32_t *result);
/* Notes where an assertion failed; the engine then ends the instance. */
void contract_panic(struct module *module, uint32_t line, uint32_t column);

#endif
