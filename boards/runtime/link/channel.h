// SPDX-License-Identifier: Apache-2.0
// One channel of the board's end: an alternating-bit sender and receiver that cut messages into
// frames and join them again (docs/link.md, "Channels"). All memory is given when it is made.
#ifndef FLORIN_LINK_CHANNEL_H
#define FLORIN_LINK_CHANNEL_H

#include "frame.h"

/* Bytes to be read. */
struct bytes {
  const uint8_t *at;
  size_t length;
};

/* In front of each message in the outbox: kind (1 byte), id (2), length of the body (2). */
enum { OUTBOX_HEADER = 5 };

struct channel {
  uint8_t number;

  /* Messages not yet acknowledged whole, one behind the other; the first is the one being sent. */
  uint8_t *outbox;
  size_t outbox_size;
  size_t outbox_used;
  /* Bytes of the first message in acknowledged frames, and in the frame under way. */
  size_t acknowledged;
  size_t frame_payload;
  /* The frame that awaits its acknowledgement, as sent; 0 bytes for none. */
  uint8_t frame[LARGEST_ON_WIRE];
  size_t frame_length;
  uint8_t send_sequence;
  uint8_t transmissions;
  uint32_t retry_ms;
  uint64_t deadline_ms;

  /* The message being joined. */
  uint8_t *joined;
  size_t joined_limit;
  size_t joined_length;
  bool is_joining;
  enum frame_kind joined_kind;
  uint16_t joined_id;
  uint8_t receive_sequence;
};

/* What became of a frame that was received. */
enum taken { TAKEN, TAKEN_DUPLICATE, TAKEN_TOO_LONG, TAKEN_MESSAGE };
/* What a channel has to send when its time is over. */
enum repeated { REPEAT_NOTHING, REPEAT_FRAME, REPEAT_DOWN };

/* False while so much waits to leave that the answer to one more request might find no room. */
bool channel_has_room_to_answer(const struct channel *channel);

/* Queues a message, `head` and then `body`; false where it does not fit. */
bool channel_enqueue(struct channel *channel, enum frame_kind kind, uint16_t id, struct bytes head,
                     struct bytes body);

/* Makes the next frame in `frame` if none awaits its acknowledgement; false if there is none. */
bool channel_send_next(struct channel *channel, uint64_t now_ms);

/* Counts a repetition of the frame under way if its time is over. */
enum repeated channel_repeat(struct channel *channel, uint64_t now_ms);

/* The other end is at work: its silence is no loss. */
void channel_allow_more_time(struct channel *channel, uint64_t now_ms);

/* Takes an acknowledgement; false if it acknowledges nothing that is under way. */
bool channel_take_acknowledgement(struct channel *channel, const struct frame *frame);

/*
 * Takes a DATA frame. After TAKEN_MESSAGE the message is `joined`, until the next frame. All are to
 * be acknowledged.
 */
enum taken channel_take_frame(struct channel *channel, const struct frame *frame);

/* Begins anew; keeps what was said unasked and has not begun to leave. */
void channel_restart(struct channel *channel);

#endif
