// SPDX-License-Identifier: Apache-2.0
// The money module of an issuing bank that makes new notes (Fig. 5, money generator 202).
import { Bytes } from "../codec/bytes";
import { bankModule } from "../money/bankModule";
import { Generator } from "../money/generator";
import { INBOX, INBOX_SIZE } from "../session/buffers";
import { Role } from "../trust/roles";

/** "generator-module" */
const NAME: Bytes = [
  0x67, 0x65, 0x6e, 0x65, 0x72, 0x61, 0x74, 0x6f, 0x72, 0x2d, 0x6d, 0x6f, 0x64, 0x75, 0x6c, 0x65,
];

const dispatcher = bankModule(NAME, Role.GENERATOR, new Generator());

/** Power is on; like `receive` and `tick`, returns milliseconds to the next deadline, or -1. */
export function boot(): i32 {
  return dispatcher.boot();
}

/** A message of `length` bytes, its port byte first, is in the inbox. */
export function receive(length: i32): i32 {
  return dispatcher.receive(length);
}

/** The deadline told last has come. */
export function tick(): i32 {
  return dispatcher.tick();
}

/** Address and size in bytes of the inbox. */
export function inbox(): usize {
  return INBOX;
}

export function inboxSize(): i32 {
  return INBOX_SIZE;
}
