// SPDX-License-Identifier: Apache-2.0
// Line and time of the board that is a process: standard input and output, and the system's clock.
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "emulator.h"
#include "runtime.h"
#include "stream/stream.h"

uint64_t board_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

size_t stream_send(const uint8_t *bytes, size_t length) {
  ssize_t written = write(STDOUT_FILENO, bytes, length);
  if (written <= 0) exit(1);
  return (size_t)written;
}

size_t stream_receive(uint8_t *bytes, size_t size, uint32_t wait_ms) {
  struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
  if (poll(&line, 1, (int)wait_ms) <= 0) return 0;
  ssize_t length = read(STDIN_FILENO, bytes, size);
  /* The line was closed: the board is switched off. */
  if (length <= 0) exit(0);
  return (size_t)length;
}

/* No interrupt writes to the line. */
void board_hold(void) {}
void board_release(void) {}

int main(void) {
  emulator_start();
  runtime_run();
}
