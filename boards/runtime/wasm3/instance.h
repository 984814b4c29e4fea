// SPDX-License-Identifier: Apache-2.0
// One image under wasm3 (https://github.com/wasm3/wasm3): loaded, compiled whole, and called. wasm3
// takes memory of the C library's heap when an image is loaded, and none later.
#ifndef FLORIN_INSTANCE_H
#define FLORIN_INSTANCE_H

#include <wasm3.h>

#include "../image.h"

struct instance {
  /* The WebAssembly bytes; they stay where they are while the instance lives. */
  const uint8_t *bytes;
  uint32_t size;
  IM3Environment environment;
  IM3Runtime runtime;
  IM3Function functions[IMAGE_INBOX_SIZE + 1];
};

/* Loads the bytes anew with `module` behind the imports; false for no image that this can run. */
bool instance_load(struct instance *instance, struct module *module);

/* Gives back what loading took. */
void instance_free(struct instance *instance);

/* Calls an export; false after a trap, or where nothing is loaded. */
bool instance_call(struct instance *instance, enum image_export name, uint32_t argument,
                   uint32_t *result);

/* The one page of memory; NULL where nothing is loaded. */
uint8_t *instance_memory(struct instance *instance);

#endif
