// SPDX-License-Identifier: Apache-2.0
// The board contract for wasm3.
#ifndef FLORIN_WASM3_IMPORTS_H
#define FLORIN_WASM3_IMPORTS_H

#include <stdbool.h>
#include <wasm3.h>

/* Links what the image imports; false where it imports something else, or by another type. */
bool imports_link(IM3Module loaded);

#endif
