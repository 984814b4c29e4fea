// SPDX-License-Identifier: Apache-2.0
// Images that came over the link (docs/link.md, "Loading an image"): two banks of flash for each
// slot, in turns. host/simulator/imageStore.ts is the simulator's, and lays them out alike.
#ifndef FLORIN_BANKS_H
#define FLORIN_BANKS_H

#include "../management.h"
#include "instance.h"
#include "release.h"

/* Of each slot; a bank has FLASH_SIZE bytes, with pages and words as the flash windows have them. */
enum { BANK_COUNT = 2 };

/* What the board supplies beside board.h. The bank's bytes, mapped where the processor reads them. */
const uint8_t *board_bank(uint8_t slot, uint8_t bank);
/* Programs erased words. */
bool board_bank_write(uint8_t slot, uint8_t bank, uint32_t offset, const uint8_t *bytes,
                      size_t length);
bool board_bank_erase(uint8_t slot, uint8_t bank, uint32_t page);

/* One slot's images. */
struct banks {
  struct image *image;
  struct instance *instance;
  /* The bank that runs, or -1 for the image of the board's program. */
  int active;
  /* The update under way: its statement, 0 bytes for none, and how much of the image is there. */
  uint8_t statement[PAYLOAD_LIMIT];
  size_t statement_length;
  struct release release;
  uint32_t done;
  /* The image runs already: nothing is to be written. */
  bool is_there;
};

/* At the start: takes the newest image that is whole and signed. */
void banks_choose(struct banks *banks);

enum update_status banks_update(struct banks *banks, const struct module *module,
                                const struct update_request *request, uint32_t *done);

#endif
