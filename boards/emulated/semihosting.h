// SPDX-License-Identifier: Apache-2.0
// Calls to the host of the emulator (Arm "Semihosting for AArch32 and AArch64").
#ifndef FLORIN_SEMIHOSTING_H
#define FLORIN_SEMIHOSTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a file is opened: C's modes "rb", "r+b" and "wb". */
enum open_mode { OPEN_READ = 1, OPEN_UPDATE = 3, OPEN_CREATE = 5 };

/* A file's handle, or -1. */
int32_t semihosting_open(const char *path, enum open_mode mode);
void semihosting_close(int32_t handle);
bool semihosting_seek(int32_t handle, uint32_t offset);
/* True if all of `length` bytes were read or written. */
bool semihosting_read(int32_t handle, void *bytes, size_t length);
bool semihosting_write(int32_t handle, const void *bytes, size_t length);
/* Bytes read, up to `length`. */
size_t semihosting_read_some(int32_t handle, void *bytes, size_t length);
/* Replaces `to` at once. */
bool semihosting_rename(const char *from, const char *to);
/* Seconds since 1970-01-01 UTC. */
uint32_t semihosting_time(void);
void semihosting_print(const char *text);
_Noreturn void semihosting_exit(void);

#endif
