// SPDX-License-Identifier: Apache-2.0
// Inverses and the power behind square roots modulo p = 2^255 - 19.
import { wipe } from "./bytes";
import { FIELD_SIZE, fieldMultiply, fieldSquare } from "./field25519";

const scratch = memory.data(3 * FIELD_SIZE, 8);

/** out = a^((p - 5) / 8) = a^(2^252 - 3), as section 5.1.3 of RFC 8032 needs it; not in place. */
export function fieldPower22523(out: usize, a: usize): void {
  const t0 = scratch;
  const t1 = scratch + FIELD_SIZE;
  const t2 = scratch + 2 * FIELD_SIZE;
  fieldSquare(t0, a);
  squareTimes(t1, t0, 2);
  fieldMultiply(t1, t1, a); // a^9
  fieldMultiply(t0, t0, t1); // a^11
  fieldSquare(t0, t0);
  fieldMultiply(t0, t0, t1); // a^(2^5 - 1)
  squareTimes(t1, t0, 5);
  fieldMultiply(t0, t1, t0); // a^(2^10 - 1)
  squareTimes(t1, t0, 10);
  fieldMultiply(t1, t1, t0); // a^(2^20 - 1)
  squareTimes(t2, t1, 20);
  fieldMultiply(t1, t2, t1); // a^(2^40 - 1)
  squareTimes(t1, t1, 10);
  fieldMultiply(t0, t1, t0); // a^(2^50 - 1)
  squareTimes(t1, t0, 50);
  fieldMultiply(t1, t1, t0); // a^(2^100 - 1)
  squareTimes(t2, t1, 100);
  fieldMultiply(t1, t2, t1); // a^(2^200 - 1)
  squareTimes(t1, t1, 50);
  fieldMultiply(t0, t1, t0); // a^(2^250 - 1)
  squareTimes(t0, t0, 2);
  fieldMultiply(out, t0, a);
  wipe(scratch, 3 * FIELD_SIZE);
}

/** out = 1 / a = a^(p - 2) = (a^((p - 5) / 8))^8 a^3; 0 for 0; not in place. */
export function fieldInvert(out: usize, a: usize): void {
  fieldPower22523(out, a);
  squareTimes(out, out, 3);
  fieldMultiply(out, out, a);
  fieldMultiply(out, out, a);
  fieldMultiply(out, out, a);
}

function squareTimes(out: usize, a: usize, times: i32): void {
  fieldSquare(out, a);
  for (let i = 1; i < times; i++) fieldSquare(out, out);
}
