// SPDX-License-Identifier: Apache-2.0
// A release signer's statement of an image (docs/protocol.cddl, "images";
// host/trust/imageRelease.ts).
#ifndef FLORIN_RELEASE_H
#define FLORIN_RELEASE_H

#include "../image.h"
#include "../link/protocol.h"

struct release {
  char name[NAME_LIMIT + 1];
  uint32_t version;
  uint32_t minimum_version;
  uint32_t size;
  uint8_t hash[HASH_SIZE];
};

/* Reads a statement; false unless it has the one right form and `signer` signed it. */
bool release_read(const uint8_t *statement, size_t length, const uint8_t signer[SIGNER_SIZE],
                  struct release *release);

#endif
