// SPDX-License-Identifier: Apache-2.0
// The serial line on USART 1 (ST RM0090 section 30.6).
#include "../emulated/uart.h"

#include "../emulated/line.h"
#include "../runtime/board.h"
#include "registers.h"

enum {
  RECEIVE_NOT_EMPTY = 1 << 5,
  TRANSMIT_EMPTY = 1 << 7,
  RECEIVE_ENABLE = 1 << 2,
  TRANSMIT_ENABLE = 1 << 3,
  RECEIVE_INTERRUPT_ENABLE = 1 << 5,
  USART_ENABLE = 1 << 13,
  /* USART 1 runs at half the system clock. */
  USART_CLOCK_HZ = SYSTEM_CLOCK_HZ / 2,
  BAUD_RATE = 115200,
};

void uart_start(void) {
  USART1->baud_rate = USART_CLOCK_HZ / BAUD_RATE;
  USART1->control1 = RECEIVE_ENABLE | TRANSMIT_ENABLE | RECEIVE_INTERRUPT_ENABLE | USART_ENABLE;
  NVIC_ENABLE[UART_INTERRUPT / 32] = 1u << UART_INTERRUPT % 32;
}

void uart_receive(void) {
  while ((USART1->status & RECEIVE_NOT_EMPTY) != 0) line_put((uint8_t)USART1->data);
}

void uart_send(uint8_t byte) {
  while ((USART1->status & TRANSMIT_EMPTY) == 0) {
  }
  USART1->data = byte;
}
