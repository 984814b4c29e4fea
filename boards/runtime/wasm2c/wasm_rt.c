// SPDX-License-Identifier: Apache-2.0
// The runtime of code made by wasm2c: memory that is already there, and traps that end the call.
#include "wasm-rt.h"

#include "trap.h"

uint32_t wasm_rt_call_stack_depth;
jmp_buf image_trapped;

_Noreturn void wasm_rt_trap(wasm_rt_trap_t code) { longjmp(image_trapped, (int)code); }

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t most_pages) {
  (void)pages;
  (void)most_pages;
  memory->size = WASM_RT_PAGE_SIZE;
  memory->pages = 1;
  memset(memory->data, 0, sizeof memory->data);
}

uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages) {
  return pages == 0 ? memory->pages : UINT32_MAX;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) { memory->size = 0; }

/* Types are only asked for at indirect calls, which no image has. */
uint32_t wasm_rt_register_func_type(uint32_t parameters, uint32_t results, ...) {
  (void)parameters;
  (void)results;
  return 0;
}

bool wasm_rt_is_initialized(void) { return true; }
