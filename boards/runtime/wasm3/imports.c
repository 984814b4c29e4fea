// SPDX-License-Identifier: Apache-2.0
// The board contract (assembly/board.ts) as wasm3's raw functions: results first on the stack, then
// arguments, 8 bytes each. The runtime's user data is the module.
#include "imports.h"

#include <string.h>

#include "../contract.h"

/* A raw function with the module at hand; `stack[0]` is the result where there is one. */
#define IMPORT(name)                                                                         \
  static const void *name(IM3Runtime runtime, IM3ImportContext context, uint64_t *stack,    \
                          void *memory) {                                                    \
    struct module *module = m3_GetUserData(runtime);                                         \
    (void)context;                                                                           \
    (void)memory;

/* What an image did that it must not: it ends like a trap. */
static const void *ended(bool is_good) {
  return is_good ? m3Err_none : m3Err_trapOutOfBoundsMemoryAccess;
}

static uint32_t word(uint64_t slot) { return (uint32_t)slot; }

static void put_word(uint64_t *stack, uint32_t result) { memcpy(stack, &result, sizeof result); }

IMPORT(import_send)
  return ended(contract_send(module, word(stack[0]), word(stack[1]), word(stack[2])));
}

IMPORT(import_random)
  uint32_t result = 0;
  bool is_good = contract_random(module, word(stack[1]), word(stack[2]), &result);
  put_word(stack, result);
  return ended(is_good);
}

IMPORT(import_clock)
  (void)module;
  stack[0] = (uint64_t)contract_clock();
  return m3Err_none;
}

IMPORT(import_flash_read)
  uint32_t result = 0;
  bool is_good =
      contract_flash_read(module, word(stack[1]), word(stack[2]), word(stack[3]), &result);
  put_word(stack, result);
  return ended(is_good);
}

IMPORT(import_flash_write)
  uint32_t result = 0;
  bool is_good =
      contract_flash_write(module, word(stack[1]), word(stack[2]), word(stack[3]), &result);
  put_word(stack, result);
  return ended(is_good);
}

IMPORT(import_flash_erase)
  put_word(stack, contract_flash_erase(module, word(stack[1])));
  return m3Err_none;
}

IMPORT(import_counter_read)
  stack[0] = (uint64_t)contract_counter_read(module);
  return m3Err_none;
}

IMPORT(import_counter_raise)
  stack[0] = (uint64_t)contract_counter_raise(module);
  return m3Err_none;
}

IMPORT(import_device_key)
  uint32_t result = 0;
  bool is_good =
      contract_device_key(module, word(stack[1]), word(stack[2]), word(stack[3]), &result);
  put_word(stack, result);
  return ended(is_good);
}

IMPORT(import_panic)
  contract_panic(module, word(stack[0]), word(stack[1]));
  return m3Err_trapUnreachable;
}

IMPORT(import_step)
  /* Marks of traced images; a board has nobody to tell. */
  (void)module;
  (void)stack;
  return m3Err_none;
}

bool imports_link(IM3Module loaded) {
  static const struct {
    const char *name;
    const char *type;
    M3RawCall function;
  } imports[] = {
      {"send", "v(iii)", import_send},
      {"random", "i(ii)", import_random},
      {"clock", "I()", import_clock},
      {"flashRead", "i(iii)", import_flash_read},
      {"flashWrite", "i(iii)", import_flash_write},
      {"flashErase", "i(i)", import_flash_erase},
      {"counterRead", "I()", import_counter_read},
      {"counterRaise", "I()", import_counter_raise},
      {"deviceKey", "i(iii)", import_device_key},
      {"panic", "v(ii)", import_panic},
      {"stepReached", "v(i)", import_step},
  };
  for (size_t index = 0; index < sizeof imports / sizeof imports[0]; index += 1) {
    M3Result result = m3_LinkRawFunction(loaded, "board", imports[index].name,
                                         imports[index].type, imports[index].function);
    /* An image imports what it needs. */
    if (result != m3Err_none && result != m3Err_functionLookupFailed) return false;
  }
  return true;
}
