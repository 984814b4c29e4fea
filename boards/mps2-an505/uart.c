// SPDX-License-Identifier: Apache-2.0
// The serial line on UART 0 (Arm DDI 0479, CMSDK APB UART).
#include "uart.h"

#include "../runtime/board.h"
#include "registers.h"

enum {
  TRANSMIT_FULL = 1,
  RECEIVE_FULL = 2,
  TRANSMIT_ENABLE = 1,
  RECEIVE_ENABLE = 2,
  RECEIVE_INTERRUPT_ENABLE = 8,
  RECEIVE_INTERRUPT = 2,
  CLOCK_DIVIDER = 20000000 / 115200,
  /* Some frames: while a module is at work the host sends no more than one for each channel. */
  RING_SIZE = 1024,
};

static uint8_t ring[RING_SIZE];
static volatile uint32_t ring_written;
static volatile uint32_t ring_read;
static volatile bool is_held;

void uart_start(void) {
  UART0->divider = CLOCK_DIVIDER;
  UART0->control = TRANSMIT_ENABLE | RECEIVE_ENABLE | RECEIVE_INTERRUPT_ENABLE;
  NVIC_ENABLE[UART0_RECEIVE_INTERRUPT / 32] = 1u << UART0_RECEIVE_INTERRUPT % 32;
}

void uart_receive(void) {
  UART0->interrupt = RECEIVE_INTERRUPT;
  while ((UART0->state & RECEIVE_FULL) != 0) {
    uint8_t byte = (uint8_t)UART0->data;
    /* A byte without room is lost, as on any line: the link repairs it. */
    if (ring_written - ring_read == RING_SIZE) continue;
    ring[ring_written % RING_SIZE] = byte;
    ring_written += 1;
  }
}

int board_read(void) {
  if (ring_read == ring_written) return -1;
  uint8_t byte = ring[ring_read % RING_SIZE];
  ring_read += 1;
  return byte;
}

void board_write(const uint8_t *bytes, size_t length) {
  for (size_t index = 0; index < length; index += 1) {
    while ((UART0->state & TRANSMIT_FULL) != 0) {
    }
    UART0->data = bytes[index];
  }
}

void board_wait(uint64_t deadline_ms) {
  /* With interrupts held back, none can come between the look and the sleep; it still wakes. */
  for (;;) {
    __asm__ volatile("cpsid i" ::: "memory");
    bool is_due = ring_read != ring_written || board_now_ms() >= deadline_ms;
    if (!is_due) __asm__ volatile("wfi" ::: "memory");
    __asm__ volatile("cpsie i" ::: "memory");
    if (is_due) return;
  }
}

void board_hold(void) { is_held = true; }

void board_release(void) { is_held = false; }

bool uart_is_held(void) { return is_held; }
