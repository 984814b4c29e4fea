// SPDX-License-Identifier: Apache-2.0
// The banks of loaded images, for the engine that has some (runtime/wasm3): files, read once and
// written through.
#include <string.h>

#include "board.h"
#include "emulator.h"
#include "link/protocol.h"
#include "semihosting.h"

enum { SLOTS = 2 };

struct bank {
  bool is_open;
  int32_t file;
  uint8_t bytes[FLASH_SIZE];
};

static struct bank banks[SLOTS][BANK_COUNT];

static void open_bank(struct bank *bank, uint8_t slot, uint8_t number) {
  char path[] = "module.bank0";
  strcpy(path, slot == CHANNEL_AGENT ? "agent.bank0" : "module.bank0");
  path[strlen(path) - 1] = (char)('0' + number);
  memset(bank->bytes, 0xff, sizeof bank->bytes);
  bank->file = semihosting_open(path, OPEN_UPDATE);
  if (bank->file < 0) {
    int32_t created = semihosting_open("bank.new", OPEN_CREATE);
    if (created < 0 || !semihosting_write(created, bank->bytes, sizeof bank->bytes)) {
      emulator_exit("the board cannot write to its directory\n");
    }
    semihosting_close(created);
    semihosting_rename("bank.new", path);
    bank->file = semihosting_open(path, OPEN_UPDATE);
  }
  if (bank->file < 0 || !semihosting_read(bank->file, bank->bytes, sizeof bank->bytes)) {
    emulator_exit("a bank's file is too short: the board's storage is damaged\n");
  }
  bank->is_open = true;
}

static struct bank *bank_of(uint8_t slot, uint8_t number) {
  struct bank *bank = &banks[slot - CHANNEL_AGENT][number];
  if (!bank->is_open) open_bank(bank, slot, number);
  return bank;
}

const uint8_t *board_bank(uint8_t slot, uint8_t number) { return bank_of(slot, number)->bytes; }

static bool store(const struct bank *bank, uint32_t offset, size_t length) {
  return semihosting_seek(bank->file, offset) &&
         semihosting_write(bank->file, bank->bytes + offset, length);
}

bool board_bank_write(uint8_t slot, uint8_t number, uint32_t offset, const uint8_t *bytes,
                      size_t length) {
  struct bank *bank = bank_of(slot, number);
  memcpy(bank->bytes + offset, bytes, length);
  return store(bank, offset, length);
}

bool board_bank_erase(uint8_t slot, uint8_t number, uint32_t page) {
  struct bank *bank = bank_of(slot, number);
  memset(bank->bytes + page * FLASH_PAGE_SIZE, 0xff, FLASH_PAGE_SIZE);
  return store(bank, page * FLASH_PAGE_SIZE, FLASH_PAGE_SIZE);
}
