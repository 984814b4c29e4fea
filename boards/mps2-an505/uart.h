// SPDX-License-Identifier: Apache-2.0
// The board's serial line, 115,200 baud: bytes received are kept until they are read.
#ifndef FLORIN_AN505_UART_H
#define FLORIN_AN505_UART_H

#include <stdbool.h>

void uart_start(void);

/* The interrupt of a byte that came. */
void uart_receive(void);

/* True while a frame is being written. */
bool uart_is_held(void);

#endif
