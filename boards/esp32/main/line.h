// SPDX-License-Identifier: Apache-2.0
// The board's serial line: a UART, or the chip's own USB (CONFIG_FLORIN_LINE_USB).
#ifndef FLORIN_ESP32_LINE_H
#define FLORIN_ESP32_LINE_H

void line_start(void);

#endif
