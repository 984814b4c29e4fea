// SPDX-License-Identifier: Apache-2.0
// A program for the board in place of the runtime: it calls the cryptography of the test image
// `primitives`, or of a leaky build of it, as a file tells it, and counts the instructions of each
// call. The emulator runs it with `-icount shift=7`: 128 ns of the board's time for each
// instruction, 50 ns for each tick of a timer, so that ticks give the exact number (scripts and
// reader: test/boards/counts.ts).
//
//   calls:   1 address length bytes    writes to the image's memory
//            2 function 7 arguments    calls; to results go instructions and the value returned
//            3 address length          to results go these bytes of the image's memory
//            0                         ends
//
// `function` is one byte, all other numbers are four, little-endian.
#include "../../runtime/runtime.h"

#include <setjmp.h>

#include "../../runtime/wasm2c/imports.h"
#include "../../runtime/wasm2c/trap.h"
#include "../../runtime/wasm2c/wasm-rt.h"
#include "../../emulated/emulator.h"
#include "../../emulated/semihosting.h"
#include "../registers.h"
#include "primitives.h"

enum record { END = 0, WRITE = 1, CALL = 2, READ = 3 };

enum function {
  NOTHING,
  X25519,
  ED25519_SIGN,
  ED25519_VERIFY,
  SHA256,
  SHA512,
  SEAL_BOX,
  OPEN_BOX,
  EQUAL_CONSTANT_TIME,
  X25519_PUBLIC_KEY,
  ED25519_PUBLIC_KEY,
};

enum { ARGUMENTS = 7 };

static Z_primitives_instance_t instance;
static struct Z_board_instance_t board;
static int32_t calls;
static int32_t results;

void runtime_millisecond(void) {}

void Z_boardZ_panic(struct Z_board_instance_t *unused, uint32_t line, uint32_t column) {
  (void)unused;
  (void)line;
  (void)column;
  wasm_rt_trap(WASM_RT_TRAP_UNREACHABLE);
}

static void read_exactly(void *bytes, size_t length) {
  if (!semihosting_read(calls, bytes, length)) emulator_exit("the file of calls ends too early\n");
}

static uint32_t read_number(void) {
  uint32_t number;
  read_exactly(&number, sizeof number);
  return number;
}

static void write_exactly(const void *bytes, size_t length) {
  if (!semihosting_write(results, bytes, length)) emulator_exit("the results cannot be written\n");
}

static uint32_t call(enum function function, const uint32_t a[ARGUMENTS]) {
  Z_primitives_instance_t *image = &instance;
  switch (function) {
    case NOTHING:
      break;
    case X25519:
      return Z_primitivesZ_x25519(image, a[0], a[1], a[2]);
    case ED25519_SIGN:
      Z_primitivesZ_ed25519Sign(image, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
      break;
    case ED25519_VERIFY:
      return Z_primitivesZ_ed25519Verify(image, a[0], a[1], a[2], a[3], a[4], a[5]);
    case SHA256:
      Z_primitivesZ_sha256(image, a[0], a[1], a[2]);
      break;
    case SHA512:
      Z_primitivesZ_sha512(image, a[0], a[1], a[2]);
      break;
    case SEAL_BOX:
      Z_primitivesZ_sealBox(image, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
      break;
    case OPEN_BOX:
      return Z_primitivesZ_openBox(image, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
    case EQUAL_CONSTANT_TIME:
      return Z_primitivesZ_equalConstantTime(image, a[0], a[1], a[2]);
    case X25519_PUBLIC_KEY:
      Z_primitivesZ_x25519PublicKey(image, a[0], a[1]);
      break;
    case ED25519_PUBLIC_KEY:
      Z_primitivesZ_ed25519PublicKey(image, a[0], a[1]);
      break;
  }
  return 0;
}

/* The timer counts down from its reload value, which no call of ours lasts. */
static void take_call(void) {
  uint8_t function;
  uint32_t arguments[ARGUMENTS];
  uint32_t answer[2];
  read_exactly(&function, 1);
  read_exactly(arguments, sizeof arguments);
  uint32_t before = TIMER0->value;
  answer[1] = call((enum function)function, arguments);
  answer[0] = before - TIMER0->value;
  write_exactly(answer, sizeof answer);
}

static uint8_t *range(uint32_t address, uint32_t length) {
  if (address > WASM_RT_PAGE_SIZE || length > WASM_RT_PAGE_SIZE - address) {
    emulator_exit("the file of calls names bytes outside the image's memory\n");
  }
  return instance.w2c_memory.data + address;
}

_Noreturn void runtime_run(void) {
  SYSTICK->control = 0;
  TIMER0->reload = UINT32_MAX;
  TIMER0->value = UINT32_MAX;
  TIMER0->control = TIMER_ENABLE;
  calls = semihosting_open("calls", OPEN_READ);
  results = semihosting_open("results", OPEN_CREATE);
  if (calls < 0 || results < 0) emulator_exit("the directory holds no file of calls\n");
  Z_primitives_init_module();
  Z_primitives_instantiate(&instance, &board);
  if (setjmp(image_trapped) != 0) emulator_exit("the image failed\n");
  Z_primitivesZ__initialize(&instance);
  for (;;) {
    uint8_t record;
    read_exactly(&record, 1);
    if (record == END) emulator_exit("");
    if (record == CALL) {
      take_call();
      continue;
    }
    uint32_t address = read_number();
    uint32_t length = read_number();
    if (record == WRITE) read_exactly(range(address, length), length);
    else write_exactly(range(address, length), length);
  }
}
