// SPDX-License-Identifier: Apache-2.0
// What the explorer says of a wrong input, one sentence with what to do: nothing was tried, and it
// is no failure of the firmware.

/** A scenario, point or recording that was named is not there, or none. */
export class InputError extends Error {
  override readonly name = "InputError";
}
