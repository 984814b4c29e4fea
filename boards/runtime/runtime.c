// SPDX-License-Identifier: Apache-2.0
// The event loop of a board (docs/link.md; host/simulator/board.ts is the simulator's).
#include "runtime.h"

#include <string.h>

#include "board.h"
#include "link/link.h"
#include "management.h"
#include "module.h"
#include "numbers.h"

/* Room for two answers: the host may ask again before it has heard the first. */
static uint8_t board_outbox[2 * (MANAGEMENT_ANSWER_LIMIT + OUTBOX_HEADER)];
static uint8_t board_joined[PAYLOAD_LIMIT];

static struct module modules[MODULES_LIMIT];
static uint8_t module_count;
static struct link link;

/* The request being handled: 0 and 0 for none. */
static uint8_t current_channel;
static uint16_t current_id;

/* What the interrupt tells the host: the channel at work, 0 for none, its request, and since when
 * or since the last KEEPALIVE. */
static volatile uint8_t working_channel;
static volatile uint16_t working_id;
static volatile uint64_t working_since_ms;

static void write_line(const uint8_t *bytes, size_t length) {
  board_hold();
  board_write(bytes, length);
  board_release();
}

void runtime_millisecond(void) {
  if (working_channel == 0) return;
  uint64_t now_ms = board_now_ms();
  if (now_ms - working_since_ms < KEEPALIVE_INTERVAL_MS) return;
  uint8_t wire[LARGEST_ON_WIRE];
  size_t length = link_keepalive(&link, working_channel, working_id, wire);
  if (length > 0) board_write(wire, length);
  working_since_ms = now_ms;
}

static void begin_work(uint8_t channel, uint16_t id) {
  current_channel = channel;
  current_id = id;
  working_id = id;
  working_since_ms = board_now_ms();
  working_channel = channel;
  board_work(channel, true);
}

static void end_work(void) {
  board_work(working_channel, false);
  working_channel = 0;
  current_channel = 0;
  current_id = 0;
}

/* The request that `channel` answers now. */
static uint16_t id_for(uint8_t channel) { return current_channel == channel ? current_id : 0; }

static void fail(uint8_t channel, enum link_error code) {
  link_fail(&link, channel, id_for(channel), code, board_now_ms());
}

static struct module *module_on(uint8_t channel) {
  for (uint8_t index = 0; index < module_count; index += 1) {
    if (modules[index].image->channel == channel) return &modules[index];
  }
  return NULL;
}

/* What the image says while it starts anew belongs to no request. */
static void module_failed(struct module *module) {
  fail(module->image->channel, LINK_ERROR_RESTARTED);
  current_channel = 0;
  current_id = 0;
}

static void tell_starts(void) {
  for (uint8_t index = 0; index < module_count; index += 1) {
    link.information.modules[index].starts = modules[index].starts;
    link.information.modules[index].image_version = modules[index].image->version;
  }
}

static void take_outcome(struct module *module, enum module_outcome outcome) {
  if (outcome == MODULE_STOPPED) fail(module->image->channel, LINK_ERROR_STOPPED);
  if (outcome != MODULE_DONE) tell_starts();
}

void runtime_send(struct module *module, uint8_t port, const uint8_t *body, size_t length) {
  uint8_t channel = module->image->channel;
  link_send(&link, channel, id_for(channel), (struct bytes){&port, 1}, (struct bytes){body, length},
            board_now_ms());
}

static void start_module(struct module *module) {
  bool is_running = module_start(module);
  if (!is_running && !module->is_outdated) fail(module->image->channel, LINK_ERROR_STOPPED);
  tell_starts();
}

/* A new image is started when the last of it is there. */
static size_t take_update(struct module *module, const struct update_request *request,
                          uint8_t answer[MANAGEMENT_ANSWER_LIMIT]) {
  uint32_t version = module->image->version;
  size_t length = management_update(module, request, answer);
  if (module->image->version != version) {
    module_check_version(module);
    start_module(module);
  }
  return length;
}

