// SPDX-License-Identifier: Apache-2.0
// The event loop of every image (Message Interface 136, External Interface 138): opens the journal,
// sorts what arrives by port and first element, keeps the deadlines, collects garbage.
import { counterRead, Port } from "../board";
import { CborReader } from "../codec/cborReader";
import { wipe } from "../crypto/bytes";
import { journal, OpenResult } from "../flash/journal";
import { PAGE_MASK } from "../flash/format";
import { log } from "../flash/log";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { loadLists } from "../trust/revocationList";
import { loadFloor } from "../trust/signedTime";
import { composeHost, failCommand, INBOX, INBOX_SIZE, sendHost } from "./buffers";
import { CommonCommands, FIRST_OWN_COMMAND, isReadingOut } from "./commonCommands";
import { HostInterface } from "./hostInterface";
import { OwnHalf } from "./ownHalf";
import { Path } from "./path";
import { BodyKind } from "./peerBodies";
import { SessionManager } from "./sessionManager";
import { tickCame, waitFor } from "./timers";

export class Dispatcher {
  private host: HostInterface;
  private sessions: SessionManager;
  private ownHalf: OwnHalf;
  private peers: Path;
  private common: CommonCommands;
  /**
   * Why the journal does not open; 0 if all is well. Then this is all that commands are told, but
   * for those that read out what can still be proved: nothing is signed or written any more.
   */
  private lockedBy: i32 = Reason.NONE;

  /** `peers`: the path to other devices, with the label that sessions on it have. */
  constructor(host: HostInterface, sessions: SessionManager, ownHalf: OwnHalf, peers: Path) {
    this.host = host;
    this.sessions = sessions;
    this.ownHalf = ownHalf;
    this.peers = peers;
    this.common = new CommonCommands(host, ownHalf);
  }

  /** Power is on. Nothing is sent before the journal has noted this boot. */
  boot(): i32 {
    const opened = journal.open();
    if (opened == OpenResult.DAMAGED) this.lockedBy = Reason.FLASH_DAMAGED;
    else if (opened == OpenResult.ROLLED_BACK) this.lockedBy = Reason.FLASH_ROLLED_BACK;
    if (this.lockedBy != Reason.NONE) return this.finish();
    loadFloor();
    identity.load();
    loadLists();
    this.host.started();
    this.ownHalf.renew();
    return this.finish();
  }

  /** The board put a message of `length` bytes, its port byte first, into the inbox. */
  receive(length: i32): i32 {
    if (length < 2 || length > INBOX_SIZE) return this.finish();
    const port = load<u8>(INBOX);
    const body = INBOX + 1;
    if (port == Port.HOST) this.receiveHost(body, length - 1);
    else if (this.lockedBy == Reason.NONE) {
      if (port == Port.PEER) this.receivePeer(body, length - 1);
      else if (port == Port.OWN) this.ownHalf.receive(body, length - 1);
    }
    // Boxes were opened in place: keys and amounts in clear must not outlive the event.
    wipe(INBOX, length);
    return this.finish();
  }

  /** The deadline told last has come. */
  tick(): i32 {
    tickCame();
    if (this.lockedBy == Reason.NONE) {
      this.sessions.tick();
      this.ownHalf.tick();
      this.host.tick();
    }
    return this.finish();
  }

  private receiveHost(pointer: usize, length: i32): void {
    const reader = new CborReader(pointer, length);
    const fields = reader.array() - 1;
    const number = <i32>reader.uintAtMost(255);
    if (reader.failed) failCommand(0, Reason.MALFORMED);
    else if (this.lockedBy != Reason.NONE && !isReadingOut(number)) this.tellLocked(number);
    else if (number < FIRST_OWN_COMMAND) this.common.receive(number, fields, reader);
    else this.host.command(number, fields, reader);
  }

  /** [ 0, command, reason, damage, page, batch, sealed, counter ]: where the journal ends. */
  private tellLocked(number: i32): void {
    const counter = counterRead();
    const writer = composeHost(0, 7);
    writer.uint(<u64>number);
    writer.uint(<u64>this.lockedBy);
    writer.uint(<u64>journal.damage);
    writer.uint(<u64>(log.head & PAGE_MASK));
    writer.uint(<u64>log.lastAppend);
    writer.uint(<u64>log.sealed);
    if (counter < 0) writer.nil();
    else writer.uint(<u64>counter);
    sendHost();
  }

  private receivePeer(pointer: usize, length: i32): void {
    const reader = new CborReader(pointer, length);
    const fields = reader.array();
    const kind = reader.u64();
    if (reader.failed) return;
    if (kind != BodyKind.STATEMENT) {
      this.sessions.receive(this.peers, pointer, length);
      return;
    }
    const tag = reader.bytesExact(8);
    reader.view();
    if (fields != 3 || !reader.atEnd()) return;
    this.host.statementReceived(tag, reader.viewPointer, reader.viewLength);
  }

  /** Ends an event: the journal's plain text is wiped, what is no longer referenced is freed. */
  private finish(): i32 {
    journal.wipe();
    __collect();
    const sessions = min(this.sessions.nextDeadline(), this.ownHalf.nextDeadline());
    return waitFor(min(sessions, this.host.nextDeadline()));
  }
}
