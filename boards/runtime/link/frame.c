// SPDX-License-Identifier: Apache-2.0
// Frames written and found (docs/link.md, "Frames").
#include "frame.h"

#include <string.h>

#include "bytes.h"
#include "cobs.h"
#include "crc32.h"

enum { FIRST_BIT = 0x04, LAST_BIT = 0x02, SEQUENCE_BIT = 0x01, LARGEST_KIND = FRAME_CANCEL };

size_t frame_encode(const struct frame *frame, uint8_t wire[LARGEST_ON_WIRE]) {
  uint8_t plain[LARGEST_FRAME];
  size_t checksum_at = HEADER_SIZE + frame->length;
  plain[0] = (uint8_t)(LINK_VERSION << 6 | frame->kind << 3 | (frame->is_first ? FIRST_BIT : 0) |
                       (frame->is_last ? LAST_BIT : 0) | frame->sequence);
  plain[1] = frame->channel;
  put_uint16(plain + 2, frame->id);
  if (frame->length > 0) memcpy(plain + HEADER_SIZE, frame->payload, frame->length);
  put_uint32(plain + checksum_at, crc32(plain, checksum_at));
  /* The zero in front ends whatever noise or boot text stands before the frame. */
  wire[0] = 0;
  size_t length = cobs_encode(plain, checksum_at + CHECKSUM_SIZE, wire + 1);
  wire[length + 1] = 0;
  return length + 2;
}

static bool frame_decode(struct frame_reader *reader, struct frame *frame,
                         struct link_statistics *statistics) {
  uint8_t *plain = reader->pending;
  int length = cobs_decode(reader->pending, reader->length, plain);
  if (length < 0) {
    statistics->dropped_cobs += 1;
    return false;
  }
  if (length < SMALLEST_FRAME || length > LARGEST_FRAME) {
    statistics->dropped_length += 1;
    return false;
  }
  size_t checksum_at = (size_t)length - CHECKSUM_SIZE;
  if (get_uint32(plain + checksum_at) != crc32(plain, checksum_at)) {
    statistics->dropped_checksum += 1;
    return false;
  }
  uint8_t control = plain[0];
  uint8_t kind = control >> 3 & 7;
  if (control >> 6 != LINK_VERSION || kind > LARGEST_KIND) {
    statistics->dropped_unexpected += 1;
    return false;
  }
  *frame = (struct frame){
      .kind = (enum frame_kind)kind,
      .is_first = (control & FIRST_BIT) != 0,
      .is_last = (control & LAST_BIT) != 0,
      .sequence = control & SEQUENCE_BIT,
      .channel = plain[1],
      .id = get_uint16(plain + 2),
      .payload = plain + HEADER_SIZE,
      .length = checksum_at - HEADER_SIZE,
  };
  return true;
}

bool frame_take_byte(struct frame_reader *reader, uint8_t byte, struct frame *frame,
                     struct link_statistics *statistics) {
  bool is_frame = false;
  statistics->bytes_received += 1;
  if (byte != 0) {
    if (reader->length == LARGEST_ENCODED) reader->is_skipping = true;
    else reader->pending[reader->length++] = byte;
    return false;
  }
  if (reader->is_skipping) statistics->dropped_length += 1;
  else if (reader->length > 0) is_frame = frame_decode(reader, frame, statistics);
  reader->length = 0;
  reader->is_skipping = false;
  return is_frame;
}
