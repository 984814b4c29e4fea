// SPDX-License-Identifier: Apache-2.0
// The C implementation of the board's end of the link as a program, for tests: each line of input
// is one event (`start MS`, `bytes MS HEX`, `send MS CHANNEL ID HEX`, `time MS`); it prints what
// the board does (`write HEX`, `request CHANNEL ID HEX`) and `done DEADLINE` after each.
//
//   linkEnd SIMULATED BOOTS MESSAGE_LIMIT NAME { CHANNEL STARTS VERSION IMAGE HASH }
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link.h"

enum { LINE_SIZE = 65536 };

static uint8_t outboxes[CHANNELS_LIMIT][OUTBOX_SIZE];
static uint8_t joined[CHANNELS_LIMIT][MESSAGE_LIMIT];
static uint8_t hashes[MODULES_LIMIT][HASH_SIZE];
static uint8_t input[LINE_SIZE];
static struct link board;

static void print_hex(const uint8_t *bytes, size_t length) {
  for (size_t index = 0; index < length; index += 1) printf("%02x", bytes[index]);
  printf("\n");
}

static size_t read_hex(const char *text, uint8_t *bytes) {
  unsigned value;
  size_t length = 0;
  for (; sscanf(text, "%2x", &value) == 1; text += 2) bytes[length++] = (uint8_t)value;
  return length;
}

static void print_write(const uint8_t *bytes, size_t length) {
  printf("write ");
  print_hex(bytes, length);
}

static void print_request(uint8_t channel, uint16_t id, const uint8_t *body, size_t length) {
  printf("request %u %u ", channel, id);
  print_hex(body, length);
}

static void take_event(const char *line) {
  char name[8];
  unsigned long at_ms;
  unsigned channel;
  unsigned id;
  int rest = 0;
  if (sscanf(line, "%7s %lu %n", name, &at_ms, &rest) < 2) exit(2);
  const char *arguments = line + rest;
  if (strcmp(name, "start") == 0) link_start(&board);
  else if (strcmp(name, "time") == 0) link_tick(&board, at_ms);
  else if (strcmp(name, "bytes") == 0) {
    size_t length = read_hex(arguments, input);
    for (size_t index = 0; index < length; index += 1) link_receive(&board, input[index], at_ms);
  } else if (strcmp(name, "send") == 0) {
    if (sscanf(arguments, "%u %u %n", &channel, &id, &rest) < 2) exit(2);
    size_t length = read_hex(arguments + rest, input);
    struct bytes head = {input, length / 2};
    struct bytes body = {input + length / 2, length - length / 2};
    link_send(&board, (uint8_t)channel, (uint16_t)id, head, body, at_ms);
  } else exit(2);
}

int main(int count, char **values) {
  static char line[2 * LINE_SIZE];
  board.information.is_simulated = atoi(values[1]) != 0;
  board.information.boot_counter = (uint32_t)atol(values[2]);
  board.information.message_limit = (uint16_t)atoi(values[3]);
  board.information.board_name = values[4];
  board.write = print_write;
  board.request = print_request;
  size_t limit = board.information.message_limit;
  link_add_channel(&board, CHANNEL_BOARD, outboxes[0], OUTBOX_SIZE, joined[0], limit);
  for (int at = 5; at + 4 < count; at += 5) {
    uint8_t index = board.information.module_count++;
    read_hex(values[at + 4], hashes[index]);
    board.information.modules[index] = (struct module_information){
        .channel = (uint8_t)atoi(values[at]),
        .starts = (uint32_t)atol(values[at + 1]),
        .image_version = (uint32_t)atol(values[at + 2]),
        .image_hash = hashes[index],
        .image_name = values[at + 3],
    };
    uint8_t number = board.information.modules[index].channel;
    link_add_channel(&board, number, outboxes[index + 1], OUTBOX_SIZE, joined[index + 1], limit);
  }
  while (fgets(line, sizeof line, stdin) != NULL) {
    take_event(line);
    uint64_t deadline_ms = link_deadline_ms(&board);
    printf("done %lld\n", deadline_ms == UINT64_MAX ? -1LL : (long long)deadline_ms);
    fflush(stdout);
  }
  return 0;
}
