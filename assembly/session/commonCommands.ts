// SPDX-License-Identifier: Apache-2.0
// The owner's commands that every image answers (docs/protocol.cddl section 8, 1 to 9): who it is,
// its keys and certificate, pairing, lists and time, and reading out what it holds.
import { pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { journal } from "../flash/journal";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { listVersion, receiveListPart } from "../trust/revocationList";
import { toldMs } from "../trust/signedTime";
import { receiveSignedTime } from "../trust/timeUpdate";
import { composedBody, composeHost, failCommand, sendHost } from "./buffers";
import { HostInterface, Item } from "./hostInterface";
import { OwnHalf } from "./ownHalf";

/** Commands by number. */
namespace Command {
  export const IDENTIFY: i32 = 1;
  export const MAKE_KEYS: i32 = 2;
  export const PROVE: i32 = 3;
  export const INSTALL: i32 = 4;
  export const PAIR: i32 = 5;
  export const LIST: i32 = 6;
  export const TIME: i32 = 7;
  export const EXPORT: i32 = 8;
  export const LOG: i32 = 9;
}

/** First number of the commands that belong to the image. */
export const FIRST_OWN_COMMAND: i32 = 10;
const EXPORT_CERTIFICATES: i32 = 3;
/** The largest kind of an export; the image gives nothing of a kind that it has not. */
const EXPORT_LAST: i32 = 6;

/**
 * Whether a command only reads out what is in the journal, which a module that is closed does too.
 */
export function isReadingOut(number: i32): bool {
  return number == Command.EXPORT || number == Command.LOG;
}

export class CommonCommands {
  private host: HostInterface;
  private ownHalf: OwnHalf;

  constructor(host: HostInterface, ownHalf: OwnHalf) {
    this.host = host;
    this.ownHalf = ownHalf;
  }

  /** Answers a command below 10; `body` stands after its number, `fields` items are left. */
  receive(number: i32, fields: i32, body: CborReader): void {
    const reason = this.run(number, fields, body);
    if (reason != Reason.NONE) failCommand(number, reason);
  }

  /** A reason; 0 where the command was answered or will be. */
  private run(number: i32, fields: i32, body: CborReader): i32 {
    if (number == Command.IDENTIFY && fields == 0) return this.identify();
    if (number == Command.MAKE_KEYS && fields == 0) return this.makeKeys();
    if (number == Command.PROVE && fields == 1) return this.prove(body);
    if (number == Command.INSTALL && fields == 3) return this.install(body);
    if (number == Command.PAIR && fields == 0) return this.pair();
    if (number == Command.LIST && fields == 1) return this.receiveList(body);
    if (number == Command.TIME && fields == 1) return this.receiveTime(body);
    if (number == Command.EXPORT && fields == 2) return this.exportItem(body);
    if (number == Command.LOG && fields == 1) return this.logEntry(body);
    return number >= Command.IDENTIFY && number <= Command.LOG
      ? Reason.MALFORMED
      : Reason.UNKNOWN_COMMAND;
  }

  private identify(): i32 {
    const writer = composeHost(Command.IDENTIFY, 7);
    writer.textFrom(this.host.name);
    writer.uint(<u64>identity.life);
    if (identity.isCertified) {
      writer.bytesFrom(identity.certificate.id);
      writer.bytesFrom(identity.certificate.device);
    } else {
      writer.nil();
      writer.nil();
    }
    writer.uint(<u64>this.host.role);
    writer.uint(<u64>journal.bootCount());
    writer.uint(toldMs());
    sendHost();
    return Reason.NONE;
  }

  private makeKeys(): i32 {
    const reason = identity.makeKeys();
    if (reason != Reason.NONE) return reason;
    const writer = composeHost(Command.MAKE_KEYS, 2);
    writer.bytesFrom(identity.signingKey);
    writer.bytesFrom(identity.sealingKey);
    sendHost();
    return Reason.NONE;
  }

  private prove(body: CborReader): i32 {
    if (!body.view() || !body.atEnd()) return Reason.MALFORMED;
    const proof = identity.prove(body.viewPointer, body.viewLength);
    if (proof == null) return Reason.BOX_INVALID;
    composeHost(Command.PROVE, 1).rawFrom(proof);
    sendHost();
    return Reason.NONE;
  }

  private install(body: CborReader): i32 {
    const reason = identity.install(this.host.role, body);
    if (reason != Reason.NONE) return reason;
    composeHost(Command.INSTALL, 0);
    sendHost();
    return Reason.NONE;
  }

  private pair(): i32 {
    if (!identity.isCertified) return Reason.NOT_CERTIFIED;
    return this.ownHalf.pair();
  }

  private receiveList(body: CborReader): i32 {
    if (!body.raw() || !body.atEnd()) return Reason.MALFORMED;
    const reason = receiveListPart(body.viewPointer, body.viewLength);
    if (reason != Reason.NONE) return reason;
    composeHost(Command.LIST, 1).uint(listVersion());
    sendHost();
    return Reason.NONE;
  }

  private receiveTime(body: CborReader): i32 {
    if (!body.raw() || !body.atEnd()) return Reason.MALFORMED;
    const reason = receiveSignedTime(body.viewPointer, body.viewLength);
    if (reason != Reason.NONE) return reason;
    composeHost(Command.TIME, 0);
    sendHost();
    return Reason.NONE;
  }

  private exportItem(body: CborReader): i32 {
    const kind = <i32>body.uintAtMost(EXPORT_LAST);
    const cursor = <u32>body.uintAtMost(u32.MAX_VALUE);
    if (!body.atEnd() || kind == 0) return Reason.MALFORMED;
    let item: Item;
    if (kind == EXPORT_CERTIFICATES && cursor == 0) {
      // The own chain stands first; the image's certificates are counted from 1.
      item = new Item(identity.chain(), this.host.exportItem(kind, 1).content == null ? -1 : 1);
    } else {
      item = this.host.exportItem(kind, cursor);
    }
    const writer = composeHost(Command.EXPORT, 3);
    writer.uint(<u64>kind);
    return this.sendItem(item);
  }

  private logEntry(body: CborReader): i32 {
    const cursor = <u32>body.uintAtMost(u32.MAX_VALUE);
    if (!body.atEnd()) return Reason.MALFORMED;
    const item = this.host.logEntry(cursor);
    composeHost(Command.LOG, 2);
    return this.sendItem(item);
  }

  /** Ends the answer being composed with the next cursor and the item. */
  private sendItem(item: Item): i32 {
    const writer = composedBody();
    if (item.next < 0) writer.nil();
    else writer.uint(<u64>item.next);
    const content = item.content;
    if (content == null) writer.nil();
    else writer.bytes(pointerOf(content), content.length);
    return sendHost() ? Reason.NONE : Reason.PACKET_TOO_LARGE;
  }
}
