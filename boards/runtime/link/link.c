// SPDX-License-Identifier: Apache-2.0
// What the board's end does with each frame and with time (docs/link.md).
#include "link.h"

#include <string.h>

static void write_frame(struct link *link, const uint8_t *bytes, size_t length) {
  link->statistics.bytes_sent += (uint32_t)length;
  link->write(bytes, length);
}

/* A frame of channel 0: it stands alone and is not sequenced. */
static void write_link(struct link *link, enum frame_kind kind, uint16_t id,
                       const uint8_t *payload, size_t length) {
  uint8_t wire[LARGEST_ON_WIRE];
  struct frame frame = {.kind = kind, .is_first = true, .is_last = true, .channel = CHANNEL_LINK,
                        .id = id, .payload = payload, .length = length};
  write_frame(link, wire, frame_encode(&frame, wire));
}

static void write_sync(struct link *link, const uint8_t nonce[NONCE_SIZE]) {
  uint8_t payload[PAYLOAD_LIMIT];
  size_t length = sync_encode_answer(nonce, &link->information, payload);
  write_link(link, FRAME_SYNC, 0, payload, length);
}

static void send_all(struct link *link, uint64_t now_ms) {
  if (!link->is_synchronised) return;
  for (uint8_t index = 0; index < link->channel_count; index += 1) {
    struct channel *channel = &link->channels[index];
    if (!channel_send_next(channel, now_ms)) continue;
    write_frame(link, channel->frame, channel->frame_length);
  }
}

static struct channel *find_channel(struct link *link, uint8_t number) {
  for (uint8_t index = 0; index < link->channel_count; index += 1) {
    if (link->channels[index].number == number) return &link->channels[index];
  }
  return NULL;
}

static void restart_channels(struct link *link) {
  for (uint8_t index = 0; index < link->channel_count; index += 1) {
    channel_restart(&link->channels[index]);
  }
}

void link_add_channel(struct link *link, uint8_t number, uint8_t *outbox, size_t outbox_size,
                      uint8_t *joined, size_t joined_size) {
  link->channels[link->channel_count++] = (struct channel){
      .number = number,
      .outbox = outbox,
      .outbox_size = outbox_size,
      .joined = joined,
      .joined_limit = joined_size,
  };
}

void link_start(struct link *link) {
  static const uint8_t no_nonce[NONCE_SIZE];
  write_sync(link, no_nonce);
}

static void enqueue(struct link *link, uint8_t number, enum frame_kind kind, uint16_t id,
                    struct bytes head, struct bytes body) {
  struct channel *channel = find_channel(link, number);
  if (channel == NULL || !channel_enqueue(channel, kind, id, head, body)) {
    link->statistics.lost_messages += 1;
  }
}

static void enqueue_error(struct link *link, uint8_t channel, uint16_t id, enum link_error code) {
  uint8_t byte = (uint8_t)code;
  enqueue(link, channel, FRAME_ERROR, id, (struct bytes){&byte, 1}, (struct bytes){NULL, 0});
}

void link_send(struct link *link, uint8_t channel, uint16_t id, struct bytes head,
               struct bytes body, uint64_t now_ms) {
  enqueue(link, channel, FRAME_DATA, id, head, body);
  send_all(link, now_ms);
}

void link_fail(struct link *link, uint8_t channel, uint16_t id, enum link_error code,
               uint64_t now_ms) {
  enqueue_error(link, channel, id, code);
  send_all(link, now_ms);
}

size_t link_keepalive(const struct link *link, uint8_t channel, uint16_t id,
                      uint8_t wire[LARGEST_ON_WIRE]) {
  static const uint8_t reason = KEEPALIVE_PROCESSING;
  if (!link->is_synchronised) return 0;
  struct frame frame = {.kind = FRAME_KEEPALIVE, .is_first = true, .is_last = true,
                        .channel = channel, .id = id, .payload = &reason, .length = 1};
  return frame_encode(&frame, wire);
}

