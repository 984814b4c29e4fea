// SPDX-License-Identifier: Apache-2.0
// The line on top of a driver that can be waited for (stream.h).
#include "stream.h"

#include "board.h"

/* Short enough that a wait is a number of milliseconds anywhere. */
enum { BUFFER_SIZE = 4096, LONGEST_WAIT_MS = 60000 };

static uint8_t received[BUFFER_SIZE];
static size_t received_length;
static size_t received_read;

static void receive(size_t size, uint64_t wait_ms) {
  received_read = 0;
  uint32_t limit_ms = wait_ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : (uint32_t)wait_ms;
  received_length = stream_receive(received, size, limit_ms);
}

int board_read(void) {
  if (received_read == received_length) receive(sizeof received, 0);
  if (received_read == received_length) return -1;
  uint8_t byte = received[received_read];
  received_read += 1;
  return byte;
}

void board_wait(uint64_t deadline_ms) {
  uint64_t now_ms = board_now_ms();
  if (received_read < received_length || deadline_ms <= now_ms) return;
  /* One byte ends the wait: some drivers wait until all that was asked for is there. */
  receive(1, deadline_ms - now_ms);
}

void board_write(const uint8_t *bytes, size_t length) {
  while (length > 0) {
    size_t sent = stream_send(bytes, length);
    bytes += sent;
    length -= sent;
  }
}
