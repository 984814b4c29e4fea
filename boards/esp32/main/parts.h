// SPDX-License-Identifier: Apache-2.0
// What app_main starts before the runtime; where it cannot, the board fails.
#ifndef FLORIN_ESP32_PARTS_H
#define FLORIN_ESP32_PARTS_H

void line_start(void);
void storage_start(void);

#endif
