// SPDX-License-Identifier: Apache-2.0
// Storage, randomness, time and secret of the emulated board, from files (emulator.h). What a call
// changed is in its file before the call returns: killing the emulator is cutting the power.
#include "emulator.h"

#include <string.h>

#include "../runtime/board.h"
#include "../runtime/link/protocol.h"
#include "../runtime/runtime.h"
#include "../runtime/sha256.h"
#include "semihosting.h"

/* The name of the board's folder, told by the build. */
const char board_name[] = BOARD_NAME;
const bool board_is_simulated = true;

enum { SLOTS = 2, SEED_LIMIT = 64, TEXT_SIZE = 24, PAGE_COUNT = FLASH_SIZE / FLASH_PAGE_SIZE };

/* One module's storage. */
struct slot {
  const char *flash_path;
  const char *counter_path;
  const char *wear_path;
  const char *version_path;
  int32_t flash_file;
  int32_t wear_file;
  int64_t counter;
  /* Erasures of each page, as in the file: 4 bytes each, little-endian like the processor. */
  uint32_t erasures[PAGE_COUNT];
  uint64_t written;
  /* The seeded stream: SHA-256(key | block number), as host/simulator/randomness.ts makes it. */
  uint8_t key[SHA256_SIZE];
  uint64_t next_block;
};

static struct slot slots[SLOTS] = {
    {.flash_path = "agent.flash",
     .counter_path = "agent.counter",
     .wear_path = "agent.wear",
     .version_path = "agent.version"},
    {.flash_path = "module.flash",
     .counter_path = "module.counter",
     .wear_path = "module.wear",
     .version_path = "module.version"},
};
static uint8_t secret[BOARD_SECRET_SIZE];
static bool is_seeded;
static int32_t random_file = -1;
static int64_t epoch_at_start_ms;
static bool is_clock_given;

static struct slot *slot_of(uint8_t channel) { return &slots[channel - CHANNEL_AGENT]; }

_Noreturn void emulator_exit(const char *reason) {
  semihosting_print(reason);
  semihosting_exit();
}

_Noreturn void board_fail(const char *reason) {
  semihosting_print("the board failed: ");
  semihosting_print(reason);
  emulator_exit("\n");
}

/* A decimal number in a file; `absent` where there is no such file. */
static int64_t read_number(const char *path, int64_t absent) {
  char text[TEXT_SIZE];
  int32_t file = semihosting_open(path, OPEN_READ);
  if (file < 0) return absent;
  size_t length = semihosting_read_some(file, text, sizeof text);
  semihosting_close(file);
  int64_t value = 0;
  size_t at = 0;
  while (at < length && at < 18 && text[at] >= '0' && text[at] <= '9') {
    value = value * 10 + (text[at] - '0');
    at += 1;
  }
  if (at == 0 || at >= length || text[at] != '\n') {
    emulator_exit("a file of the board does not hold a number: its storage is damaged\n");
  }
  return value;
}

/* Replaces the file at once: a killed emulator leaves the old number or the new one. */
static void write_number(const char *path, int64_t value) {
  char text[TEXT_SIZE];
  size_t at = sizeof text;
  text[--at] = '\n';
  do text[--at] = (char)('0' + value % 10);
  while ((value /= 10) > 0);
  int32_t file = semihosting_open("number.new", OPEN_CREATE);
  bool is_written = file >= 0 && semihosting_write(file, text + at, sizeof text - at);
  if (file >= 0) semihosting_close(file);
  if (!is_written || !semihosting_rename("number.new", path)) {
    emulator_exit("the board cannot write to its directory\n");
  }
}

static bool write_erased(int32_t file, uint32_t pages) {
  uint8_t erased[256];
  memset(erased, 0xff, sizeof erased);
  for (uint32_t done = 0; done < pages * FLASH_PAGE_SIZE; done += sizeof erased) {
    if (!semihosting_write(file, erased, sizeof erased)) return false;
  }
  return true;
}

static void open_window(struct slot *slot) {
  uint8_t last;
  slot->flash_file = semihosting_open(slot->flash_path, OPEN_UPDATE);
  if (slot->flash_file < 0) {
    int32_t file = semihosting_open("flash.new", OPEN_CREATE);
    if (file < 0 || !write_erased(file, FLASH_SIZE / FLASH_PAGE_SIZE)) {
      emulator_exit("the board cannot write to its directory\n");
    }
    semihosting_close(file);
    semihosting_rename("flash.new", slot->flash_path);
    slot->flash_file = semihosting_open(slot->flash_path, OPEN_UPDATE);
  }
  if (slot->flash_file < 0) emulator_exit("the board cannot open its flash files\n");
  if (!semihosting_seek(slot->flash_file, FLASH_SIZE - 1) ||
      !semihosting_read(slot->flash_file, &last, 1)) {
    emulator_exit("a flash file is too short: the board's storage is damaged\n");
  }
}

static void open_wear(struct slot *slot) {
  slot->wear_file = semihosting_open(slot->wear_path, OPEN_UPDATE);
  if (slot->wear_file >= 0) {
    if (semihosting_read(slot->wear_file, slot->erasures, sizeof slot->erasures)) return;
    emulator_exit("a file of erasures is too short: the board's storage is damaged\n");
  }
  int32_t file = semihosting_open("wear.new", OPEN_CREATE);
  if (file < 0 || !semihosting_write(file, slot->erasures, sizeof slot->erasures)) {
    emulator_exit("the board cannot write to its directory\n");
  }
  semihosting_close(file);
  semihosting_rename("wear.new", slot->wear_path);
  slot->wear_file = semihosting_open(slot->wear_path, OPEN_UPDATE);
  if (slot->wear_file < 0) emulator_exit("the board cannot open its file of erasures\n");
}

