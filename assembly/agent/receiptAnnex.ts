// SPDX-License-Identifier: Apache-2.0
// The annex of a receipt between the two agents (step 634): the customer's agent signs how the
// payment ended, the merchant's countersigns what agrees with its own outcome. A countersignature
// that does not come changes nothing (docs/protocol.md section 5).
import { Bytes, bytesEqual, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { Annex, readAnnex, writeAnnex } from "../ticket/annex";
import { payloadWriter, signWritten } from "../ticket/issue";
import { Ticket } from "../ticket/ticket";
import { Certificate } from "../trust/certificate";
import { nowSeconds } from "../trust/signedTime";
import { PaymentOutcome } from "./paymentOutcome";
import { addEvidence } from "./tranLog";

/** The customer's annex for `receipt` and the outcome of its payment; null where signing fails. */
export function signAnnex(receipt: Ticket, outcome: PaymentOutcome): Bytes | null {
  const annex = new Annex();
  annex.receiptHash = receipt.payloadHash();
  annex.payId = outcome.payId;
  annex.state = outcome.state;
  annex.amount = outcome.amount;
  annex.seconds = nowSeconds();
  annex.evidence = outcome.evidence;
  const payload = payloadWriter();
  writeAnnex(payload, annex);
  return signWritten(Purpose.ANNEX, payload);
}

/** The one signed object that a message carries; null where it carries none. */
export function signedIn(body: CborReader): Bytes | null {
  body.arrayOf(1);
  if (!body.raw() || !body.atEnd()) return null;
  return bytesOf(body.viewPointer, body.viewLength);
}

/** Customer: keeps the countersignature of `merchant` over the payload of `own` in the log. */
export function keepCountersigned(
  body: CborReader,
  own: Bytes,
  merchant: Certificate,
  logKey: u32,
): void {
  const theirs = signedIn(body);
  if (theirs === null) return;
  const one = new CoseSign1();
  const other = new CoseSign1();
  if (!one.parse(pointerOf(own), own.length)) return;
  if (!other.parse(pointerOf(theirs), theirs.length)) return;
  if (!bytesEqual(one.payload(), other.payload())) return;
  if (!other.verify(Purpose.ANNEX, pointerOf(merchant.signingKey))) return;
  addEvidence(logKey, theirs);
}

/** Merchant: countersigns the customer's annex if it says what the own module said; else null. */
export function countersign(
  theirs: Bytes,
  customer: Certificate,
  receiptHash: Bytes,
  outcome: PaymentOutcome,
): Bytes | null {
  const signed = new CoseSign1();
  if (!signed.parse(pointerOf(theirs), theirs.length)) return null;
  const annex = readAnnex(signed);
  if (annex === null || annex.state != outcome.state || annex.amount != outcome.amount) return null;
  if (!bytesEqual(annex.receiptHash, receiptHash)) return null;
  if (!bytesEqual(annex.payId, outcome.payId)) return null;
  if (!bytesEqual(annex.evidence, outcome.evidence)) return null;
  if (!signed.verify(Purpose.ANNEX, pointerOf(customer.signingKey))) return null;
  const payload = payloadWriter();
  payload.raw(signed.payloadPointer, signed.payloadLength);
  return signWritten(Purpose.ANNEX, payload);
}
