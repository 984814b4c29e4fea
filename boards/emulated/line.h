// SPDX-License-Identifier: Apache-2.0
// The bytes of a board's serial line, kept between the interrupt that brings them and the program.
#ifndef FLORIN_LINE_H
#define FLORIN_LINE_H

#include <stdbool.h>
#include <stdint.h>

/* Keeps a byte that came; called from the interrupt. */
void line_put(uint8_t byte);

/* True while a frame is being written. */
bool line_is_held(void);

#endif
