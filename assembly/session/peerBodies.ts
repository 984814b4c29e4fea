// SPDX-License-Identifier: Apache-2.0
// What the bodies that peers send one another are: their kinds and, inside records, the types of
// messages (docs/protocol.cddl section 3; Figs. 8, 9 and 14).
import { Bytes } from "../codec/bytes";
import { composeBody } from "./buffers";
import { Label, Path } from "./path";

/** First element of the peer-bodies. */
export namespace BodyKind {
  export const HELLO: u64 = 1;
  export const ANSWER: u64 = 2;
  export const FINISH: u64 = 3;
  export const RECORD: u64 = 4;
  export const DENIED: u64 = 5;
  export const STATEMENT: u64 = 6;
  export const NETWORK_HELLO: u64 = 13;
}

/** Record types that every session has. */
export namespace RecordType {
  export const ACKNOWLEDGE: i32 = 1;
  export const QUERY: i32 = 2;
  export const PROCEEDING: i32 = 3;
  export const NEVER_GOT: i32 = 4;
  export const ABORT: i32 = 5;
  /** First type that belongs to the owner. */
  export const OWNER: i32 = 10;
  /** Between agents only: a message of the modules' session (648, 684). */
  export const MODULE_MESSAGE: i32 = 20;
}

/** Types that nothing awaits or repeats: their own layer does, or they are only signs of life. */
export function isUnnumbered(type: i32, label: u8): bool {
  if (type == RecordType.MODULE_MESSAGE) return label == Label.AGENT;
  return type >= RecordType.QUERY && type <= RecordType.ABORT;
}

/** Sends [ 5, tag, reason ]: a session that is not open yet is refused. */
export function sendDenied(path: Path, tag: Bytes, reason: i32): void {
  const writer = composeBody();
  writer.array(3);
  writer.uint(BodyKind.DENIED);
  writer.bytesFrom(tag);
  writer.uint(<u64>reason);
  path.transmit(writer.pointer, writer.length);
}
