// SPDX-License-Identifier: Apache-2.0
// The emulated boards' calls to their host, where the host runs the board itself: C's own files.
#include "semihosting.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FILES_LIMIT = 32 };

static FILE *files[FILES_LIMIT];

int32_t semihosting_open(const char *path, enum open_mode mode) {
  const char *mode_text = mode == OPEN_READ ? "rb" : mode == OPEN_UPDATE ? "r+b" : "wb";
  for (int32_t handle = 0; handle < FILES_LIMIT; handle += 1) {
    if (files[handle] != NULL) continue;
    files[handle] = fopen(path, mode_text);
    /* What a call changed is in the file when it returns: ending the process is cutting the power. */
    if (files[handle] != NULL) setvbuf(files[handle], NULL, _IONBF, 0);
    return files[handle] == NULL ? -1 : handle;
  }
  return -1;
}

void semihosting_close(int32_t handle) {
  fclose(files[handle]);
  files[handle] = NULL;
}

bool semihosting_seek(int32_t handle, uint32_t offset) {
  return fseek(files[handle], (long)offset, SEEK_SET) == 0;
}

size_t semihosting_read_some(int32_t handle, void *bytes, size_t length) {
  return fread(bytes, 1, length, files[handle]);
}

bool semihosting_read(int32_t handle, void *bytes, size_t length) {
  return semihosting_read_some(handle, bytes, length) == length;
}

bool semihosting_write(int32_t handle, const void *bytes, size_t length) {
  return fwrite(bytes, 1, length, files[handle]) == length;
}

bool semihosting_rename(const char *from, const char *to) { return rename(from, to) == 0; }

uint32_t semihosting_time(void) { return (uint32_t)time(NULL); }

void semihosting_print(const char *text) { fputs(text, stderr); }

_Noreturn void semihosting_exit(void) { exit(1); }
