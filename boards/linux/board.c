// SPDX-License-Identifier: Apache-2.0
// Line and time of the board that is a process: standard input and output, and the system's clock.
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "board.h"
#include "emulator.h"
#include "runtime.h"

static uint8_t received[4096];
static size_t received_length;
static size_t received_read;

uint64_t board_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void board_write(const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(STDOUT_FILENO, bytes, length);
    if (written <= 0) exit(1);
    bytes += written;
    length -= (size_t)written;
  }
}

int board_read(void) {
  if (received_read == received_length) return -1;
  uint8_t byte = received[received_read];
  received_read += 1;
  return byte;
}

void board_wait(uint64_t deadline_ms) {
  struct pollfd line = {.fd = STDIN_FILENO, .events = POLLIN};
  uint64_t now_ms = board_now_ms();
  uint64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
  if (poll(&line, 1, wait_ms > 60000 ? 60000 : (int)wait_ms) <= 0) return;
  ssize_t length = read(STDIN_FILENO, received, sizeof received);
  /* The line was closed: the board is switched off. */
  if (length <= 0) exit(0);
  received_length = (size_t)length;
  received_read = 0;
}

/* No interrupt writes to the line. */
void board_hold(void) {}
void board_release(void) {}

void board_work(uint8_t channel, bool is_at_work) {
  (void)channel;
  (void)is_at_work;
}

int main(void) {
  emulator_start();
  runtime_run();
}
