// SPDX-License-Identifier: Apache-2.0
// Money generator 202: serves issues with new notes, one each, and takes notes of its bank for
// redemption. A body is signed here and worth nothing before its first transfer is released; an
// issue that is aborted leaves none. What was redeemed is kept until the bank has reconciled it.
import { random } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborWriter } from "../codec/cborWriter";
import { Purpose } from "../codec/purpose";
import { NOTE_ID_SIZE, NOTE_LIFE_SECONDS, SECONDS_PER_HOUR } from "../note/limits";
import { Found } from "../note/directory";
import { OutgoingNotes } from "../note/outgoing";
import { writeUnit } from "../note/note";
import { identity } from "../trust/identity";
import { nowSeconds } from "../trust/signedTime";
import { notes } from "./moneyHolder";
import { Payment } from "./payment";
import { ToBank } from "./toBank";

/** Kind of body: currency, a claim on the issuing bank; credit notes are of kind 2. */
const CURRENCY: u64 = 1;
const BODY_LIMIT: i32 = 176;

export class Generator extends ToBank {
  reconciled(hash: Bytes): i32 {
    return notes.forget(pointerOf(hash));
  }

  protected takeNotes(payment: Payment): i32 {
    return makeNote(payment) ? Found.CHOSEN : Found.FAILED;
  }
}

/** Makes the payment's one note, for its whole amount; false without random numbers or keys. */
function makeNote(payment: Payment): bool {
  const noteId = new StaticArray<u8>(NOTE_ID_SIZE);
  if (random(pointerOf(noteId), NOTE_ID_SIZE) != 0) return false;
  const now = nowSeconds();
  const issued = now - (now % SECONDS_PER_HOUR);
  const certificate = identity.certificate;
  const writer = new CborWriter(pointerOf(new StaticArray<u8>(BODY_LIMIT)), BODY_LIMIT);
  writer.array(9);
  writer.uint(CURRENCY);
  writer.textFrom(certificate.organisation);
  writeUnit(writer, payment.unit);
  writer.bytesFrom(noteId);
  writer.uint(payment.amount);
  writer.uint(issued);
  writer.uint(issued + NOTE_LIFE_SECONDS);
  writer.bytesFrom(certificate.id);
  writer.nil();
  const body = identity.sign(Purpose.NOTE_BODY, writer.pointer, writer.length);
  if (body == null || writer.overflow) return false;
  const outgoing = new OutgoingNotes();
  outgoing.newBody = body;
  payment.outgoing = outgoing;
  return true;
}
