// SPDX-License-Identifier: Apache-2.0
// Loading and calling under wasm3.
#include "instance.h"

#include <stddef.h>

#include "imports.h"

/* wasm3's own stack for an image's values: what 64 calls deep take, twice over. */
enum { STACK_SIZE = 32768 };

void instance_free(struct instance *instance) {
  if (instance->runtime != NULL) m3_FreeRuntime(instance->runtime);
  if (instance->environment != NULL) m3_FreeEnvironment(instance->environment);
  instance->runtime = NULL;
  instance->environment = NULL;
}

/* The one memory has one page and may not grow: anything else is no image. */
static bool has_one_page(struct instance *instance) {
  uint32_t size = 0;
  return m3_GetMemory(instance->runtime, &size, 0) != NULL && size == IMAGE_MEMORY_SIZE;
}

static bool find_functions(struct instance *instance) {
  static const char *const names[] = {
      [IMAGE_INITIALIZE] = "_initialize", [IMAGE_BOOT] = "boot",
      [IMAGE_RECEIVE] = "receive",        [IMAGE_TICK] = "tick",
      [IMAGE_INBOX] = "inbox",            [IMAGE_INBOX_SIZE] = "inboxSize",
  };
  for (size_t index = 0; index < sizeof names / sizeof names[0]; index += 1) {
    IM3Function *function = &instance->functions[index];
    if (m3_FindFunction(function, instance->runtime, names[index]) != m3Err_none) return false;
    if (m3_GetArgCount(*function) != (index == IMAGE_RECEIVE ? 1u : 0u)) return false;
    if (m3_GetRetCount(*function) != (index == IMAGE_INITIALIZE ? 0u : 1u)) return false;
  }
  return true;
}

static bool load(struct instance *instance, struct module *module) {
  IM3Module loaded = NULL;
  instance->environment = m3_NewEnvironment();
  if (instance->environment == NULL) return false;
  instance->runtime = m3_NewRuntime(instance->environment, STACK_SIZE, module);
  if (instance->runtime == NULL) return false;
  if (m3_ParseModule(instance->environment, &loaded, instance->bytes, instance->size)) return false;
  if (m3_LoadModule(instance->runtime, loaded) != m3Err_none) {
    m3_FreeModule(loaded);
    return false;
  }
  /* Whole at once: code that is wrong, and memory that is short, show now and not in a payment. */
  return has_one_page(instance) && imports_link(loaded) &&
         m3_CompileModule(loaded) == m3Err_none && find_functions(instance);
}

bool instance_load(struct instance *instance, struct module *module) {
  instance_free(instance);
  if (load(instance, module)) return true;
  instance_free(instance);
  return false;
}

bool instance_call(struct instance *instance, enum image_export name, uint32_t argument,
                   uint32_t *result) {
  if (instance->runtime == NULL) return false;
  IM3Function function = instance->functions[name];
  const void *arguments[] = {&argument};
  const void *results[] = {result};
  if (m3_Call(function, name == IMAGE_RECEIVE ? 1 : 0, arguments) != m3Err_none) return false;
  return name == IMAGE_INITIALIZE || m3_GetResults(function, 1, results) == m3Err_none;
}

uint8_t *instance_memory(struct instance *instance) {
  return instance->runtime == NULL ? NULL : m3_GetMemory(instance->runtime, NULL, 0);
}
