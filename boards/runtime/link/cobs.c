// SPDX-License-Identifier: Apache-2.0
// COBS for frames, which fit one run of 254 bytes: the encoder needs no second block.
#include "cobs.h"

/* A code byte that announces a full run, which stands for no zero. */
enum { FULL_RUN = 255 };

size_t cobs_encode(const uint8_t *bytes, size_t length, uint8_t *output) {
  size_t code_at = 0;
  for (size_t index = 0; index < length; index += 1) {
    output[index + 1] = bytes[index];
    if (bytes[index] != 0) continue;
    output[code_at] = (uint8_t)(index + 1 - code_at);
    code_at = index + 1;
  }
  output[code_at] = (uint8_t)(length + 1 - code_at);
  return length + 1;
}

int cobs_decode(const uint8_t *encoded, size_t length, uint8_t *output) {
  int written = 0;
  if (length == 0) return -1;
  for (size_t at = 0; at < length;) {
    uint8_t code = encoded[at];
    size_t end = at + code;
    /* A zero inside, or a run that would reach beyond the frame, is not COBS. */
    if (code == 0 || end > length) return -1;
    for (at += 1; at < end; at += 1) {
      if (encoded[at] == 0) return -1;
      output[written++] = encoded[at];
    }
    /* The last run's zero is only the frame's end. */
    if (code != FULL_RUN && at < length) output[written++] = 0;
  }
  return written;
}
