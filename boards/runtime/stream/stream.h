// SPDX-License-Identifier: Apache-2.0
// The line of a board whose driver keeps the bytes that come and can be waited for: what such a
// board supplies in place of board_read, board_write and board_wait (../board.h).
#ifndef FLORIN_STREAM_H
#define FLORIN_STREAM_H

#include <stddef.h>
#include <stdint.h>

/* Takes what has come, waiting up to `wait_ms` for the first byte; 0 where nothing came. */
size_t stream_receive(uint8_t *bytes, size_t size, uint32_t wait_ms);

/* Writes some of the bytes, waiting until there is room; gives how many, at least 1. */
size_t stream_send(const uint8_t *bytes, size_t length);

#endif
