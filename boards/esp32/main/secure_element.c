// SPDX-License-Identifier: Apache-2.0
// No secure element. A driver of one (such as ATECC608's Counter command over I2C) defines the same
// two functions, and takes the place of these.
#include "secure_element.h"

__attribute__((weak)) int64_t secure_element_read(uint8_t slot) {
  (void)slot;
  return -1;
}

__attribute__((weak)) int64_t secure_element_raise(uint8_t slot) {
  (void)slot;
  return -1;
}
