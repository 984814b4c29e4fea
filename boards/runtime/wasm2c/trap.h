// SPDX-License-Identifier: Apache-2.0
// Where a trap of an image goes: the call that entered it. One image runs at a time.
#ifndef FLORIN_TRAP_H
#define FLORIN_TRAP_H

#include <setjmp.h>

extern jmp_buf image_trapped;

#endif
