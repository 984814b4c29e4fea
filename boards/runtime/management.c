// SPDX-License-Identifier: Apache-2.0
// Requests and answers of channel 1 (docs/link.md, "Channel 1").
#include "management.h"

#include "board.h"
#include "link/bytes.h"
#include "numbers.h"

enum { RUNNING = 1, STOPPED = 2, OUTDATED = 3 };
enum { MODULE_STATUS_SIZE = 14, MODULE_WEAR_SIZE = 9, DATA_HEAD_SIZE = 6, DATA_LIMIT = 232 };

_Static_assert(2 + MODULES_LIMIT * MODULE_STATUS_SIZE <= MANAGEMENT_ANSWER_LIMIT,
               "The answer to STATUS is not the longest.");

size_t management_status(const struct module *modules, uint8_t count,
                         uint8_t answer[MANAGEMENT_ANSWER_LIMIT]) {
  answer[0] = MANAGEMENT_STATUS;
  answer[1] = count;
  uint8_t *at = answer + 2;
  for (uint8_t index = 0; index < count; index += 1) {
    const struct module *module = &modules[index];
    at[0] = module->image->channel;
    at[1] = RUNNING;
    if (module->is_stopped) at[1] = module->is_outdated ? OUTDATED : STOPPED;
    put_uint32(at + 2, module->starts);
    put_uint32(at + 6, module->failures);
    put_uint16(at + 10, module->failed_line);
    put_uint16(at + 12, module->failed_column);
    at += MODULE_STATUS_SIZE;
  }
  return (size_t)(at - answer);
}

size_t management_wear(const struct module *modules, uint8_t count,
                       uint8_t answer[MANAGEMENT_ANSWER_LIMIT]) {
  answer[0] = MANAGEMENT_WEAR;
  answer[1] = count;
  uint8_t *at = answer + 2;
  for (uint8_t index = 0; index < count; index += 1) {
    uint8_t slot = modules[index].image->channel;
    uint32_t total = 0;
    uint32_t most = 0;
    for (uint32_t page = 0; page < FLASH_SIZE / FLASH_PAGE_SIZE; page += 1) {
      uint32_t erasures = numbers_erasures(slot, page);
      if (erasures > most) most = erasures;
      total += erasures;
    }
    at[0] = slot;
    put_uint32(at + 1, most == UINT32_MAX ? UINT32_MAX : total);
    put_uint32(at + 5, most);
    at += MODULE_WEAR_SIZE;
  }
  return (size_t)(at - answer);
}

bool management_read_update(const uint8_t *body, size_t length, struct update_request *request) {
  if (length < 2) return false;
  request->kind = (enum management_request)body[0];
  request->channel = body[1];
  request->offset = 0;
  request->bytes = body + 2;
  request->length = length - 2;
  if (body[0] == MANAGEMENT_BEGIN) return length > 2;
  if (body[0] == MANAGEMENT_END) return length == 2;
  if (body[0] != MANAGEMENT_DATA || length <= DATA_HEAD_SIZE) return false;
  request->offset = get_uint32(body + 2);
  request->bytes = body + DATA_HEAD_SIZE;
  request->length = length - DATA_HEAD_SIZE;
  return request->length <= DATA_LIMIT;
}

size_t management_update(struct module *module, const struct update_request *request,
                         uint8_t answer[MANAGEMENT_ANSWER_LIMIT]) {
  uint32_t done = 0;
  enum update_status status = UPDATE_BUILT_IN;
  if (module->image->update != NULL) status = module->image->update(module, request, &done);
  answer[0] = (uint8_t)request->kind;
  answer[1] = request->channel;
  answer[2] = (uint8_t)status;
  put_uint32(answer + 3, done);
  return 7;
}
