// SPDX-License-Identifier: Apache-2.0
// The answer to STATUS (docs/link.md, "Channel 1").
#include "management.h"

#include "link/bytes.h"

enum { RUNNING = 1, STOPPED = 2 };

size_t management_status(const struct module *modules, uint8_t count,
                         uint8_t answer[MANAGEMENT_ANSWER_LIMIT]) {
  answer[0] = MANAGEMENT_STATUS;
  answer[1] = count;
  uint8_t *at = answer + 2;
  for (uint8_t index = 0; index < count; index += 1) {
    const struct module *module = &modules[index];
    at[0] = module->image->channel;
    at[1] = module->is_stopped ? STOPPED : RUNNING;
    put_uint32(at + 2, module->starts);
    put_uint32(at + 6, module->failures);
    put_uint16(at + 10, module->failed_line);
    put_uint16(at + 12, module->failed_column);
    at += MODULE_STATUS_SIZE;
  }
  return (size_t)(at - answer);
}
