// SPDX-License-Identifier: Apache-2.0
// The link's names and limits (docs/link.md); host/link/protocol.ts has the same values.
#ifndef FLORIN_LINK_PROTOCOL_H
#define FLORIN_LINK_PROTOCOL_H

enum {
  LINK_VERSION = 1,
  HEADER_SIZE = 4,
  CHECKSUM_SIZE = 4,
  /* Most payload bytes of one frame: decoded frames stay within one COBS block of 254 bytes. */
  PAYLOAD_LIMIT = 244,
  SMALLEST_FRAME = HEADER_SIZE + CHECKSUM_SIZE,
  LARGEST_FRAME = HEADER_SIZE + PAYLOAD_LIMIT + CHECKSUM_SIZE,
  /* COBS adds one byte to a decoded frame of any size. */
  LARGEST_ENCODED = LARGEST_FRAME + 1,
  /* With the zero on each side. */
  LARGEST_ON_WIRE = LARGEST_ENCODED + 2,
  /* Most bytes of one message: a port byte, up to 8,448 of body, and room to spare. */
  MESSAGE_LIMIT = 8704,
  /* Messages of a module that wait to leave: the longest, and room for short ones beside it. */
  OUTBOX_SIZE = 12288,
  NONCE_SIZE = 8,
  HASH_SIZE = 32,
  NAME_LIMIT = 24,
};

/* What a frame is for; three bits of the control byte. */
enum frame_kind {
  FRAME_DATA = 0,
  FRAME_ACK = 1,
  FRAME_ERROR = 2,
  FRAME_KEEPALIVE = 3,
  FRAME_SYNC = 4,
  FRAME_CANCEL = 5,
};

enum channel_number {
  CHANNEL_LINK = 0,
  CHANNEL_BOARD = 1,
  CHANNEL_AGENT = 2,
  CHANNEL_MODULE = 3,
};

/* First payload byte of an ERROR frame. */
enum link_error {
  LINK_ERROR_NO_CHANNEL = 2,
  LINK_ERROR_TOO_LONG = 3,
  LINK_ERROR_RESTARTED = 4,
  LINK_ERROR_STOPPED = 5,
  LINK_ERROR_NOT_SYNCHRONISED = 6,
  LINK_ERROR_BAD_MESSAGE = 7,
};

/* Payload of KEEPALIVE: why the answer takes long. */
enum { KEEPALIVE_PROCESSING = 1, KEEPALIVE_INTERVAL_MS = 100 };

/* First wait for an acknowledgement; it doubles with each repetition up to the longest wait. */
enum { FIRST_RETRY_MS = 100, LONGEST_RETRY_MS = 1000 };

/* Transmissions of one frame before this end takes the link to be down. */
enum { TRANSMISSIONS_LIMIT = 8 };

#endif
