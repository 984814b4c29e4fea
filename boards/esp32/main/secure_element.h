// SPDX-License-Identifier: Apache-2.0
// The monotonic counters of an external secure element. The chip has none that serves: NVS is flash
// that can be copied back, and eFuses have too few bits.
#ifndef FLORIN_SECURE_ELEMENT_H
#define FLORIN_SECURE_ELEMENT_H

#include <stdint.h>

/* The counter of a slot, or -1 where there is none: the board is certified `counter: none`. */
int64_t secure_element_read(uint8_t slot);

/* Raises it by one, atomic under power loss; -1 where there is none or it is worn out. */
int64_t secure_element_raise(uint8_t slot);

#endif
