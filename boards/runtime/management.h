// SPDX-License-Identifier: Apache-2.0
// The board's own channel (docs/link.md, "Channel 1"): it answers whatever state the images are in.
#ifndef FLORIN_MANAGEMENT_H
#define FLORIN_MANAGEMENT_H

#include "identity.h"
#include "link/protocol.h"
#include "module.h"

/* The longest answer is the signed one. */
enum { MANAGEMENT_ANSWER_LIMIT = 1 + IDENTITY_LIMIT };

/* First byte of a request, repeated in its answer. */
enum management_request {
  MANAGEMENT_STATUS = 1,
  MANAGEMENT_RESTART = 2,
  MANAGEMENT_IDENTITY = 3,
  MANAGEMENT_WEAR = 4,
  MANAGEMENT_BEGIN = 5,
  MANAGEMENT_DATA = 6,
  MANAGEMENT_END = 7,
};

/* BEGIN, DATA or END, taken apart. */
struct update_request {
  enum management_request kind;
  uint8_t channel;
  /* Of DATA. */
  uint32_t offset;
  /* The statement of BEGIN, the image's bytes of DATA. */
  const uint8_t *bytes;
  size_t length;
};

/* Writes the states of `count` modules as the answer to STATUS and returns its length. */
size_t management_status(const struct module *modules, uint8_t count,
                         uint8_t answer[MANAGEMENT_ANSWER_LIMIT]);

/* Writes how often the modules' flash was erased as the answer to WEAR and returns its length. */
size_t management_wear(const struct module *modules, uint8_t count,
                       uint8_t answer[MANAGEMENT_ANSWER_LIMIT]);

/* True if the body is BEGIN, DATA or END in its form; the request points into the body. */
bool management_read_update(const uint8_t *body, size_t length, struct update_request *request);

/* Hands the request to the module's image, writes the answer and returns its length. */
size_t management_update(struct module *module, const struct update_request *request,
                         uint8_t answer[MANAGEMENT_ANSWER_LIMIT]);

#endif
