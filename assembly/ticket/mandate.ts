// SPDX-License-Identifier: Apache-2.0
// The signed objects of the card side (docs/protocol.md section 6): the customer's mandate, the
// issuer's approval, the merchant's completion, the issuer's posting. Merchant's agent and
// customer's agent act on these alone, never on what a host says the card network said.
import { Bytes, equalAt, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { sha256 } from "../crypto/sha256";
import { PurchaseTerms } from "./receipt";

/** Seconds in which the issuer may take up a mandate: as long as an offer stands. */
export const MANDATE_SECONDS: u64 = 600;
/** The only purpose of a mandate: electronic money. */
const PURPOSE_MONEY: u64 = 1;
/** Room for the payload of a mandate, 160 bytes at most. */
const MANDATE_SIZE_MAX: i32 = 192;

/** What a completion reports and a posting confirms. */
export namespace Settlement {
  export const POST: i32 = 1;
  export const VOID: i32 = 2;
  /** In a posting only: the issuer will do neither. */
  export const REFUSED: i32 = 3;
}

/** An approval whose signature held. */
export class Approval {
  isApproved: bool = false;
  /** The network's two-character response code. */
  code!: Bytes;
  /** Seconds since 1970: when the hold lapses. */
  until: u64 = 0;
}

/** Writes the payload of the mandate for these terms (12 elements). */
export function writeMandate(
  writer: CborWriter,
  terms: PurchaseTerms,
  notAfter: u64,
  receiptHash: Bytes,
): void {
  const offer = terms.offer;
  writer.array(12);
  writer.bytesFrom(terms.transactionId);
  writer.uint(u64(offer.rate.direction));
  writer.bytesFrom(terms.credential);
  writer.uint(terms.authorization);
  writer.textFrom(offer.accountUnit);
  writer.uint(terms.fee);
  writer.uint(terms.money);
  writer.textFrom(offer.moneyUnit);
  writer.bytesFrom(terms.merchantCredential);
  writer.uint(notAfter);
  writer.uint(PURPOSE_MONEY);
  writer.bytesFrom(receiptHash);
}

/**
 * True if the payload is the mandate for exactly these terms and receipt, good until some time
 * from `now` on. What it must be is written again and compared: the encoding is the only one.
 */
export function mandateAgrees(
  signed: CoseSign1,
  terms: PurchaseTerms,
  now: u64,
  receiptHash: Bytes,
): bool {
  const reader = new CborReader(signed.payloadPointer, signed.payloadLength);
  reader.arrayOf(12);
  for (let i = 0; i < 9; ++i) reader.skip();
  const notAfter = reader.u64();
  if (reader.failed || notAfter < now) return false;
  const expected = new StaticArray<u8>(MANDATE_SIZE_MAX);
  const writer = new CborWriter(pointerOf(expected), MANDATE_SIZE_MAX);
  writeMandate(writer, terms, notAfter, receiptHash);
  if (writer.overflow || writer.length != signed.payloadLength) return false;
  return memory.compare(writer.pointer, signed.payloadPointer, usize(writer.length)) == 0;
}

/** SHA-256 of a signed object's payload: how the other three objects name the mandate. */
export function payloadHash(signed: CoseSign1): Bytes {
  const hash = new StaticArray<u8>(32);
  sha256(signed.payloadPointer, signed.payloadLength, pointerOf(hash));
  return hash;
}

/** Reads an approval of this mandate signed by the card's approval key; null otherwise. */
export function readApproval(
  pointer: usize,
  length: i32,
  mandateHash: Bytes,
  approvalKey: Bytes,
): Approval | null {
  const signed = new CoseSign1();
  // The key stands in the card credential; a kid has nothing to name.
  if (!signed.parse(pointer, length) || signed.kidPointer != 0) return null;
  const reader = new CborReader(signed.payloadPointer, signed.payloadLength);
  reader.arrayOf(4);
  if (!reader.view() || reader.viewLength != 32) return null;
  if (!equalAt(mandateHash, reader.viewPointer)) return null;
  const approval = new Approval();
  approval.isApproved = reader.bool();
  approval.code = reader.text(2);
  approval.until = reader.u64();
  if (reader.failed || !reader.atEnd() || approval.code.length != 2) return null;
  if (!signed.verify(Purpose.APPROVAL, pointerOf(approvalKey))) return null;
  return approval;
}

/** Writes the payload of a completion (2 elements). */
export function writeCompletion(writer: CborWriter, mandateHash: Bytes, settlement: i32): void {
  writer.array(2);
  writer.bytesFrom(mandateHash);
  writer.uint(u64(settlement));
}

/** Reads the settlement that a posting of this mandate states; 0 where it is not a valid one. */
export function readPosting(
  pointer: usize,
  length: i32,
  mandateHash: Bytes,
  approvalKey: Bytes,
): i32 {
  const signed = new CoseSign1();
  if (!signed.parse(pointer, length) || signed.kidPointer != 0) return 0;
  const reader = new CborReader(signed.payloadPointer, signed.payloadLength);
  reader.arrayOf(2);
  if (!reader.view() || reader.viewLength != 32) return 0;
  if (!equalAt(mandateHash, reader.viewPointer)) return 0;
  const settlement = i32(reader.uintAtMost(Settlement.REFUSED));
  if (reader.failed || !reader.atEnd()) return 0;
  return signed.verify(Purpose.POSTING, pointerOf(approvalKey)) ? settlement : 0;
}
