// SPDX-License-Identifier: Apache-2.0
// The questions of resume (docs/protocol.md rule 4.5): what this module asks the peers of its open
// payments, in a session with the peer or, with its own chain, as a statement through the hosts.
import { Port, random } from "../board";
import { Bytes, bytesOf, pointerOf } from "../codec/bytes";
import { HASH_SIZE } from "../note/limits";
import { DRAFT } from "../note/notes";
import { composeBody, sendBody } from "../session/buffers";
import { BodyKind } from "../session/peerBodies";
import { Session } from "../session/session";
import { identity } from "../trust/identity";
import { ModuleMessage } from "./messages";
import { notes } from "./moneyHolder";
import {
  firstPayment,
  nextPayment,
  PaymentRecord,
  PaymentRole,
  PaymentState,
} from "./paymentRecord";
import { payments } from "./payments";
import { signQuestion } from "./statements";

const TAG_SIZE: i32 = 8;

/** Journal key of the payment that `askAll` asked about last. */
let askedKey: u32 = 0;

/** Asks the session's peer about the first open payment with it behind journal key `after`. */
export function askNext(session: Session, after: u32): void {
  const record = new PaymentRecord();
  for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
    if (!record.load(cursor) || record.key <= after) continue;
    if (!isOpen(record) || !record.isWith(session.peer.id)) continue;
    // What runs in this very session needs no question, which would end it.
    if (payments.ofPayId(record.payId) != null) continue;
    askWith(session, record);
    return;
  }
}

/**
 * Asks about open payments by way of the PEER port, about one with each call and in turn; how
 * many there are (89).
 */
export function askAll(): i32 {
  let count = 0;
  const record = new PaymentRecord();
  let first: i32 = -1;
  let following: i32 = -1;
  for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
    if (!record.load(cursor) || !isOpen(record)) continue;
    if (count++ == 0) first = cursor;
    if (following < 0 && record.key > askedKey) following = cursor;
  }
  if (count > 0 && record.load(following >= 0 ? following : first)) {
    askedKey = record.key;
    ask(record);
  }
  return count;
}

/** Asks by way of the PEER port, under a new tag, where the payment is open; whether it is. */
export function ask(record: PaymentRecord): bool {
  if (!isOpen(record)) return false;
  const tag = new StaticArray<u8>(TAG_SIZE);
  const question = questionAbout(record);
  if (question == null || random(pointerOf(tag), TAG_SIZE) != 0) return false;
  sendQuestion(question, tag);
  return true;
}

/** Asks the session's peer about this payment (29). */
export function askWith(session: Session, record: PaymentRecord): void {
  const question = questionAbout(record);
  if (question == null) return;
  const writer = session.compose(ModuleMessage.OPEN_PAYMENTS);
  writer.array(1);
  writer.rawFrom(question);
  session.send(false);
}

/** Asks about this payment by way of the PEER port, under the tag of who asked first. */
export function askUnder(tag: Bytes, record: PaymentRecord): void {
  const question = questionAbout(record);
  if (question != null) sendQuestion(question, tag);
}

/** The signed question with this module's drafts; null where one of them cannot be read. */
function questionAbout(record: PaymentRecord): Bytes | null {
  const drafts = new StaticArray<Bytes>(record.hashes.length / HASH_SIZE);
  for (let i = 0; i < drafts.length; i++) {
    const length = notes.readDraft(pointerOf(record.hashes) + <usize>(i * HASH_SIZE));
    if (length == 0) return null;
    drafts[i] = bytesOf(DRAFT, length);
  }
  return signQuestion(record, drafts);
}

function sendQuestion(question: Bytes, tag: Bytes): void {
  const chain = identity.chain();
  if (chain == null) return;
  const writer = composeBody();
  writer.array(3);
  writer.uint(BodyKind.STATEMENT);
  writer.bytesFrom(tag);
  const mark = writer.beginBytes();
  writer.array(2);
  writer.rawFrom(question);
  writer.rawFrom(chain);
  writer.endBytes(mark);
  sendBody(Port.PEER);
}

/** Whether this module still has something to ask the peer about the payment. */
function isOpen(record: PaymentRecord): bool {
  if (record.role == PaymentRole.PAYEE) {
    return record.state == PaymentState.IN_DOUBT && !record.isClaimed;
  }
  return record.state == PaymentState.COMMITTED && !record.isDone;
}
