// SPDX-License-Identifier: Apache-2.0
// One frame of the link, `00 COBS( control channel id payload crc32 ) 00` (docs/link.md), and the
// reader that finds frames in a stream of bytes that may hold anything else.
#ifndef FLORIN_LINK_FRAME_H
#define FLORIN_LINK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* A frame to send, or one whose checksum was found good. */
struct frame {
  enum frame_kind kind;
  /* First and last frame of a message. */
  bool is_first;
  bool is_last;
  /* Alternating bit of the channel and direction: 0 or 1. */
  uint8_t sequence;
  uint8_t channel;
  /* The host's request id; 0 where the board speaks unasked. */
  uint16_t id;
  const uint8_t *payload;
  size_t length;
};

/* What one end of the link has seen. */
struct link_statistics {
  uint32_t bytes_received;
  uint32_t bytes_sent;
  uint32_t retransmissions;
  uint32_t duplicates;
  uint32_t dropped_length;
  uint32_t dropped_cobs;
  uint32_t dropped_checksum;
  uint32_t dropped_unexpected;
  /* Messages that found no room to wait in. */
  uint32_t lost_messages;
};

/* The part of a stream that was read and is not yet a frame. */
struct frame_reader {
  uint8_t pending[LARGEST_ENCODED];
  size_t length;
  /* The frame is longer than any can be: skip to the next zero. */
  bool is_skipping;
};

/* Writes the frame as it goes on the wire and returns its length; the payload fits a frame. */
size_t frame_encode(const struct frame *frame, uint8_t wire[LARGEST_ON_WIRE]);

/*
 * Takes one byte. True if it ended a good frame, which refers to the reader's bytes until the next
 * call; anything else is counted and dropped.
 */
bool frame_take_byte(struct frame_reader *reader, uint8_t byte, struct frame *frame,
                     struct link_statistics *statistics);

#endif
