// SPDX-License-Identifier: Apache-2.0
// Counts the time that each module is at work, where the directory holds a file `work`: two numbers
// of eight bytes, the agent's and the module's, in ticks of the 20 MHz timer. The bench reads them;
// with the emulator's -icount they are instructions.
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
  if (!semihosting_seek(file, 0) || !semihosting_write(file, ticks, sizeof ticks)) {
    emulator_exit("the board cannot write to its directory\n");
  }
}