void link_tick(struct link *link, uint64_t now_ms) {
  for (uint8_t index = 0; index < link->channel_count; index += 1) {
    struct channel *channel = &link->channels[index];
    enum repeated repeated = channel_repeat(channel, now_ms);
    if (repeated == REPEAT_DOWN) {
      /* Nobody listens: wait for the next SYNC. A host that does listen learns of the loss now. */
      link->is_synchronised = false;
      restart_channels(link);
      link_start(link);
      return;
    }
    if (repeated == REPEAT_NOTHING) continue;
    link->statistics.retransmissions += 1;
    write_frame(link, channel->frame, channel->frame_length);
  }
  send_all(link, now_ms);
}

uint64_t link_deadline_ms(const struct link *link) {
  uint64_t earliest_ms = UINT64_MAX;
  for (uint8_t index = 0; index < link->channel_count; index += 1) {
    const struct channel *channel = &link->channels[index];
    if (channel->frame_length > 0 && channel->deadline_ms < earliest_ms) {
      earliest_ms = channel->deadline_ms;
    }
  }
  return earliest_ms;
}

static void take_sync(struct link *link, const struct frame *frame) {
  if (frame->kind != FRAME_SYNC || !sync_is_request(frame->payload, frame->length)) {
    link->statistics.dropped_unexpected += 1;
    return;
  }
  /* A repeated SYNC is answered again but changes nothing: the host may be sending already. */
  if (!link->is_synchronised || memcmp(link->nonce, frame->payload, NONCE_SIZE) != 0) {
    memcpy(link->nonce, frame->payload, NONCE_SIZE);
    link->is_synchronised = true;
    restart_channels(link);
  }
  write_sync(link, link->nonce);
}

static void acknowledge(struct link *link, const struct frame *frame) {
  uint8_t wire[LARGEST_ON_WIRE];
  struct frame answer = {.kind = FRAME_ACK, .sequence = frame->sequence,
                         .channel = frame->channel, .id = frame->id};
  write_frame(link, wire, frame_encode(&answer, wire));
}

static void take_request(struct link *link, struct channel *channel, const struct frame *frame) {
  /* Its answer might find no room: it stays unacknowledged, and is sent again. */
  bool is_new = frame->sequence == channel->receive_sequence;
  if (is_new && !channel_has_room_to_answer(channel)) return;
  acknowledge(link, frame);
  switch (channel_take_frame(channel, frame)) {
    case TAKEN_DUPLICATE:
      link->statistics.duplicates += 1;
      break;
    case TAKEN_TOO_LONG:
      enqueue_error(link, channel->number, frame->id, LINK_ERROR_TOO_LONG);
      break;
    case TAKEN_MESSAGE:
      link->request(channel->number, channel->joined_id, channel->joined, channel->joined_length);
      break;
    case TAKEN:
      break;
  }
}

/* A good frame that will not be acknowledged: only DATA waits for an answer. */
static void refuse(struct link *link, const struct frame *frame, enum link_error code) {
  link->statistics.dropped_unexpected += 1;
  if (frame->kind != FRAME_DATA) return;
  uint8_t payload[2] = {(uint8_t)code, frame->channel};
  write_link(link, FRAME_ERROR, frame->id, payload, code == LINK_ERROR_NO_CHANNEL ? 2 : 1);
}

static void take_frame(struct link *link, const struct frame *frame, uint64_t now_ms) {
  if (frame->channel == CHANNEL_LINK) {
    take_sync(link, frame);
    return;
  }
  struct channel *channel = find_channel(link, frame->channel);
  if (!link->is_synchronised) refuse(link, frame, LINK_ERROR_NOT_SYNCHRONISED);
  else if (channel == NULL) refuse(link, frame, LINK_ERROR_NO_CHANNEL);
  else if (frame->kind == FRAME_DATA) take_request(link, channel, frame);
  else if (frame->kind == FRAME_KEEPALIVE) channel_allow_more_time(channel, now_ms);
  else if (frame->kind == FRAME_ACK) {
    if (!channel_take_acknowledgement(channel, frame)) link->statistics.duplicates += 1;
  } else if (frame->kind == FRAME_CANCEL) {
    /* A request that was joined whole has begun, and is not dropped. */
    if (channel->joined_id == frame->id) channel->is_joining = false;
  } else link->statistics.dropped_unexpected += 1;
}

void link_receive(struct link *link, uint8_t byte, uint64_t now_ms) {
  struct frame frame;
  if (!frame_take_byte(&link->reader, byte, &frame, &link->statistics)) return;
  take_frame(link, &frame, now_ms);
  send_all(link, now_ms);
}
