// SPDX-License-Identifier: Apache-2.0
// A serial cable that can be unplugged: it carries bytes between a board's terminal and one that it
// makes, and takes that one away and brings another, as a USB port goes and comes.
//
//   cable TERMINAL LINK    LINK is a symbolic link to the terminal that the host opens
//
// A line `out` on standard input unplugs, `in` plugs in; each is answered by the same line. What
// the board says while the cable is out is lost.
#define _XOPEN_SOURCE 600
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Our end of the terminal, and a handle that keeps it alive while no host has it open. */
static int end = -1;
static int keeper = -1;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* No line editing, no signals, no translation: bytes as they are. */
static void make_raw(int terminal) {
  struct termios settings;
  if (tcgetattr(terminal, &settings) != 0) fail("tcgetattr");
  settings.c_iflag = 0;
  settings.c_oflag = 0;
  settings.c_lflag = 0;
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  if (tcsetattr(terminal, TCSANOW, &settings) != 0) fail("tcsetattr");
}

static void plug_in(const char *link) {
  end = posix_openpt(O_RDWR | O_NOCTTY);
  if (end < 0 || grantpt(end) != 0 || unlockpt(end) != 0) fail("posix_openpt");
  const char *name = ptsname(end);
  if (name == NULL) fail("ptsname");
  keeper = open(name, O_RDWR | O_NOCTTY);
  if (keeper < 0) fail(name);
  make_raw(keeper);
  if (symlink(name, link) != 0) fail(link);
}

static void unplug(const char *link) {
  unlink(link);
  close(keeper);
  close(end);
  end = -1;
}

/* Carries what is there; false where the other side is gone. */
static bool carry(int from, int to) {
  unsigned char bytes[256];
  ssize_t length = read(from, bytes, sizeof bytes);
  if (length <= 0) return false;
  for (ssize_t done = 0; to >= 0 && done < length;) {
    ssize_t written = write(to, bytes + done, (size_t)(length - done));
    if (written <= 0) return false;
    done += written;
  }
  return true;
}

static void take_command(const char *link) {
  char line[16];
  if (fgets(line, sizeof line, stdin) == NULL) {
    if (end >= 0) unplug(link);
    exit(0);
  }
  if (strcmp(line, "out\n") == 0 && end >= 0) unplug(link);
  if (strcmp(line, "in\n") == 0 && end < 0) plug_in(link);
  fputs(line, stdout);
  fflush(stdout);
}

int main(int count, char **words) {
  if (count != 3) {
    fputs("usage: cable TERMINAL LINK\n", stderr);
    return 2;
  }
  int board = open(words[1], O_RDWR | O_NOCTTY);
  if (board < 0) fail(words[1]);
  make_raw(board);
  plug_in(words[2]);
  puts("in");
  fflush(stdout);
  for (;;) {
    struct pollfd waiting[] = {{STDIN_FILENO, POLLIN, 0}, {board, POLLIN, 0}, {end, POLLIN, 0}};
    if (poll(waiting, end < 0 ? 2 : 3, -1) < 0) fail("poll");
    if (waiting[1].revents != 0 && !carry(board, end)) return 0;
    if (end >= 0 && waiting[2].revents != 0) carry(end, board);
    /* Line by line from a pipe: what was read ahead would not wake poll. */
    if (waiting[0].revents != 0) take_command(words[2]);
  }
}
