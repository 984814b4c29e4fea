// SPDX-License-Identifier: Apache-2.0
// The board's end of the link (docs/link.md). It does what it is told within each call, writes
// whole frames, and never waits; host/link/boardEnd.ts is the same machine for the simulator.
#ifndef FLORIN_LINK_LINK_H
#define FLORIN_LINK_LINK_H

#include "channel.h"
#include "sync.h"

/* The board's own channel and those of its modules. */
enum { CHANNELS_LIMIT = 1 + MODULES_LIMIT };

struct link {
  struct board_information information;
  /* Nonce of the SYNC that opened the link, while it is synchronised. */
  bool is_synchronised;
  uint8_t nonce[NONCE_SIZE];
  struct frame_reader reader;
  uint8_t channel_count;
  struct channel channels[CHANNELS_LIMIT];
  struct link_statistics statistics;
  /* Writes one frame to the line. */
  void (*write)(const uint8_t *bytes, size_t length);
  /* Takes a request for a module or, on CHANNEL_BOARD, for the board; it may call link_send. */
  void (*request)(uint8_t channel, uint16_t id, const uint8_t *body, size_t length);
};

/* Adds a channel with the memory for its messages to and from the host. */
void link_add_channel(struct link *link, uint8_t number, uint8_t *outbox, size_t outbox_size,
                      uint8_t *joined, size_t joined_size);

/* Tells a host that waits that the board was switched on. */
void link_start(struct link *link);

/* Takes one byte from the line. */
void link_receive(struct link *link, uint8_t byte, uint64_t now_ms);

/* Queues a message, `head` and then `body`, under request `id`, 0 for none. */
void link_send(struct link *link, uint8_t channel, uint16_t id, struct bytes head,
               struct bytes body, uint64_t now_ms);

/* Queues an ERROR in the place of an answer. */
void link_fail(struct link *link, uint8_t channel, uint16_t id, enum link_error code,
               uint64_t now_ms);

/*
 * Makes a KEEPALIVE frame and returns its length, 0 while the link is not synchronised. It changes
 * nothing, so that an interrupt may call it while a module is at work.
 */
size_t link_keepalive(const struct link *link, uint8_t channel, uint16_t id,
                      uint8_t wire[LARGEST_ON_WIRE]);

/* Repeats what was not acknowledged in time. */
void link_tick(struct link *link, uint64_t now_ms);

/* When link_tick is wanted; UINT64_MAX for never. */
uint64_t link_deadline_ms(const struct link *link);

#endif
