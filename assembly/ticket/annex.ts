// SPDX-License-Identifier: Apache-2.0
// The annex to a receipt: how its payment ended (step 634). Updating the receipt itself, as
// paragraph 141 has it, would break the issuer's signature over it, so the outcome stands beside
// it, signed by the customer's agent and countersigned by the merchant's over the same payload.
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { CoseSign1 } from "../codec/cose";
import { AMOUNT_MAX } from "./conversion";

/** The outcome of one payment; `evidence` is the hash of the modules' acknowledgement. */
export class Annex {
  receiptHash!: Bytes;
  payId!: Bytes;
  /** A payment-state of docs/protocol.cddl section 5. */
  state: i32 = 0;
  amount: u64 = 0;
  seconds: u64 = 0;
  evidence!: Bytes;
}

/** Writes the payload (6 elements). */
export function writeAnnex(writer: CborWriter, annex: Annex): void {
  writer.array(6);
  writer.bytesFrom(annex.receiptHash);
  writer.bytesFrom(annex.payId);
  writer.uint(u64(annex.state));
  writer.uint(annex.amount);
  writer.uint(annex.seconds);
  writer.bytesFrom(annex.evidence);
}

/** Reads the payload of a signed annex; null where out of form. The signature is the caller's. */
export function readAnnex(signed: CoseSign1): Annex | null {
  const reader = new CborReader(signed.payloadPointer, signed.payloadLength);
  const annex = new Annex();
  reader.arrayOf(6);
  annex.receiptHash = reader.bytesExact(32);
  annex.payId = reader.bytesExact(16);
  annex.state = i32(reader.uintAtMost(4));
  annex.amount = reader.uintAtMost(AMOUNT_MAX);
  annex.seconds = reader.u64();
  annex.evidence = reader.bytesExact(32);
  return reader.atEnd() && !reader.failed ? annex : null;
}
