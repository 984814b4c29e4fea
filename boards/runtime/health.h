// SPDX-License-Identifier: Apache-2.0
// A board's random source is watched all the time: from one that hangs nothing is taken.
#ifndef FLORIN_HEALTH_H
#define FLORIN_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False where random bytes of one call show that their source hangs. */
bool health_check(const uint8_t *bytes, size_t length);

#endif