static void seed_slot(uint8_t channel, const uint8_t *seed, size_t length) {
  char label[] = "module 0";
  uint8_t digest[SHA256_SIZE];
  struct sha256 hash;
  label[sizeof label - 2] = (char)('0' + channel);
  sha256_begin(&hash);
  sha256_update(&hash, (const uint8_t *)label, sizeof label - 1);
  sha256_end(&hash, digest);
  sha256_begin(&hash);
  sha256_update(&hash, digest, sizeof digest);
  sha256_update(&hash, seed, length);
  sha256_end(&hash, slot_of(channel)->key);
  /* Each time the board is on has its own part of the stream: no bytes come twice. */
  slot_of(channel)->next_block = (uint64_t)board_number_read(NUMBER_BOOTS, 0, 0) << 32;
}

static void start_randomness(void) {
  int32_t file = semihosting_open("seed", OPEN_READ);
  is_seeded = file >= 0;
  if (is_seeded) {
    uint8_t seed[SEED_LIMIT];
    size_t length = semihosting_read_some(file, seed, sizeof seed);
    semihosting_close(file);
    seed_slot(CHANNEL_AGENT, seed, length);
    seed_slot(CHANNEL_MODULE, seed, length);
    return;
  }
  random_file = semihosting_open("/dev/urandom", OPEN_READ);
  if (random_file < 0) emulator_exit("the host gives the board no randomness\n");
}

void emulator_start(void) {
  int32_t file = semihosting_open("secret", OPEN_READ);
  if (file < 0 || !semihosting_read(file, secret, sizeof secret)) {
    emulator_exit("the directory holds no file \"secret\" of 32 bytes for the board\n");
  }
  semihosting_close(file);
  for (int index = 0; index < SLOTS; index += 1) {
    open_window(&slots[index]);
    open_wear(&slots[index]);
    slots[index].counter = read_number(slots[index].counter_path, 0);
  }
  start_randomness();
  is_clock_given = read_number("clock", -1) >= 0;
  epoch_at_start_ms = (int64_t)semihosting_time() * 1000 - (int64_t)board_now_ms();
}

int64_t board_epoch_ms(void) {
  if (is_clock_given) return read_number("clock", -1);
  return epoch_at_start_ms + (int64_t)board_now_ms();
}

bool board_random(uint8_t slot_channel, uint8_t *output, size_t length) {
  if (!is_seeded) return semihosting_read(random_file, output, length);
  struct slot *slot = slot_of(slot_channel);
  for (size_t done = 0; done < length;) {
    uint8_t number[8];
    uint8_t digest[SHA256_SIZE];
    struct sha256 hash;
    for (int index = 0; index < 8; index += 1) {
      number[index] = (uint8_t)(slot->next_block >> 8 * index);
    }
    slot->next_block += 1;
    sha256_begin(&hash);
    sha256_update(&hash, slot->key, sizeof slot->key);
    sha256_update(&hash, number, sizeof number);
    sha256_end(&hash, digest);
    size_t part = length - done < sizeof digest ? length - done : sizeof digest;
    memcpy(output + done, digest, part);
    done += part;
  }
  return true;
}

/* Puts the file at a place of the window. */
static int32_t seek(uint8_t slot, uint32_t offset) {
  int32_t file = slot_of(slot)->flash_file;
  if (!semihosting_seek(file, offset)) emulator_exit("a flash file cannot be read\n");
  return file;
}

void board_flash_read(uint8_t slot, uint32_t offset, uint8_t *output, size_t length) {
  if (length == 0) return;
  if (!semihosting_read(seek(slot, offset), output, length)) {
    emulator_exit("a flash file cannot be read\n");
  }
}

bool board_flash_write(uint8_t slot, uint32_t offset, const uint8_t *bytes, size_t length) {
  slot_of(slot)->written += length;
  return length == 0 || semihosting_write(seek(slot, offset), bytes, length);
}

uint64_t emulator_flash_written(uint8_t channel) { return slot_of(channel)->written; }

bool board_flash_erase(uint8_t slot, uint32_t page) {
  return write_erased(seek(slot, page * FLASH_PAGE_SIZE), 1);
}

int64_t board_counter_read(uint8_t slot) { return slot_of(slot)->counter; }

int64_t board_counter_raise(uint8_t slot) {
  struct slot *raised = slot_of(slot);
  if (raised->counter == UINT32_MAX) return -1;
  write_number(raised->counter_path, raised->counter + 1);
  raised->counter += 1;
  return raised->counter;
}

/* Where a number other than erasures is kept. */
static const char *path_of(enum number number, uint8_t slot) {
  return number == NUMBER_BOOTS ? "boots" : slot_of(slot)->version_path;
}

uint32_t board_number_read(enum number number, uint8_t slot, uint32_t page) {
  if (number == NUMBER_ERASURES) return slot_of(slot)->erasures[page];
  return (uint32_t)read_number(path_of(number, slot), 0);
}

bool board_number_write(enum number number, uint8_t slot, uint32_t page, uint32_t value) {
  if (number != NUMBER_ERASURES) {
    write_number(path_of(number, slot), value);
    return true;
  }
  struct slot *worn = slot_of(slot);
  worn->erasures[page] = value;
  return semihosting_seek(worn->wear_file, page * sizeof value) &&
         semihosting_write(worn->wear_file, &value, sizeof value);
}

void board_secret(uint8_t copy[BOARD_SECRET_SIZE]) { memcpy(copy, secret, sizeof secret); }
