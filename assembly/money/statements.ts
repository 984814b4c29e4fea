// SPDX-License-Identifier: Apache-2.0
// The signed statements about a payment (docs/protocol.cddl section 6): Ready-to-Commit, question,
// answer, done; and the acknowledgement, whose released signatures prove themselves. Each says all
// that is needed to believe it, so it may come by any path (docs/protocol.md rule 4.5).
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import {
  AMOUNT_LIMIT,
  ID_SIZE,
  PACKET_NOTES_LIMIT,
  PAY_ID_SIZE,
  SIGNATURE_SIZE,
} from "../note/limits";
import { writeUnit } from "../note/note";
import { identity } from "../trust/identity";
import { nowSeconds } from "../trust/signedTime";
import { Payment } from "./payment";
import { PaymentRecord } from "./paymentRecord";

/** What a module answers to a question about a payment it did not commit. */
export namespace Answer {
  export const ABORTED: u8 = 1;
  export const UNKNOWN: u8 = 2;
  export const NOT_YOURS: u8 = 3;
}

const PAYLOAD_LIMIT: i32 = 144;
/** What Ready-to-Commit is about, besides the drafts. */
const SUBJECT_LIMIT: i32 = 40;
/** Longest Ready-to-Commit of a payment between two devices in which one pays. */
export const READY_SIZE_LIMIT: i32 = 208;
/** A question without drafts; with the head of each draft of a payee's. */
const QUESTION_LIMIT: i32 = 96;
const DRAFT_HEAD: i32 = 2;

/**
 * [ pay-id, drafts, payer, payee, seconds, ? counter-drafts / order ] of a payment that this module
 * receives, signed; null where the keys cannot be read.
 */
export function signReady(payment: Payment): Bytes | null {
  const writer = new CborWriter(pointerOf(new StaticArray<u8>(PAYLOAD_LIMIT)), PAYLOAD_LIMIT);
  const subject = subjectOf(payment);
  writer.array(subject.length > 0 ? 6 : 5);
  writer.bytesFrom(payment.payId);
  writer.bytesFrom(payment.draftsHash);
  writer.bytesFrom(payment.session!.peer.id);
  writer.bytesFrom(identity.certificate.id);
  writer.uint(nowSeconds());
  writer.rawFrom(subject);
  return identity.sign(Purpose.READY_TO_COMMIT, writer.pointer, writer.length);
}

/** Whether these bytes are the payee's Ready-to-Commit for exactly this payment's drafts. */
export function isReady(payment: Payment, pointer: usize, length: i32): bool {
  const cose = new CoseSign1();
  const peer = payment.session!.peer;
  if (!cose.parse(pointer, length)) return false;
  const reader = new CborReader(cose.payloadPointer, cose.payloadLength);
  const subject = subjectOf(payment);
  reader.arrayOf(subject.length > 0 ? 6 : 5);
  const isOurs =
    isNext(reader, payment.payId) &&
    isNext(reader, payment.draftsHash) &&
    isNext(reader, identity.certificate.id) &&
    isNext(reader, peer.id);
  reader.uintAtMost(AMOUNT_LIMIT);
  if (subject.length > 0) {
    if (!reader.raw() || reader.viewLength != subject.length) return false;
    if (memory.compare(reader.viewPointer, pointerOf(subject), subject.length) != 0) return false;
  }
  if (!isOurs || !reader.atEnd()) return false;
  return cose.verify(Purpose.READY_TO_COMMIT, pointerOf(peer.signingKey));
}

/**
 * What Ready-to-Commit is about besides the payer's drafts, encoded: where both pay the payee's own
 * drafts, else the agents' transaction and the amount, which ties a sale's mandate to its money
 * (protocol rule 6.1). Empty with a bank's module.
 */
function subjectOf(payment: Payment): Bytes {
  const writer = new CborWriter(pointerOf(new StaticArray<u8>(SUBJECT_LIMIT)), SUBJECT_LIMIT);
  if (payment.hasCounter) {
    writer.bytesFrom(payment.counterHash);
  } else if (payment.transactionId.length > 0) {
    writer.array(3);
    writer.bytesFrom(payment.transactionId);
    writeUnit(writer, payment.unit);
    writer.uint(payment.amount);
  }
  return writer.taken();
}

/** [ pay-id, answerer, state, seconds ], signed. */
export function signAnswer(payId: Bytes, state: u8): Bytes | null {
  const writer = new CborWriter(pointerOf(new StaticArray<u8>(PAYLOAD_LIMIT)), PAYLOAD_LIMIT);
  writer.array(4);
  writer.bytesFrom(payId);
  writer.bytesFrom(identity.certificate.id);
  writer.uint(<u64>state);
  writer.uint(nowSeconds());
  return identity.sign(Purpose.ANSWER, writer.pointer, writer.length);
}

