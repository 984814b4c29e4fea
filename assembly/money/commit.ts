// SPDX-License-Identifier: Apache-2.0
// Commit (Fig. 21) as docs/protocol.md section 4 rules it: the payee's `prepared` is durable before
// Ready-to-Commit, the payer's `committed` before the acknowledgement with the released signatures,
// and from Ready-to-Commit to the acknowledgement the payee is in doubt and never aborts by itself.
import { step } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { sha256 } from "../crypto/sha256";
import { journal, roomFor } from "../flash/journal";
import { HASH_SIZE, SIGNATURE_SIZE } from "../note/limits";
import { unpackUnit } from "../note/note";
import { Hashes } from "../note/notes";
import { Reason } from "../trust/reasons";
import { nowSeconds } from "../trust/signedTime";
import { putCommand } from "./commands";
import { ModuleMessage } from "./messages";
import { directory, notes } from "./moneyHolder";
import { Payment, Stage } from "./payment";
import { OwnSideKind, PaymentRecord, paymentRoom, PaymentState } from "./paymentRecord";
import {
  encodeReleased,
  isReady,
  isTransferSignature,
  readReleased,
  signDone,
  signReady,
} from "./statements";
import { isTransactionModule } from "./transferNotes";
import { tranLog } from "./tranLog";

/** Room for what must be written after a promise: record, log entry with its parts, command. */
function roomAfter(noteCount: i32): i32 {
  return paymentRoom(noteCount) + roomFor(48 + noteCount * 68) + roomFor(34);
}

const NO_HASHES: Hashes = new StaticArray<u8>(0);

/** The journal's record of a running payment, in the given state. */
function describe(payment: Payment, state: u8): PaymentRecord {
  const record = new PaymentRecord();
  const peer = payment.session!.peer;
  record.state = state;
  record.role = payment.role;
  record.ownSide = payment.ownSide.kind;
  record.kind = payment.kind;
  record.reason = <u8>payment.reason;
  // A command's owner reads the outcome when it likes; nobody has to note it.
  if (record.ownSide == OwnSideKind.COMMAND) record.setNoted();
  unpackUnit(payment.unit, record.unit);
  record.amount = payment.amount;
  record.horizon = payment.horizon;
  record.seconds = nowSeconds();
  record.payId = payment.payId;
  record.peer = peer.id;
  record.peerKeyBytes = peer.signingKey;
  record.draftsHashBytes = payment.draftsHash;
  record.evidence = payment.evidence;
  if (payment.commandId.length > 0) record.commandId = payment.commandId;
  return record;
}

export class Commit {
  /** Payee: the notes are verified and kept; promises to take them (1702). A reason, 0 if sent. */
  sendReady(payment: Payment): i32 {
    const session = payment.session!;
    const room = roomAfter(payment.hashes.length / HASH_SIZE);
    if (!journal.reserve(room)) return Reason.JOURNAL_FULL;
    payment.reservedBytes = room;
    const ready = signReady(payment.payId, payment.draftsHash, session.peer.id);
    if (ready == null) return Reason.FLASH_DAMAGED;
    const record = describe(payment, PaymentState.IN_DOUBT);
    record.hashes = payment.hashes;
    journal.begin();
    record.put();
    if (payment.commandId.length > 0) {
      putCommand(payment.commandId, payment.payId, PaymentState.IN_DOUBT, Reason.NONE);
    }
    if (!journal.commit(true)) return Reason.JOURNAL_FULL;
    payment.stage = Stage.ACKNOWLEDGEMENT_WANTED;
    step(1702);
    const writer = session.compose(ModuleMessage.READY_TO_COMMIT);
    writer.array(1);
    writer.rawFrom(ready);
    step(1704);
    session.send(true);
    return Reason.NONE;
  }

