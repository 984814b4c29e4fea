// SPDX-License-Identifier: Apache-2.0
// A firmware image as a board carries it, and the engine that runs it. The runtime knows images by
// this page alone; wasm2c/engine.c is the engine for images compiled ahead of time.
#ifndef FLORIN_IMAGE_H
#define FLORIN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module;
struct update_request;

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

/* The one memory page of a running image; an Ed25519 public key. */
enum { IMAGE_MEMORY_SIZE = 65536, SIGNER_SIZE = 32 };

/* What the board says of a request to load another image (docs/link.md, "Loading an image"). */
enum update_status {
  UPDATE_TAKEN,
  UPDATE_NOT_SIGNED,
  UPDATE_OLDER,
  UPDATE_OTHER_NAME,
  UPDATE_OTHER_PURSE,
  UPDATE_TOO_LONG,
  UPDATE_BUILT_IN,
  UPDATE_DAMAGED,
  UPDATE_OUT_OF_ORDER,
};

/* An image and its engine's functions. */
struct image {
  /* Name, signer and minimum version: what device keys are bound to. */
  const char *name;
  uint8_t signer[SIGNER_SIZE];
  uint32_t minimum_version;
  uint32_t version;
  /* SHA-256 of the WebAssembly bytes. */
  uint8_t hash[32];
  /* CHANNEL_AGENT or CHANNEL_MODULE. */
  uint8_t channel;
  /* Takes the newest image that the board has. NULL where images are part of its program. */
  void (*choose)(void);
  /* Makes a new instance, its memory as the image lays it out, with `module` behind its imports. */
  void (*instantiate)(struct module *module);
  /* Calls an export; false if the image trapped, and must not be called again. */
  bool (*call)(enum image_export name, uint32_t argument, uint32_t *result);
  /* The instance's memory, IMAGE_MEMORY_SIZE bytes. */
  uint8_t *(*memory)(void);
  /*
   * Takes a request to load another version and tells in `done` how much of it is there. NULL
   * like `choose`. A new image is in this struct when END is taken.
   */
  enum update_status (*update)(struct module *module, const struct update_request *request,
                               uint32_t *done);
};

#endif
