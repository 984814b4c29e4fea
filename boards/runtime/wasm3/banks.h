// SPDX-License-Identifier: Apache-2.0
// Images that came over the link (docs/link.md, "Loading an image"): two banks of flash for each
// slot, in turns. host/simulator/imageStore.ts is the simulator's, and lays them out alike.
#ifndef FLORIN_BANKS_H
#define FLORIN_BANKS_H

#include "../management.h"
#include "instance.h"
#include "release.h"

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
