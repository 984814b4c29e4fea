// SPDX-License-Identifier: Apache-2.0
// The serial line on UART 0 (Arm DDI 0479, CMSDK APB UART).
#include "../emulated/uart.h"

#include "../emulated/line.h"
#include "registers.h"

enum {
  TRANSMIT_FULL = 1,
  RECEIVE_FULL = 2,
  TRANSMIT_ENABLE = 1,
  RECEIVE_ENABLE = 2,
  RECEIVE_INTERRUPT_ENABLE = 8,
  RECEIVE_INTERRUPT = 2,
  BAUD_RATE = 115200,
};

void uart_start(void) {
  UART0->divider = SYSTEM_CLOCK_HZ / BAUD_RATE;
  UART0->control = TRANSMIT_ENABLE | RECEIVE_ENABLE | RECEIVE_INTERRUPT_ENABLE;
  NVIC_ENABLE[UART_INTERRUPT / 32] = 1u << UART_INTERRUPT % 32;
}

void uart_receive(void) {
  UART0->interrupt = RECEIVE_INTERRUPT;
  while ((UART0->state & RECEIVE_FULL) != 0) line_put((uint8_t)UART0->data);
}

void uart_send(uint8_t byte) {
  while ((UART0->state & TRANSMIT_FULL) != 0) {
  }
  UART0->data = byte;
}
