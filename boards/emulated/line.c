// SPDX-License-Identifier: Apache-2.0
// The line's ring of received bytes, waiting and writing, for any Cortex-M with a UART.
#include "line.h"

#include "../runtime/board.h"
#include "uart.h"

/* Some frames: while a module is at work the host sends no more than one for each channel. */
enum { RING_SIZE = 1024 };

static uint8_t ring[RING_SIZE];
static volatile uint32_t ring_written;
static volatile uint32_t ring_read;
static volatile bool is_held;

void line_put(uint8_t byte) {
  /* A byte without room is lost, as on any line: the link repairs it. */
  if (ring_written - ring_read == RING_SIZE) return;
  ring[ring_written % RING_SIZE] = byte;
  ring_written += 1;
}

int board_read(void) {
  if (ring_read == ring_written) return -1;
  uint8_t byte = ring[ring_read % RING_SIZE];
  ring_read += 1;
  return byte;
}

void board_write(const uint8_t *bytes, size_t length) {
  for (size_t index = 0; index < length; index += 1) uart_send(bytes[index]);
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

bool line_is_held(void) { return is_held; }
