// SPDX-License-Identifier: Apache-2.0
// A firmware image as a board carries it, and the engine that runs it. The runtime knows images by
// this page alone; wasm2c/engine.c is the engine for images compiled ahead of time.
#ifndef FLORIN_IMAGE_H
#define FLORIN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module;

/* What a board calls in an image (assembly/images). */
enum image_export {
  IMAGE_INITIALIZE,
  IMAGE_BOOT,
  /* Takes the length of the message in the inbox. */
  IMAGE_RECEIVE,
  IMAGE_TICK,
  IMAGE_INBOX,
  IMAGE_INBOX_SIZE,
};

/* The one memory page of a running image. */
enum { IMAGE_MEMORY_SIZE = 65536 };

/* An image and its engine's functions. */
struct image {
  /* Name, signer and minimum version: what device keys are bound to. */
  const char *name;
  const char *signer;
  uint32_t minimum_version;
  /* SHA-256 of the WebAssembly bytes. */
  uint8_t hash[32];
  /* CHANNEL_AGENT or CHANNEL_MODULE. */
  uint8_t channel;
  /* Makes a new instance, its memory as the image lays it out, with `module` behind its imports. */
  void (*instantiate)(struct module *module);
  /* Calls an export; false if the image trapped, and must not be called again. */
  bool (*call)(enum image_export name, uint32_t argument, uint32_t *result);
  /* The instance's memory, IMAGE_MEMORY_SIZE bytes. */
  uint8_t *(*memory)(void);
};

#endif
