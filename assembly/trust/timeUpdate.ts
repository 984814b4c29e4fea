// SPDX-License-Identifier: Apache-2.0
// Time from a server of the own root (docs/protocol.cddl section 2, signed-time): raises the floor.
import { CborReader } from "../codec/cborReader";
import { Purpose } from "../codec/purpose";
import { Reason } from "./reasons";
import { ServerObject } from "./serverObject";
import { raiseFloor } from "./signedTime";

/** Latest time that is taken (year 9999); keeps sums of times within 64 bits. */
const SECONDS_MAX: u64 = 253402300799;

/** Takes one signed-time; an old one changes nothing. Reason 0, 1, 4, 6, 10 or 11. */
export function receiveSignedTime(pointer: usize, length: i32): i32 {
  const object = new ServerObject();
  if (!object.read(pointer, length)) return Reason.MALFORMED;
  const reader = new CborReader(object.payload, object.payloadLength);
  reader.arrayOf(1);
  const seconds = reader.uintAtMost(SECONDS_MAX);
  if (!reader.atEnd()) return Reason.MALFORMED;
  const reason = object.reason(Purpose.TIME, seconds);
  if (reason != Reason.NONE) return reason;
  return raiseFloor(seconds) ? Reason.NONE : Reason.JOURNAL_FULL;
}
