// SPDX-License-Identifier: Apache-2.0
// Commit (Fig. 21) as docs/protocol.md section 4 rules it: the payee's `prepared` is durable before
// Ready-to-Commit, the payer's `committed` before the acknowledgement with the released signatures,
// and from Ready-to-Commit to the acknowledgement the payee is in doubt and never aborts by itself.
import { step } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { sha256 } from "../crypto/sha256";
import { journal, roomFor } from "../flash/journal";
import { HASH_SIZE, SIGNATURE_SIZE } from "../note/limits";
import { unpackUnit } from "../note/note";
import { DRAFT, Hashes } from "../note/notes";
import { Reason } from "../trust/reasons";
import { nowSeconds } from "../trust/signedTime";
import { putCommand } from "./commands";
import { ModuleMessage } from "./messages";
import { directory, notes } from "./moneyHolder";
import { Payment, Stage } from "./payment";
import { evidenceOf, evidenceSize } from "./paymentEvidence";
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
import { NO_EVIDENCE, roomForEntry, tranLog } from "./tranLog";

/**
 * Room for what must be written after a promise about so many notes received and paid: record, log
 * entries with their parts, command.
 */
function roomAfter(received: i32, paid: i32): i32 {
  const logs = roomForEntry(received, 0) + roomForEntry(paid, evidenceSize(paid));
  return paymentRoom(received, paid) + logs + roomFor(34);
}

/** Of that room: by how much a claim with a long account makes its payment's record longer. */
export const CLAIM_ROOM: i32 = 168;

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
  record.counterUnit = payment.counterUnit;
  record.counterAmount = payment.counterAmount;
  if (payment.commandId.length > 0) record.commandId = payment.commandId;
  return record;
}

/**
 * Promises room to all that is written about the payment later; false where there is not so much.
 */
function reserveRoom(payment: Payment): bool {
  const outgoing = payment.outgoing;
  const paid = outgoing == null ? 0 : outgoing.count;
  const room = roomAfter(payment.hashes.length / HASH_SIZE, paid);
  if (!journal.reserve(room)) return false;
  payment.reservedBytes = room;
  return true;
}

export class Commit {
  /**
   * Payee: the notes are verified and kept; promises to take them (1702), and where it pays, too,
   * what it pays: its parts are reserved and its signatures go along. A reason, 0 if sent.
   */
  sendReady(payment: Payment): i32 {
    const session = payment.session!;
    const outgoing = payment.outgoing;
    if (!reserveRoom(payment)) return Reason.JOURNAL_FULL;
    const record = describe(payment, PaymentState.IN_DOUBT);
    record.hashes = payment.hashes;
    record.statement = payment.offer;
    if (outgoing != null) {
      const signatures = outgoing.sign();
      if (signatures == null) return Reason.FLASH_DAMAGED;
      payment.released = encodeReleased(payment.payId, signatures);
      record.promised = outgoing.choice;
    }
    journal.begin();
    record.put();
    if (payment.commandId.length > 0) {
      putCommand(payment.commandId, payment.payId, PaymentState.IN_DOUBT, Reason.NONE);
    }
    if (!journal.commit(true)) return Reason.JOURNAL_FULL;
    payment.stage = Stage.ACKNOWLEDGEMENT_WANTED;
    if (outgoing != null) directory.promise(outgoing.choice);
    // All that is still needed of it is in the record and in the released signatures.
    payment.outgoing = null;
    step(1702);
    // Without its keys the module says nothing, and the payment is in doubt like any unanswered
    // one.
    if (!this.writeReady(payment, session.compose(ModuleMessage.READY_TO_COMMIT))) {
      return Reason.FLASH_DAMAGED;
    }
    step(1704);
    session.send(true);
    return Reason.NONE;
  }

  /** Payee: writes [ Ready-to-Commit, ? released ]; false where the keys cannot be read. */
  writeReady(payment: Payment, writer: CborWriter): bool {
    const ready = signReady(payment);
    if (ready == null) return false;
    writer.array(payment.hasCounter ? 2 : 1);
    writer.rawFrom(ready);
    if (payment.hasCounter) writer.rawFrom(payment.released);
    return true;
  }

  /**
   * Payer: the payee is ready; commits, where both pay both legs in one append, then acknowledges.
   * A reason, 0 if it committed.
   */
  readyReceived(payment: Payment, body: CborReader): i32 {
    const session = payment.session!;
    const outgoing = payment.outgoing!;
    const received = payment.hashes;
    const key = pointerOf(session.peer.signingKey);
    if (!body.arrayOf(payment.hasCounter ? 2 : 1) || !body.raw()) return Reason.MALFORMED;
    if (!isReady(payment, body.viewPointer, body.viewLength)) return Reason.NOTE_SIGNATURE_WRONG;
    const evidence = evidenceOf(payment, body.viewPointer, body.viewLength);
    let counterSignatures: Bytes | null = null;
    if (payment.hasCounter) {
      if (!body.raw()) return Reason.MALFORMED;
      const place = body.viewPointer;
      counterSignatures = releasedFor(received, key, payment.payId, place, body.viewLength);
      if (counterSignatures == null) return Reason.RELEASE_WRONG;
    }
    if (!body.atEnd()) return Reason.MALFORMED;
    const signatures = outgoing.sign();
    if (signatures == null) return Reason.FLASH_DAMAGED;
    payment.released = encodeReleased(payment.payId, signatures);
    hash(payment.released, payment.evidence);
    const record = describe(payment, PaymentState.COMMITTED);
    journal.begin();
    record.put();
    tranLog.put(record, received, outgoing.choice, evidence);
    let isComplete = notes.putPaidOut(outgoing.choice);
    if (counterSignatures != null) {
      isComplete = notes.putOwned(received, counterSignatures) && isComplete;
    }
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
    directory.promise(outgoing.choice);
    directory.leave(outgoing.choice);
    notes.enter(received);
    step(1710);
    // Decided, whatever becomes of the session now.
    payment.stage = Stage.OVER;
    payment.state = PaymentState.COMMITTED;
    step(1706);
    session.compose(ModuleMessage.ACKNOWLEDGEMENT).rawFrom(payment.released);
    step(1708);
    session.send(true);
    step(1712);
    if (isTransactionModule()) step(1714);
    payment.ownSide.tellOutcome(payment);
    step(1716);
    return Reason.NONE;
  }