/** [ pay-id, payee, seconds ], signed by this module as the payee. */
export function signDone(payId: Bytes): Bytes | null {
  const writer = new CborWriter(pointerOf(new StaticArray<u8>(PAYLOAD_LIMIT)), PAYLOAD_LIMIT);
  writer.array(3);
  writer.bytesFrom(payId);
  writer.bytesFrom(identity.certificate.id);
  writer.uint(nowSeconds());
  return identity.sign(Purpose.DONE, writer.pointer, writer.length);
}

/** A question about the payment of `record`, signed; `drafts` only where this module is payee. */
export function signQuestion(record: PaymentRecord, drafts: StaticArray<Bytes>): Bytes | null {
  let limit = QUESTION_LIMIT;
  for (let i = 0; i < drafts.length; i++) limit += drafts[i].length + DRAFT_HEAD;
  const writer = new CborWriter(pointerOf(new StaticArray<u8>(limit)), limit);
  writer.array(6);
  writer.bytesFrom(record.payId);
  writer.bytesFrom(identity.certificate.id);
  writer.bytesFrom(record.peer);
  writer.uint(<u64>record.role);
  writer.uint(record.horizon);
  writer.array(drafts.length);
  for (let i = 0; i < drafts.length; i++) writer.bytesFrom(drafts[i]);
  return identity.sign(Purpose.QUESTION, writer.pointer, writer.length);
}

/** [ pay-id, [+ signature] ]: the acknowledgement. `signatures`: 64 bytes each. */
export function encodeReleased(payId: Bytes, signatures: Bytes): Bytes {
  const count = signatures.length / SIGNATURE_SIZE;
  // Exact: heads of one byte for both arrays (a packet has few notes) and the pay id, of two else.
  const released = new StaticArray<u8>(3 + PAY_ID_SIZE + count * (SIGNATURE_SIZE + 2));
  const writer = new CborWriter(pointerOf(released), released.length);
  writer.array(2);
  writer.bytesFrom(payId);
  writer.array(count);
  for (let i = 0; i < count; i++) {
    writer.bytes(pointerOf(signatures) + <usize>(i * SIGNATURE_SIZE), SIGNATURE_SIZE);
  }
  return released;
}

/** Reads an acknowledgement: the signatures, 64 bytes each, or null where its form is wrong. */
export function readReleased(pointer: usize, length: i32, payId: Bytes): Bytes | null {
  const reader = new CborReader(pointer, length);
  if (!reader.arrayOf(2) || !isNext(reader, payId)) return null;
  const count = reader.array();
  if (count <= 0 || count > PACKET_NOTES_LIMIT) return null;
  const signatures = new StaticArray<u8>(count * SIGNATURE_SIZE);
  for (let i = 0; i < count; i++) {
    if (!reader.view() || reader.viewLength != SIGNATURE_SIZE) return null;
    const place = pointerOf(signatures) + <usize>(i * SIGNATURE_SIZE);
    memory.copy(place, reader.viewPointer, SIGNATURE_SIZE);
  }
  return reader.atEnd() ? signatures : null;
}

/** One for all transfers: a packet has many. */
const cose: CoseSign1 = new CoseSign1();

/** Whether a signature (64 bytes) is `key`'s over the draft transfer's payload at `draft`. */
export function isTransferSignature(
  draft: usize,
  draftLength: i32,
  signature: usize,
  key: usize,
): bool {
  cose.payloadPointer = draft;
  cose.payloadLength = draftLength;
  cose.signaturePointer = signature;
  return cose.verify(Purpose.TRANSFER, key);
}

/** A question as it lies in memory. */
export class QuestionView {
  cose: CoseSign1 = new CoseSign1();
  payId: Bytes = new StaticArray<u8>(0);
  asker: Bytes = new StaticArray<u8>(0);
  peer: Bytes = new StaticArray<u8>(0);
  /** The asker's role: 1 payer, 2 payee. */
  role: u8 = 0;
  horizon: u64 = 0;
  drafts: StaticArray<Bytes> = new StaticArray<Bytes>(0);

  parse(pointer: usize, length: i32): bool {
    if (!this.cose.parse(pointer, length)) return false;
    const reader = new CborReader(this.cose.payloadPointer, this.cose.payloadLength);
    reader.arrayOf(6);
    this.payId = reader.bytesExact(PAY_ID_SIZE);
    this.asker = reader.bytesExact(ID_SIZE);
    this.peer = reader.bytesExact(ID_SIZE);
    this.role = <u8>reader.uintAtMost(2);
    this.horizon = reader.uintAtMost(AMOUNT_LIMIT);
    const count = reader.array();
    if (reader.failed || count > PACKET_NOTES_LIMIT) return false;
    this.drafts = new StaticArray<Bytes>(count);
    for (let i = 0; i < count; i++) this.drafts[i] = reader.bytesAtMost(112);
    return reader.atEnd() && this.role != 0;
  }
}

/** Reads the next byte string; whether it is exactly `expected`. */
export function isNext(reader: CborReader, expected: Bytes): bool {
  if (!reader.view() || reader.viewLength != expected.length) return false;
  return memory.compare(reader.viewPointer, pointerOf(expected), expected.length) == 0;
}
