// SPDX-License-Identifier: Apache-2.0
// The UART that a board supplies to line.c: 115,200 baud, an interrupt for each byte that comes.
#ifndef FLORIN_UART_H
#define FLORIN_UART_H

#include <stdint.h>

void uart_start(void);

/* The interrupt of a byte that came; hands it to line_put. */
void uart_receive(void);

/* Writes one byte, waiting until there is room for it. */
void uart_send(uint8_t byte);

#endif