  /**
   * Payer: promises itself room before the notes leave; the commit must not fail for lack of it.
   */
  reserve(payment: Payment): bool {
    return reserveRoom(payment);
  }

  /**
   * Payee: the acknowledgement came in the payment's session (1708); wrong signatures change
   * nothing.
   */
  acknowledgementReceived(payment: Payment, pointer: usize, length: i32): void {
    const record = PaymentRecord.find(payment.payId);
    if (record == null || !this.acknowledged(record, pointer, length)) return;
    payment.reservedBytes = 0;
    payment.stage = Stage.OVER;
    payment.state = PaymentState.COMMITTED;
    payment.evidence = record.evidence;
    this.sendDone(payment);
    step(1720);
    if (isTransactionModule()) step(1722);
    payment.ownSide.tellOutcome(payment);
    step(1724);
  }

  /**
   * Payee: the released signatures, by a session or by any other path. Whether they are right for
   * the payment of `record`, which is then committed.
   */
  acknowledged(record: PaymentRecord, pointer: usize, length: i32): bool {
    const hashes = record.hashes;
    const signatures = releasedFor(hashes, record.peerKey, record.payId, pointer, length);
    if (signatures == null) return false;
    const evidence = new StaticArray<u8>(HASH_SIZE);
    sha256(pointer, length, pointerOf(evidence));
    return this.own(record, hashes, signatures, evidence);
  }

  /**
   * Payee: the Certification Agency has paid the claim into an account, so the notes are nobody's
   * any more. `evidence`: hash of its verdict. Whether that is durable.
   */
  paidByAgency(record: PaymentRecord, evidence: Bytes): bool {
    return this.own(record, record.hashes, null, evidence);
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

  /**
   * Makes the notes this module's own, and pays what it promised for them, in one append. Without
   * signatures the notes go: what they were worth was paid another way.
   */
  private own(
    record: PaymentRecord,
    hashes: Hashes,
    signatures: Bytes | null,
    evidence: Bytes,
  ): bool {
    record.state = PaymentState.COMMITTED;
    record.seconds = nowSeconds();
    record.evidence = evidence;
    const promised = record.promised;
    const statement = record.statement;
    const room = promisedRoom(record);
    journal.begin();
    tranLog.put(record, hashes, promised, NO_EVIDENCE);
    record.hashes = NO_HASHES;
    record.promised = null;
    record.statement = NO_HASHES;
    let isComplete = true;
    if (signatures != null) isComplete = notes.putOwned(hashes, signatures);
    else notes.putDropped(hashes);
    if (promised != null) isComplete = notes.putPaidOut(promised) && isComplete;
    // A command's payment needs nobody to note it: its command remembers the outcome.
    if (record.ownSide == OwnSideKind.COMMAND) record.remove();
    else record.put();
    putCommand(record.commandId, record.payId, PaymentState.COMMITTED, record.reason);
    if (!isComplete || !journal.commitReserved(true, room)) {
      journal.cancel();
      record.hashes = hashes;
      record.promised = promised;
      record.statement = statement;
      record.state = PaymentState.IN_DOUBT;
      return false;
    }
    if (promised != null) directory.leave(promised);
    if (signatures != null) {
      step(1718);
      notes.enter(hashes);
      step(1608);
    }
    return true;
  }
}

/** The room that is used after a payee's promise; promised again at boot. */
export function promisedRoom(record: PaymentRecord): i32 {
  const promised = record.promised;
  const paid = promised == null ? 0 : promised.count;
  const room = roomAfter(record.hashes.length / HASH_SIZE, paid);
  return record.isClaimed ? room - CLAIM_ROOM : room;
}

/**
 * The signatures that [ pay-id, [+ signature] ] at `pointer` releases, 64 bytes each, where they
 * are right for the kept notes named by `hashes`, under the 32-byte key at `key`; else null.
 */
function releasedFor(
  hashes: Hashes,
  key: usize,
  payId: Bytes,
  pointer: usize,
  length: i32,
): Bytes | null {
  const count = hashes.length / HASH_SIZE;
  const signatures = readReleased(pointer, length, payId);
  if (signatures == null || signatures.length != count * SIGNATURE_SIZE) return null;
  for (let i = 0; i < count; i++) {
    const draftLength = notes.readDraft(pointerOf(hashes) + <usize>(i * HASH_SIZE));
    const signature = pointerOf(signatures) + <usize>(i * SIGNATURE_SIZE);
    if (!isTransferSignature(DRAFT, draftLength, signature, key)) return null;
  }
  return signatures;
}

function hash(bytes: Bytes, output: Bytes): void {
  sha256(pointerOf(bytes), bytes.length, pointerOf(output));
}

/** The one of this module. */
export const commit: Commit = new Commit();