static void take_board_request(const uint8_t *body, size_t length) {
  uint8_t answer[MANAGEMENT_ANSWER_LIMIT];
  size_t answer_length = 0;
  struct update_request update;
  if (length == 1 && body[0] == MANAGEMENT_STATUS) {
    answer_length = management_status(modules, module_count, answer);
  } else if (length == 2 && body[0] == MANAGEMENT_RESTART) {
    struct module *module = module_on(body[1]);
    if (module == NULL) {
      fail(CHANNEL_BOARD, LINK_ERROR_NO_CHANNEL);
      return;
    }
    start_module(module);
    memcpy(answer, body, length);
    answer_length = length;
  } else if (length == 1 && body[0] == MANAGEMENT_IDENTITY) {
    answer[0] = MANAGEMENT_IDENTITY;
    const uint8_t *signer = modules[0].image->signer;
    answer_length = 1 + identity_encode(signer, link.nonce, &link.information, answer + 1);
  } else if (length == 1 && body[0] == MANAGEMENT_WEAR) {
    answer_length = management_wear(modules, module_count, answer);
  } else if (management_read_update(body, length, &update)) {
    struct module *module = module_on(update.channel);
    if (module == NULL) {
      fail(CHANNEL_BOARD, LINK_ERROR_NO_CHANNEL);
      return;
    }
    answer_length = take_update(module, &update, answer);
  } else {
    fail(CHANNEL_BOARD, LINK_ERROR_BAD_MESSAGE);
    return;
  }
  link_send(&link, CHANNEL_BOARD, current_id, (struct bytes){answer, answer_length},
            (struct bytes){NULL, 0}, board_now_ms());
}

static void take_request(uint8_t channel, uint16_t id, const uint8_t *body, size_t length) {
  begin_work(channel, id);
  struct module *module = module_on(channel);
  if (module == NULL) take_board_request(body, length);
  else if (module->is_stopped) fail(channel, LINK_ERROR_STOPPED);
  else if (length == 0 || body[0] > LARGEST_PORT) fail(channel, LINK_ERROR_BAD_MESSAGE);
  else if (!module_takes(module, length)) fail(channel, LINK_ERROR_TOO_LONG);
  else take_outcome(module, module_receive(module, body, length, module_failed));
  end_work();
}

static void tick_module(struct module *module) {
  if (module->deadline_ms > board_now_ms()) return;
  begin_work(module->image->channel, 0);
  take_outcome(module, module_tick(module, module_failed));
  end_work();
}

static void set_up(void) {
  for (uint8_t index = 0; index < installed_image_count; index += 1) {
    if (installed_images[index]->choose != NULL) installed_images[index]->choose();
  }
  link.information = (struct board_information){
      .is_simulated = board_is_simulated,
      .boot_counter = numbers_raise_boots(),
      .message_limit = MESSAGE_LIMIT,
      .board_name = board_name,
      .module_count = installed_image_count,
  };
  link.write = write_line;
  link.request = take_request;
  link_add_channel(&link, CHANNEL_BOARD, board_outbox, sizeof board_outbox, board_joined,
                   sizeof board_joined);
  for (uint8_t index = 0; index < installed_image_count; index += 1) {
    const struct image *image = installed_images[index];
    modules[index].image = image;
    modules[index].deadline_ms = UINT64_MAX;
    struct module_buffers *buffers = &installed_buffers[index];
    link_add_channel(&link, image->channel, buffers->outbox, sizeof buffers->outbox,
                     buffers->joined, sizeof buffers->joined);
    link.information.modules[index] = (struct module_information){
        .channel = image->channel, .image_hash = image->hash, .image_name = image->name};
    module_check_version(&modules[index]);
  }
  module_count = installed_image_count;
}

_Noreturn void runtime_run(void) {
  set_up();
  for (uint8_t index = 0; index < module_count; index += 1) start_module(&modules[index]);
  link_start(&link);
  for (;;) {
    uint64_t deadline_ms = link_deadline_ms(&link);
    for (uint8_t index = 0; index < module_count; index += 1) {
      if (modules[index].deadline_ms < deadline_ms) deadline_ms = modules[index].deadline_ms;
    }
    board_wait(deadline_ms);
    for (int byte = board_read(); byte >= 0; byte = board_read()) {
      link_receive(&link, (uint8_t)byte, board_now_ms());
    }
    link_tick(&link, board_now_ms());
    for (uint8_t index = 0; index < module_count; index += 1) tick_module(&modules[index]);
  }
}
