// SPDX-License-Identifier: Apache-2.0
// Byte helpers that all cryptography leans on: comparison that tells an attacker nothing by its
// duration, and the wiping of secrets.

/**
 * Tells whether `length` bytes at `a` and `b` are equal. Its duration depends on `length` alone, so
 * that a forged tag cannot be improved byte by byte.
 */
export function equalConstantTime(a: usize, b: usize, length: i32): bool {
  let difference: u32 = 0;
  for (let i = 0; i < length; i++) difference |= load<u8>(a + i) ^ load<u8>(b + i);
  return difference == 0;
}

/** Overwrites `length` bytes at `pointer` with zeros. WebAssembly stores are never elided. */
export function wipe(pointer: usize, length: i32): void {
  memory.fill(pointer, 0, length);
}
