// SPDX-License-Identifier: Apache-2.0
// One module of the board, an agent or a money module, through all the instances of its image that
// run one after the other (host/simulator/simulatedModule.ts is the simulator's).
#ifndef FLORIN_MODULE_H
#define FLORIN_MODULE_H

#include "image.h"

/* First byte of each message on a module's channel (assembly/board.ts, Port). */
enum { LARGEST_PORT = 2 };

struct module {
  const struct image *image;
  /* Starts since the board was switched on, and failures of the image. */
  uint32_t starts;
  uint32_t failures;
  /* Source position of the last failed assertion; zeros for none, or after a trap. */
  uint16_t failed_line;
  uint16_t failed_column;
  /* The same of an assertion that fails in the present call. */
  uint16_t panic_line;
  uint16_t panic_column;
  bool is_stopped;
  /* A newer version of the image ran here: this one is not started. */
  bool is_outdated;
  /* When the image wants a tick; UINT64_MAX for never. */
  uint64_t deadline_ms;
};

/* What became of an event. */
enum module_outcome {
  MODULE_DONE,
  /* The image failed and was started anew from its flash. */
  MODULE_RESTARTED,
  /* The image failed, and fails at each start. */
  MODULE_STOPPED,
};

/* Holds the image's version against the storage's floor, and raises the floor to it. */
void module_check_version(struct module *module);

/* Starts the image from its flash; false if it fails at each start, or may not be started. */
bool module_start(struct module *module);

/* True if a message of this length, its port byte counted, fits the image's inbox. */
bool module_takes(struct module *module, size_t length);

/*
 * Hands over a message, its port in the first byte. `failed` is called between the failure and the
 * new start, which may send: so the host hears of them in that order.
 */
enum module_outcome module_receive(struct module *module, const uint8_t *message, size_t length,
                                   void (*failed)(struct module *module));

enum module_outcome module_tick(struct module *module, void (*failed)(struct module *module));

#endif
