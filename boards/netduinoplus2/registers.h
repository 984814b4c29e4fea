// SPDX-License-Identifier: Apache-2.0
// The registers that the board uses: USART of STM32F405 (ST RM0090 section 30), SysTick and NVIC
// (Armv7-M).
#ifndef FLORIN_NETDUINO_REGISTERS_H
#define FLORIN_NETDUINO_REGISTERS_H

#include <stdint.h>

struct usart_registers {
  volatile uint32_t status;
  volatile uint32_t data;
  volatile uint32_t baud_rate;
  volatile uint32_t control1;
};

struct systick_registers {
  volatile uint32_t control;
  volatile uint32_t reload;
  volatile uint32_t value;
};

enum { SYSTEM_CLOCK_HZ = 168000000 };
/* Armv7-M has no register that guards the stack: the depth of calls is what is limited. */
#define HAS_STACK_LIMIT 0

#define USART1 ((struct usart_registers *)0x40011000)
#define SYSTICK ((struct systick_registers *)0xe000e010)
#define NVIC_ENABLE ((volatile uint32_t *)0xe000e100)

/* Interrupt number of USART 1 (RM0090 table 62). */
enum { UART_INTERRUPT = 37 };

#endif