  /** Payer: the payee is ready; commits, then acknowledges. A reason, 0 if it committed. */
  readyReceived(payment: Payment, body: CborReader): i32 {
    const session = payment.session!;
    const outgoing = payment.outgoing!;
    const peer = session.peer;
    if (!isReady(body, payment.payId, payment.draftsHash, peer.id, peer.signingKey)) {
      return Reason.NOTE_SIGNATURE_WRONG;
    }
    const signatures = outgoing.sign();
    if (signatures == null) return Reason.FLASH_DAMAGED;
    payment.released = encodeReleased(payment.payId, signatures);
    hash(payment.released, payment.evidence);
    const record = describe(payment, PaymentState.COMMITTED);
    journal.begin();
    record.put();
    tranLog.put(record, payment);
    const isComplete = outgoing.putPaidOut();
    if (payment.commandId.length > 0) {
      putCommand(payment.commandId, payment.payId, PaymentState.COMMITTED, Reason.NONE);
    }
    const room = payment.reservedBytes;
    payment.reservedBytes = 0;
    if (!isComplete) {
      journal.cancel();
      journal.release(room);
      return Reason.FLASH_DAMAGED;
    }
    const isDurable = journal.commitReserved(true, room);
    // Room was promised, so the device itself failed, and only its next boot knows how far it came.
    assert(isDurable);
    directory.leave(outgoing.choice);
    step(1710);
    payment.state = PaymentState.COMMITTED;
    step(1706);
    session.compose(ModuleMessage.ACKNOWLEDGEMENT).rawFrom(payment.released);
    step(1708);
    session.send(true);
    step(1712);
    if (isTransactionModule()) step(1714);
    payment.ownSide.tellOutcome(payment);
    step(1716);
    payment.stage = Stage.OVER;
    return Reason.NONE;
  }

  /**
   * Payer: promises itself room before the notes leave; the commit must not fail for lack of it.
   */
  reserve(payment: Payment): bool {
    const room = roomAfter(payment.outgoing!.count);
    if (!journal.reserve(room)) return false;
    payment.reservedBytes = room;
    return true;
  }

  /**
   * Payee: the acknowledgement came in the payment's session (1708); wrong signatures change
   * nothing.
   */
  acknowledgementReceived(payment: Payment, pointer: usize, length: i32): void {
    const record = PaymentRecord.find(payment.payId);
    if (record == null || !this.acknowledged(record, pointer, length)) return;
    payment.reservedBytes = 0;
    payment.state = PaymentState.COMMITTED;
    payment.evidence = record.evidence;
    this.sendDone(payment);
    step(1720);
    if (isTransactionModule()) step(1722);
    payment.ownSide.tellOutcome(payment);
    step(1724);
    payment.stage = Stage.OVER;
  }

  /**
   * Payee: the released signatures, by a session or by any other path. Whether they are right for
   * the payment of `record`, which is then committed.
   */
  acknowledged(record: PaymentRecord, pointer: usize, length: i32): bool {
    const hashes = record.hashes;
    const count = hashes.length / HASH_SIZE;
    const signatures = readReleased(pointer, length, record.payId);
    if (signatures == null || signatures.length != count * SIGNATURE_SIZE) return false;
    for (let i = 0; i < count; i++) {
      const draft = notes.draft(pointerOf(hashes) + <usize>(i * HASH_SIZE));
      const signature = pointerOf(signatures) + <usize>(i * SIGNATURE_SIZE);
      if (draft == null || !isTransferSignature(draft, signature, record.peerKey)) return false;
    }
    const evidence = new StaticArray<u8>(HASH_SIZE);
    sha256(pointer, length, pointerOf(evidence));
    return this.own(record, hashes, signatures, evidence);
  }

  /** Payee: says that the notes arrived; a repetition of Ready-to-Commit's answer needs no more. */
  private sendDone(payment: Payment): void {
    const session = payment.session;
    const done = signDone(payment.payId);
    if (session == null || done == null) return;
    const writer = session.compose(ModuleMessage.DONE);
    writer.array(1);
    writer.rawFrom(done);
    session.send(false);
  }

  /** Makes the notes this module's own, in one append. */
  private own(record: PaymentRecord, hashes: Hashes, signatures: Bytes, evidence: Bytes): bool {
    record.state = PaymentState.COMMITTED;
    record.seconds = nowSeconds();
    record.evidence = evidence;
    const room = roomAfter(hashes.length / HASH_SIZE);
    journal.begin();
    tranLog.put(record, null);
    record.hashes = NO_HASHES;
    const isComplete = notes.putOwned(hashes, signatures);
    // A command's payment needs nobody to note it: its command remembers the outcome.
    if (record.ownSide == OwnSideKind.COMMAND) record.remove();
    else record.put();
    putCommand(record.commandId, record.payId, PaymentState.COMMITTED, Reason.NONE);
    if (!isComplete || !journal.commitReserved(true, room)) {
      journal.cancel();
      record.hashes = hashes;
      record.state = PaymentState.IN_DOUBT;
      return false;
    }
    step(1718);
    notes.enter(hashes);
    step(1608);
    return true;
  }
}

/** The room that `Commit` uses after a promise about `noteCount` notes; promised again at boot. */
export function promisedRoom(noteCount: i32): i32 {
  return roomAfter(noteCount);
}

function hash(bytes: Bytes, output: Bytes): void {
  sha256(pointerOf(bytes), bytes.length, pointerOf(output));
}

/** The one of this module. */
export const commit: Commit = new Commit();
