// SPDX-License-Identifier: Apache-2.0
// What an image supplies beyond what all images share (External Interface 138; To Host): its name
// and role, its own commands, its statements, what it exports, its deadlines.
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { NEVER } from "./timers";

/** One page of an export or a log: the item, and where the next one is. */
export class Item {
  /** One encoded item, or null where there is none at the cursor. */
  content: Bytes | null;
  /** The cursor of the next item, or -1 after the last. */
  next: i64;

  constructor(content: Bytes | null, next: i64) {
    this.content = content;
    this.next = next;
  }
}

export abstract class HostInterface {
  /** The image's name in ASCII, such as "customer-agent". */
  name: Bytes;
  /** The role that its certificate must have. */
  role: u8;

  constructor(name: Bytes, role: u8) {
    this.name = name;
    this.role = role;
  }

  /** The journal is open and the identity loaded; called once, before any message. */
  abstract started(): void;
  /**
   * A command with a number from 10. `body` stands after the number, `fields` items are left; the
   * image checks all of it and answers with `composeHost` and `sendHost`, or `failCommand`.
   */
  abstract command(number: i32, fields: i32, body: CborReader): void;
  /** A statement about a payment from the PEER port: the item inside [ 6, tag, bytes ]. */
  abstract statementReceived(sessionTag: Bytes, pointer: usize, length: i32): void;
  /**
   * Item of command 8: kind 1 tickets, 2 notes, 3 certificates other than the own chain, 4 drafts
   * in doubt, 5 signed words that an exchange was aborted.
   */
  abstract exportItem(kind: i32, cursor: u32): Item;
  /** Entry of command 9: the Tran Log. */
  abstract logEntry(cursor: u32): Item;

  /** Does what is due by the timers' clock (timers.ts); sessions have their own. */
  tick(): void {}

  /** The earliest time on the timers' scale at which `tick` has something to do. */
  nextDeadline(): i64 {
    return NEVER;
  }
}
