// SPDX-License-Identifier: Apache-2.0
// The board's own channel (docs/link.md, "Channel 1"): it answers whatever state the images are in.
#ifndef FLORIN_MANAGEMENT_H
#define FLORIN_MANAGEMENT_H

#include "link/protocol.h"
#include "module.h"

/* The longest request and answer. */
enum { MANAGEMENT_REQUEST_LIMIT = 2, MODULE_STATUS_SIZE = 14, MANAGEMENT_ANSWER_LIMIT = 30 };

/* First byte of a request, repeated in its answer. */
enum management_request { MANAGEMENT_STATUS = 1, MANAGEMENT_RESTART = 2 };

/* Writes the states of `count` modules as the answer to STATUS and returns its length. */
size_t management_status(const struct module *modules, uint8_t count,
                         uint8_t answer[MANAGEMENT_ANSWER_LIMIT]);

#endif
