// SPDX-License-Identifier: Apache-2.0
// The engine for an image that wasm2c compiled ahead of time. Compiled once for each slot of the
// board: SLOT is `agent` or `module`, the name that wasm2c was given; SLOT_HEADER is the header
// that it made, and SLOT_IDENTITY the name, hash and signer of the image, which the build writes.
#include "../image.h"
#include "../module.h"
#include "imports.h"
#include "trap.h"
#include "wasm-rt.h"
#include SLOT_HEADER

#define JOIN(left, right) left##right
#define JOINED(left, right) JOIN(left, right)
/* wasm2c's names: Z_agent_instantiate, Z_agentZ_boot and so on. */
#define SLOT_NAME(name) JOINED(JOINED(Z_, SLOT), name)

static SLOT_NAME(_instance_t) instance;
static struct Z_board_instance_t board;

static void instantiate(struct module *module) {
  board.module = module;
  SLOT_NAME(_init_module)();
  SLOT_NAME(_instantiate)(&instance, &board);
}

static uint32_t call_export(enum image_export name, uint32_t argument) {
  switch (name) {
    case IMAGE_INITIALIZE:
      SLOT_NAME(Z__initialize)(&instance);
      return 0;
    case IMAGE_BOOT:
      return SLOT_NAME(Z_boot)(&instance);
    case IMAGE_RECEIVE:
      return SLOT_NAME(Z_receive)(&instance, argument);
    case IMAGE_TICK:
      return SLOT_NAME(Z_tick)(&instance);
    case IMAGE_INBOX:
      return SLOT_NAME(Z_inbox)(&instance);
    case IMAGE_INBOX_SIZE:
      return SLOT_NAME(Z_inboxSize)(&instance);
  }
  return 0;
}

static bool call(enum image_export name, uint32_t argument, uint32_t *result) {
  wasm_rt_call_stack_depth = 0;
  if (setjmp(image_trapped) != 0) return false;
  *result = call_export(name, argument);
  return true;
}

static uint8_t *memory(void) { return instance.w2c_memory.data; }

const struct image JOINED(SLOT, _image) = {
#include SLOT_IDENTITY
    .instantiate = instantiate,
    .call = call,
    .memory = memory,
};
