// SPDX-License-Identifier: Apache-2.0
// The board's program: it joins the link, the images and what the board supplies (board.h). One
// event at a time, each to its end; only KEEPALIVE comes from an interrupt.
#ifndef FLORIN_RUNTIME_H
#define FLORIN_RUNTIME_H

#include "image.h"
#include "link/protocol.h"

/* Memory for one module's messages to and from the host. */
struct module_buffers {
  uint8_t outbox[OUTBOX_SIZE];
  uint8_t joined[MESSAGE_LIMIT];
};

/* The images of this board, one or two, with their buffers; the build writes these. */
extern const struct image *const installed_images[];
extern struct module_buffers installed_buffers[];
extern const uint8_t installed_image_count;

/* Starts the images and the link, and serves them for ever. */
_Noreturn void runtime_run(void);

/* A module's message for `port`: it leaves under the request that is being handled. */
void runtime_send(struct module *module, uint8_t port, const uint8_t *body, size_t length);

/* Tells the host that the board is at work, where it is; the board calls it each millisecond. */
void runtime_millisecond(void);

#endif
