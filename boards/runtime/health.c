// SPDX-License-Identifier: Apache-2.0
// The repetition count test of NIST SP 800-90B section 4.4.1 on words of 32 bits: a sound source
// gives the same word three times in a row once in 2^64. From one call to the next nothing is kept,
// since the words are secrets: a source that hangs shows in any call of three words.
#include "health.h"

#include <string.h>

enum { WORD_SIZE = 4, REPETITIONS_LIMIT = 3 };

bool health_check(const uint8_t *bytes, size_t length) {
  int repetitions = 1;
  for (size_t at = WORD_SIZE; at + WORD_SIZE <= length; at += WORD_SIZE) {
    bool is_repeated = memcmp(bytes + at, bytes + at - WORD_SIZE, WORD_SIZE) == 0;
    repetitions = is_repeated ? repetitions + 1 : 1;
    if (repetitions == REPETITIONS_LIMIT) return false;
  }
  return true;
}
