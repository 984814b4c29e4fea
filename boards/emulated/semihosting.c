// SPDX-License-Identifier: Apache-2.0
// Semihosting on Cortex-M: a breakpoint that the emulator takes as a call.
#include "semihosting.h"

#include <string.h>

enum operation {
  SYS_OPEN = 0x01,
  SYS_CLOSE = 0x02,
  SYS_WRITE0 = 0x04,
  SYS_WRITE = 0x05,
  SYS_READ = 0x06,
  SYS_SEEK = 0x0a,
  SYS_RENAME = 0x0f,
  SYS_TIME = 0x11,
  SYS_EXIT_EXTENDED = 0x20,
};

enum { STOPPED_APPLICATION_EXIT = 0x20026 };

static int32_t call(enum operation operation, const void *parameters) {
  register int32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = parameters;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

int32_t semihosting_open(const char *path, enum open_mode mode) {
  const uintptr_t parameters[] = {(uintptr_t)path, mode, strlen(path)};
  return call(SYS_OPEN, parameters);
}

void semihosting_close(int32_t handle) {
  const uintptr_t parameters[] = {(uintptr_t)handle};
  call(SYS_CLOSE, parameters);
}

bool semihosting_seek(int32_t handle, uint32_t offset) {
  const uintptr_t parameters[] = {(uintptr_t)handle, offset};
  return call(SYS_SEEK, parameters) == 0;
}

/* Both calls return how many bytes were not transferred. */
size_t semihosting_read_some(int32_t handle, void *bytes, size_t length) {
  const uintptr_t parameters[] = {(uintptr_t)handle, (uintptr_t)bytes, length};
  int32_t missing = call(SYS_READ, parameters);
  return missing < 0 || (size_t)missing > length ? 0 : length - (size_t)missing;
}

bool semihosting_read(int32_t handle, void *bytes, size_t length) {
  return semihosting_read_some(handle, bytes, length) == length;
}

bool semihosting_write(int32_t handle, const void *bytes, size_t length) {
  const uintptr_t parameters[] = {(uintptr_t)handle, (uintptr_t)bytes, length};
  return call(SYS_WRITE, parameters) == 0;
}

bool semihosting_rename(const char *from, const char *to) {
  const uintptr_t parameters[] = {(uintptr_t)from, strlen(from), (uintptr_t)to, strlen(to)};
  return call(SYS_RENAME, parameters) == 0;
}

uint32_t semihosting_time(void) { return (uint32_t)call(SYS_TIME, NULL); }

void semihosting_print(const char *text) { call(SYS_WRITE0, text); }

_Noreturn void semihosting_exit(void) {
  static const uintptr_t parameters[] = {STOPPED_APPLICATION_EXIT, 1};
  for (;;) call(SYS_EXIT_EXTENDED, parameters);
}
