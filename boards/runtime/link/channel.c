// SPDX-License-Identifier: Apache-2.0
// Alternating bit, fragments and repetitions of one channel (docs/link.md, "Channels").
#include "channel.h"

#include <string.h>

#include "bytes.h"

static uint16_t message_id(const uint8_t *message) { return get_uint16(message + 1); }

static size_t message_size(const uint8_t *message) {
  return OUTBOX_HEADER + (size_t)get_uint16(message + 3);
}

bool channel_has_room_to_answer(const struct channel *channel) {
  return 4 * channel->outbox_used <= channel->outbox_size;
}

bool channel_enqueue(struct channel *channel, enum frame_kind kind, uint16_t id, struct bytes head,
                     struct bytes body) {
  size_t length = head.length + body.length;
  if (length > MESSAGE_LIMIT) return false;
  if (OUTBOX_HEADER + length > channel->outbox_size - channel->outbox_used) return false;
  uint8_t *message = channel->outbox + channel->outbox_used;
  message[0] = (uint8_t)kind;
  put_uint16(message + 1, id);
  put_uint16(message + 3, (uint16_t)length);
  message += OUTBOX_HEADER;
  if (head.length > 0) memcpy(message, head.at, head.length);
  if (body.length > 0) memcpy(message + head.length, body.at, body.length);
  channel->outbox_used += OUTBOX_HEADER + length;
  return true;
}

bool channel_send_next(struct channel *channel, uint64_t now_ms) {
  if (channel->frame_length > 0 || channel->outbox_used == 0) return false;
  const uint8_t *message = channel->outbox;
  size_t rest = message_size(message) - OUTBOX_HEADER - channel->acknowledged;
  size_t length = rest < PAYLOAD_LIMIT ? rest : PAYLOAD_LIMIT;
  struct frame frame = {
      .kind = (enum frame_kind)message[0],
      .is_first = channel->acknowledged == 0,
      .is_last = length == rest,
      .sequence = channel->send_sequence,
      .channel = channel->number,
      .id = message_id(message),
      .payload = message + OUTBOX_HEADER + channel->acknowledged,
      .length = length,
  };
  channel->frame_payload = length;
  channel->frame_length = frame_encode(&frame, channel->frame);
  channel->transmissions = 1;
  channel->retry_ms = FIRST_RETRY_MS;
  channel->deadline_ms = now_ms + channel->retry_ms;
  return true;
}

enum repeated channel_repeat(struct channel *channel, uint64_t now_ms) {
  if (channel->frame_length == 0 || now_ms < channel->deadline_ms) return REPEAT_NOTHING;
  if (channel->transmissions == TRANSMISSIONS_LIMIT) return REPEAT_DOWN;
  channel->transmissions += 1;
  channel->retry_ms *= 2;
  if (channel->retry_ms > LONGEST_RETRY_MS) channel->retry_ms = LONGEST_RETRY_MS;
  channel->deadline_ms = now_ms + channel->retry_ms;
  return REPEAT_FRAME;
}

void channel_allow_more_time(struct channel *channel, uint64_t now_ms) {
  if (channel->frame_length == 0) return;
  channel->transmissions = 1;
  channel->deadline_ms = now_ms + channel->retry_ms;
}

/* Removes `size` bytes at `at` of the outbox. */
static void outbox_remove(struct channel *channel, size_t at, size_t size) {
  uint8_t *from = channel->outbox + at;
  channel->outbox_used -= size;
  memmove(from, from + size, channel->outbox_used - at);
}

bool channel_take_acknowledgement(struct channel *channel, const struct frame *frame) {
  if (channel->frame_length == 0) return false;
  if (frame->sequence != channel->send_sequence) return false;
  if (frame->id != message_id(channel->outbox)) return false;
  channel->acknowledged += channel->frame_payload;
  channel->frame_length = 0;
  channel->send_sequence ^= 1;
  size_t size = message_size(channel->outbox);
  if (channel->acknowledged == size - OUTBOX_HEADER) {
    outbox_remove(channel, 0, size);
    channel->acknowledged = 0;
  }
  return true;
}

enum taken channel_take_frame(struct channel *channel, const struct frame *frame) {
  if (frame->sequence != channel->receive_sequence) return TAKEN_DUPLICATE;
  channel->receive_sequence ^= 1;
  if (frame->is_first) {
    channel->is_joining = true;
    channel->joined_kind = frame->kind;
    channel->joined_id = frame->id;
    channel->joined_length = 0;
  }
  /* A later part of a message whose beginning was given up: acknowledged, so that the sender can
   * go on to its next message, and otherwise ignored. */
  if (!channel->is_joining || channel->joined_id != frame->id ||
      channel->joined_kind != frame->kind) {
    channel->is_joining = false;
    return TAKEN;
  }
  if (frame->length > channel->joined_limit - channel->joined_length) {
    channel->is_joining = false;
    return TAKEN_TOO_LONG;
  }
  memcpy(channel->joined + channel->joined_length, frame->payload, frame->length);
  channel->joined_length += frame->length;
  if (!frame->is_last) return TAKEN;
  channel->is_joining = false;
  return TAKEN_MESSAGE;
}

void channel_restart(struct channel *channel) {
  bool has_begun = channel->frame_length > 0 || channel->acknowledged > 0;
  for (size_t at = 0; at < channel->outbox_used;) {
    const uint8_t *message = channel->outbox + at;
    size_t size = message_size(message);
    bool is_kept = message_id(message) == 0 && !has_begun;
    has_begun = false;
    if (is_kept) at += size;
    else outbox_remove(channel, at, size);
  }
  channel->acknowledged = 0;
  channel->frame_length = 0;
  channel->send_sequence = 0;
  channel->is_joining = false;
  channel->receive_sequence = 0;
}
