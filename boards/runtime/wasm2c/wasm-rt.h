// SPDX-License-Identifier: Apache-2.0
// What code made by wasm2c (WABT 1.0.32) asks of its surroundings, for boards: no heap, no signals,
// no tables. An instance has its one page of memory inside itself.
#ifndef FLORIN_WASM_RT_H
#define FLORIN_WASM_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define wasm_rt_memcpy __builtin_memcpy
#define wasm_rt_unreachable __builtin_unreachable

/* Every access is checked, and so is the depth of calls: microcontrollers have no guard pages. */
#define WASM_RT_MEMCHECK_SIGNAL_HANDLER 0
#define WASM_RT_USE_STACK_DEPTH_COUNT 1
#define WASM_RT_MAX_CALL_STACK_DEPTH 64

extern uint32_t wasm_rt_call_stack_depth;

typedef enum {
  WASM_RT_TRAP_NONE,
  WASM_RT_TRAP_OOB,
  WASM_RT_TRAP_INT_OVERFLOW,
  WASM_RT_TRAP_DIV_BY_ZERO,
  WASM_RT_TRAP_INVALID_CONVERSION,
  WASM_RT_TRAP_UNREACHABLE,
  WASM_RT_TRAP_CALL_INDIRECT,
  WASM_RT_TRAP_UNCAUGHT_EXCEPTION,
  WASM_RT_TRAP_EXHAUSTION,
} wasm_rt_trap_t;

typedef enum {
  WASM_RT_I32,
  WASM_RT_I64,
  WASM_RT_F32,
  WASM_RT_F64,
  WASM_RT_FUNCREF,
  WASM_RT_EXTERNREF,
} wasm_rt_type_t;

enum { WASM_RT_PAGE_SIZE = 65536 };

/* A memory of one page. */
typedef struct {
  uint32_t size;
  uint32_t pages;
  _Alignas(8) uint8_t data[WASM_RT_PAGE_SIZE];
} wasm_rt_memory_t;

/* Named by the generated code's macros; no image has a table, which the build checks. */
typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct {
  uint32_t func_type;
  wasm_rt_function_ptr_t func;
  void *module_instance;
} wasm_rt_funcref_t;
typedef struct {
  wasm_rt_funcref_t *data;
  uint32_t max_size;
  uint32_t size;
} wasm_rt_funcref_table_t;
typedef void *wasm_rt_externref_t;
typedef struct {
  wasm_rt_externref_t *data;
  uint32_t max_size;
  uint32_t size;
} wasm_rt_externref_table_t;
static const wasm_rt_externref_t wasm_rt_externref_null_value = NULL;

/* Ends the call into the image. */
_Noreturn void wasm_rt_trap(wasm_rt_trap_t code);

/* Makes the memory zero; images ask for exactly one page. */
void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t pages, uint32_t most_pages);

/* A memory of one page cannot grow: always -1. */
uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages);

void wasm_rt_free_memory(wasm_rt_memory_t *memory);
uint32_t wasm_rt_register_func_type(uint32_t parameters, uint32_t results, ...);
bool wasm_rt_is_initialized(void);

#endif
