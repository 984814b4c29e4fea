// SPDX-License-Identifier: Apache-2.0
// What the emulated board takes from its host in place of hardware: files of the directory that the
// emulator runs in, through semihosting (Arm "Semihosting for AArch32 and AArch64").
//
//   secret                        32 bytes that device keys are derived from
//   agent.flash, module.flash     the flash windows; agent.counter, module.counter, boots
//   agent.wear, module.wear       erasures of each page; agent.version, module.version: the floors
//   seed                          if there: randomness is a stream from these bytes, for tests
//   clock                         if there: the time, milliseconds since 1970 as text, for tests
//
// A directory of host/simulator/storage.ts has the same files: a device can move between the two.
#ifndef FLORIN_EMULATOR_H
#define FLORIN_EMULATOR_H

#include <stdint.h>

/* Opens the board's files. Ends the emulator with a sentence where one is missing or wrong. */
void emulator_start(void);

/* Bytes that a module had written to its flash since the board was switched on. */
uint64_t emulator_flash_written(uint8_t channel);

/* The most bytes of stack that were in use since the board was switched on. */
uint32_t emulator_stack_peak(void);

/* Prints a sentence and ends the emulator. */
_Noreturn void emulator_exit(const char *reason);

#endif
