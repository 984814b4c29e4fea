// SPDX-License-Identifier: Apache-2.0
// Starting, calling and, after a failure, restarting an image.
#include "module.h"

#include <string.h>

#include "board.h"
#include "numbers.h"

/* An image that fails at this many starts in a row is not started again. */
enum { STARTS_IN_VAIN_LIMIT = 3 };

static void take_failure(struct module *module) {
  module->failures += 1;
  module->failed_line = module->panic_line;
  module->failed_column = module->panic_column;
  module->panic_line = 0;
  module->panic_column = 0;
  module->deadline_ms = UINT64_MAX;
}

/* Calls what returns the milliseconds to the next deadline, -1 for none; false on a failure. */
static bool call(struct module *module, enum image_export name, uint32_t argument) {
  uint32_t result;
  module->deadline_ms = UINT64_MAX;
  if (!module->image->call(name, argument, &result)) {
    take_failure(module);
    return false;
  }
  int32_t delay_ms = (int32_t)result;
  if (delay_ms >= 0) module->deadline_ms = board_now_ms() + (uint64_t)delay_ms;
  return true;
}

void module_check_version(struct module *module) {
  uint8_t slot = module->image->channel;
  uint32_t version = module->image->version;
  uint32_t floor = numbers_version_floor(slot);
  /* Raised before the image's first start: what it writes is not for the version before. */
  module->is_outdated =
      version < floor || (version > floor && !numbers_raise_version_floor(slot, version));
}

bool module_start(struct module *module) {
  uint32_t ignored;
  module->is_stopped = module->is_outdated;
  if (module->is_outdated) return false;
  for (int attempt = 0; attempt < STARTS_IN_VAIN_LIMIT; attempt += 1) {
    module->starts += 1;
    module->image->instantiate(module);
    if (!module->image->call(IMAGE_INITIALIZE, 0, &ignored)) take_failure(module);
    else if (call(module, IMAGE_BOOT, 0)) return true;
  }
  module->is_stopped = true;
  return false;
}

bool module_takes(struct module *module, size_t length) {
  uint32_t size;
  return module->image->call(IMAGE_INBOX_SIZE, 0, &size) && length <= size;
}

static enum module_outcome run(struct module *module, enum image_export name, uint32_t argument,
                               void (*failed)(struct module *module)) {
  if (call(module, name, argument)) return MODULE_DONE;
  failed(module);
  return module_start(module) ? MODULE_RESTARTED : MODULE_STOPPED;
}

enum module_outcome module_receive(struct module *module, const uint8_t *message, size_t length,
                                   void (*failed)(struct module *module)) {
  uint32_t inbox;
  if (!module->image->call(IMAGE_INBOX, 0, &inbox)) return MODULE_DONE;
  /* An inbox outside the memory is a defect of the image: its message is lost, nothing else. */
  if (inbox > IMAGE_MEMORY_SIZE || length > IMAGE_MEMORY_SIZE - inbox) return MODULE_DONE;
  memcpy(module->image->memory() + inbox, message, length);
  return run(module, IMAGE_RECEIVE, (uint32_t)length, failed);
}

enum module_outcome module_tick(struct module *module, void (*failed)(struct module *module)) {
  return run(module, IMAGE_TICK, 0, failed);
}
