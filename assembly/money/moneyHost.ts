// SPDX-License-Identifier: Apache-2.0
// The owner's host as a money module sees it (External Interface; docs/protocol.cddl section 8,
// numbers 10, 11, 30 and 80-89), and what a module does when it starts.
import { Bytes, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { coseAssemble } from "../codec/cose";
import { journal } from "../flash/journal";
import { CERTIFICATE_KIND, CERTIFICATE_OFFSET, sweepCertificates } from "../note/certificateStore";
import { ID_SIZE } from "../note/limits";
import { NOTE_KIND, NOTE_STATE_KIND, NoteRecord } from "../note/noteRecord";
import { composeHost, failCommand, INBOX, sendHost } from "../session/buffers";
import { HostInterface, Item } from "../session/hostInterface";
import { NetworkPath } from "../session/networkPath";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { endRunningCommands } from "./commands";
import { directory, notes, writeBalance } from "./moneyHolder";
import { firstPayment, nextPayment, PaymentRecord, PaymentState } from "./paymentRecord";
import { Resume } from "./resume";
import { tellStatus } from "./toTeller";
import { tranLog } from "./tranLog";

/** Commands of all money modules by number. */
namespace Command {
  export const NETWORK: i32 = 10;
  export const LEAVE_NETWORK: i32 = 11;
  export const STATUS: i32 = 30;
  export const BALANCE: i32 = 80;
  export const RESUME: i32 = 89;
}

const EXPORT_NOTES: i32 = 2;
const EXPORT_CERTIFICATES: i32 = 3;
const EXPORT_DOUBTFUL: i32 = 4;
const EXPORT_ABORTED: i32 = 5;

export abstract class MoneyHost extends HostInterface {
  protected resume: Resume;
  private peers: NetworkPath;

  /** `peers`: the path to banks and other servers. */
  constructor(name: Bytes, role: u8, resume: Resume, peers: NetworkPath) {
    super(name, role);
    this.resume = resume;
    this.peers = peers;
  }

  /**
   * A command that only this kind of module knows. A reason, UNKNOWN_COMMAND for what it does not
   * know either; 0 where the command was answered or will be.
   */
  protected abstract ownCommand(number: i32, fields: i32, body: CborReader): i32;

  started(): void {
    this.dropUnowned();
    sweepCertificates(INBOX);
    directory.rebuild();
    endRunningCommands(Reason.CONNECTION_LOST);
    this.resume.started();
  }

  command(number: i32, fields: i32, body: CborReader): void {
    const reason = this.run(number, fields, body);
    if (reason != Reason.NONE) failCommand(number, reason);
  }

  statementReceived(sessionTag: Bytes, pointer: usize, length: i32): void {
    this.resume.statementReceived(sessionTag, pointer, length);
  }

  exportItem(kind: i32, cursor: u32): Item {
    if (kind == EXPORT_NOTES) return exportNote(cursor, true);
    if (kind == EXPORT_CERTIFICATES) return exportCertificate(cursor);
    if (kind == EXPORT_DOUBTFUL) return exportNote(cursor, false);
    if (kind == EXPORT_ABORTED) return exportAborted(cursor);
    return new Item(null, -1);
  }

  logEntry(cursor: u32): Item {
    return tranLog.item(cursor);
  }

  /** A reason; 0 where the command was answered or will be. */
  private run(number: i32, fields: i32, body: CborReader): i32 {
    if (!identity.isCertified) return Reason.NOT_CERTIFIED;
    if (number == Command.NETWORK && fields == 1) return this.signOn(body);
    if (number == Command.LEAVE_NETWORK && fields == 0) return this.leaveNetwork(body);
    if (number == Command.STATUS && fields == 1) return tellStatus(body);
    if (number == Command.BALANCE && fields == 0) return this.balance(body);
    if (number == Command.RESUME && fields == 0) return this.askAll(body);
    return this.ownCommand(number, fields, body);
  }

  private signOn(body: CborReader): i32 {
    if (!body.view() || !body.atEnd()) return Reason.MALFORMED;
    const reason = this.peers.signOn(body.viewPointer, body.viewLength);
    if (reason != Reason.NONE) return reason;
    composeHost(Command.NETWORK, 0);
    sendHost();
    return Reason.NONE;
  }

  private leaveNetwork(body: CborReader): i32 {
    if (!body.atEnd()) return Reason.MALFORMED;
    this.peers.leave();
    composeHost(Command.LEAVE_NETWORK, 0);
    sendHost();
    return Reason.NONE;
  }

  private balance(body: CborReader): i32 {
    if (!body.atEnd()) return Reason.MALFORMED;
    writeBalance(composeHost(Command.BALANCE, 1));
    sendHost();
    return Reason.NONE;
  }

  private askAll(body: CborReader): i32 {
    if (!body.atEnd()) return Reason.MALFORMED;
    const count = this.resume.askAll();
    composeHost(Command.RESUME, 1).uint(<u64>count);
    sendHost();
    return Reason.NONE;
  }

  /** Notes that no promise of a payment names were on their way when the power went. */
  private dropUnowned(): void {
    let hash = notes.unownedAfter(0);
    while (hash != null) {
      const key = notes.key;
      notes.drop(hash);
      hash = notes.unownedAfter(key);
    }
  }
}

/** Cursor to the first note from `slot` on, and from this key, that is owned or not, or -1. */
function findNote(slot: i32, cursor: u32, isOwned: bool, record: NoteRecord): i32 {
  for (; slot >= 0; slot = journal.next(NOTE_STATE_KIND, slot)) {
    const key = journal.keyAt(slot);
    if (key >= cursor && record.load(key) && record.owned == isOwned) break;
  }
  return slot;
}

/**
 * The owned note with the smallest key from `cursor` on, as [ body, [* transfer ] ]; or of those in
 * doubt the draft, as it came.
 */
function exportNote(cursor: u32, isOwned: bool): Item {
  const record = new NoteRecord();
  const slot = findNote(journal.first(NOTE_STATE_KIND), cursor, isOwned, record);
  if (slot < 0) return new Item(null, -1);
  const key = journal.keyAt(slot);
  const note = journal.load(NOTE_KIND, key);
  if (note == null) return new Item(null, -1);
  const content = isOwned ? ownedNote(note, record) : note;
  const following = findNote(journal.next(NOTE_STATE_KIND, slot), 0, isOwned, record);
  return new Item(content, following < 0 ? -1 : <i64>journal.keyAt(following));
}

/** A stored draft with its newest transfer signed. */
function ownedNote(note: Bytes, record: NoteRecord): Bytes {
  const start = pointerOf(note);
  const size = note.length + 128;
  const writer = new CborWriter(pointerOf(new StaticArray<u8>(size)), size);
  writer.array(2);
  writer.raw(start + 1, record.bodyLength);
  writer.array(record.transfers);
  writer.raw(start + <usize>record.transfersStart, record.transfersLength);
  const draft = start + <usize>record.draftStart;
  const kid = bytesOf(record.kid, ID_SIZE);
  writer.rawFrom(coseAssemble(draft, record.draftLength, kid, record.signature));
  return writer.taken();
}

/** The signed `aborted` of an exchange or refresh number `cursor` of those kept, from 0. */
function exportAborted(cursor: u32): Item {
  const record = new PaymentRecord();
  let content: Bytes | null = null;
  let number: u32 = 0;
  for (let slot = firstPayment(); slot >= 0; slot = nextPayment(slot)) {
    if (!record.load(slot) || record.state != PaymentState.ABORTED) continue;
    if (record.statement.length == 0) continue;
    if (number > cursor) return new Item(content, <i64>number);
    if (number++ == cursor) content = record.statement;
  }
  return new Item(content, -1);
}

/** Certificate number `cursor` of those that the notes refer to, from 1. */
function exportCertificate(cursor: u32): Item {
  let slot = journal.first(CERTIFICATE_KIND);
  for (let number: u32 = 1; slot >= 0 && number < cursor; number++) {
    slot = journal.next(CERTIFICATE_KIND, slot);
  }
  if (slot < 0) return new Item(null, -1);
  const key = journal.keyAt(slot);
  const length = journal.lengthOf(CERTIFICATE_KIND, key) - CERTIFICATE_OFFSET;
  const certificate = new StaticArray<u8>(length);
  journal.read(CERTIFICATE_KIND, key, CERTIFICATE_OFFSET, pointerOf(certificate), length);
  const hasNext = journal.next(CERTIFICATE_KIND, slot) >= 0;
  return new Item(certificate, hasNext ? <i64>cursor + 1 : -1);
}
