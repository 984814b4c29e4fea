// SPDX-License-Identifier: Apache-2.0
// From reset to runtime_run on any Cortex-M: vectors, memory, the millisecond timer (Armv7-M and
// Armv8-M Architecture Reference Manuals). The board's registers.h tells clock and interrupt.
#include <string.h>

#include "../runtime/board.h"
#include "../runtime/runtime.h"
#include "emulator.h"
#include "registers.h"
#include "line.h"
#include "uart.h"

/* Symbols of memory.ld: addresses, and sizes as addresses. */
extern uint8_t data_start[], data_load[], data_size[], bss_start[], bss_size[];
extern uint8_t stack_limit[], stack_top[];

enum { SYSTICK_RUNNING = 7 };

/* What a word of the stack holds that was never used. */
static const uint32_t UNUSED_STACK = 0x5ac5ac5a;

static volatile uint64_t milliseconds;

void board_reset(void);
void board_millisecond(void);
void board_fault(void);

uint64_t board_now_ms(void) {
  uint64_t value;
  /* 64 bits are read in two parts: read again where the timer came between. */
  do value = milliseconds;
  while (value != milliseconds);
  return value;
}

void board_millisecond(void) {
  milliseconds += 1;
  if (!line_is_held()) runtime_millisecond();
}

/* Memory that is not there, a stack that is full: no image can cause it, and nothing is left that
 * could be trusted. The board stops, and starts anew when it is switched on. */
void board_fault(void) { board_fail("hardware fault"); }

/* Up to the frame of the function that calls this, which is all that the stack holds yet. */
static void mark_stack(void) {
  const uintptr_t end = (uintptr_t)__builtin_frame_address(0) - 64;
  for (uintptr_t at = (uintptr_t)stack_limit; at < end; at += sizeof UNUSED_STACK) {
    *(uint32_t *)at = UNUSED_STACK;
  }
}

uint32_t emulator_stack_peak(void) {
  const uintptr_t top = (uintptr_t)stack_top;
  uintptr_t at = (uintptr_t)stack_limit;
  while (at < top && *(const uint32_t *)at == UNUSED_STACK) at += sizeof UNUSED_STACK;
  return (uint32_t)(top - at);
}

void board_reset(void) {
#if HAS_STACK_LIMIT
  __asm__ volatile("msr msplim, %0" ::"r"(stack_limit));
#endif
  memcpy(data_start, data_load, (size_t)(uintptr_t)data_size);
  memset(bss_start, 0, (size_t)(uintptr_t)bss_size);
  mark_stack();
  SYSTICK->reload = SYSTEM_CLOCK_HZ / 1000 - 1;
  SYSTICK->value = 0;
  SYSTICK->control = SYSTICK_RUNNING;
  uart_start();
  emulator_start();
  runtime_run();
}

/* 16 exceptions of the processor, then the interrupts of the board. */
__attribute__((section(".vectors"), used)) static void (*const vectors[16 + 96])(void) = {
    [0] = (void (*)(void))(uintptr_t)stack_top,
    [1] = board_reset,
    [2] = board_fault,
    [3] = board_fault,
    [4] = board_fault,
    [5] = board_fault,
    [6] = board_fault,
    [7] = board_fault,
    [15] = board_millisecond,
    [16 + UART_INTERRUPT] = uart_receive,
};
