// SPDX-License-Identifier: Apache-2.0
// Counts what each module costs, where the directory holds a file `work`: five numbers of eight
// bytes. The agent's time at work and the module's, in ticks of the 20 MHz timer (with the
// emulator's -icount they are instructions); the bytes that each wrote to its flash; the board's
// peak of stack.
#include "../runtime/board.h"
#include "../runtime/link/protocol.h"
#include "../emulated/emulator.h"
#include "../emulated/semihosting.h"
#include "registers.h"

static int32_t file;
static bool is_started;
static uint64_t ticks[2];
static uint32_t began;

static void start(void) {
  is_started = true;
  file = semihosting_open("work", OPEN_UPDATE);
  TIMER0->reload = UINT32_MAX;
  TIMER0->value = UINT32_MAX;
  TIMER0->control = TIMER_ENABLE;
}

void board_work(uint8_t channel, bool is_at_work) {
  if (!is_started) start();
  if (file < 0 || channel < CHANNEL_AGENT) return;
  if (is_at_work) {
    began = TIMER0->value;
    return;
  }
  /* The timer counts down, and no work lasts as long as it. */
  ticks[channel - CHANNEL_AGENT] += began - TIMER0->value;
  const uint64_t numbers[] = {ticks[0], ticks[1], emulator_flash_written(CHANNEL_AGENT),
                              emulator_flash_written(CHANNEL_MODULE), emulator_stack_peak()};
  if (!semihosting_seek(file, 0) || !semihosting_write(file, numbers, sizeof numbers)) {
    emulator_exit("the board cannot write to its directory\n");
  }
}
