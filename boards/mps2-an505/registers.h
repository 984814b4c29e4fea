// SPDX-License-Identifier: Apache-2.0
// The registers that the board uses: CMSDK APB UART (Arm DDI 0479), SysTick and NVIC (Armv8-M).
#ifndef FLORIN_AN505_REGISTERS_H
#define FLORIN_AN505_REGISTERS_H

#include <stdint.h>

struct uart_registers {
  volatile uint32_t data;
  volatile uint32_t state;
  volatile uint32_t control;
  volatile uint32_t interrupt;
  volatile uint32_t divider;
};

/* CMSDK APB timer (Arm DDI 0479), counting down at the system clock. */
struct timer_registers {
  volatile uint32_t control;
  volatile uint32_t value;
  volatile uint32_t reload;
};

struct systick_registers {
  volatile uint32_t control;
  volatile uint32_t reload;
  volatile uint32_t value;
};

enum { SYSTEM_CLOCK_HZ = 20000000 };
/* Armv8-M guards the stack with a register (MSPLIM). */
#define HAS_STACK_LIMIT 1

#define UART0 ((struct uart_registers *)0x50200000)
#define TIMER0 ((struct timer_registers *)0x50000000)
#define SYSTICK ((struct systick_registers *)0xe000e010)
#define NVIC_ENABLE ((volatile uint32_t *)0xe000e100)

enum { TIMER_ENABLE = 1 };

/* Interrupt numbers of AN505. */
enum { UART_INTERRUPT = 32 };

#endif
