// SPDX-License-Identifier: Apache-2.0
// The engine for an image under wasm3. Compiled once for each slot of the board: SLOT is `agent` or
// `module`; the build writes SLOT_IDENTITY, name, versions, hash and signer of the image that is
// part of the board's program, and SLOT_BYTES, its WebAssembly. Newer ones come over the link
// (banks.h).
#include "../module.h"
#include "banks.h"
#include "instance.h"

#define JOIN(left, right) left##right
#define JOINED(left, right) JOIN(left, right)

static const uint8_t built_in[] = {
#include SLOT_BYTES
};

static struct instance instance = {.bytes = built_in, .size = sizeof built_in};
static struct banks banks;

static void instantiate(struct module *module) { instance_load(&instance, module); }

static bool call(enum image_export name, uint32_t argument, uint32_t *result) {
  return instance_call(&instance, name, argument, result);
}

static uint8_t *memory(void) { return instance_memory(&instance); }

static void choose(void) { banks_choose(&banks); }

static enum update_status update(struct module *module, const struct update_request *request,
                                 uint32_t *done) {
  return banks_update(&banks, module, request, done);
}

struct image JOINED(SLOT, _image) = {
#include SLOT_IDENTITY
    .choose = choose,
    .instantiate = instantiate,
    .call = call,
    .memory = memory,
    .update = update,
};

static struct banks banks = {
    .image = &JOINED(SLOT, _image), .instance = &instance, .active = -1};
