// SPDX-License-Identifier: Apache-2.0
// Transfer Notes (Fig. 20): the payer's module sends drafts and a signed offer, the payee's
// verifies them and keeps them unowned. Nothing here moves money; commit.ts does.
import { step } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { chooseOldest } from "../note/bankChoice";
import { HASH_SIZE } from "../note/limits";
import { OutgoingNotes } from "../note/outgoing";
import { PacketView } from "../note/packetManager";
import { Expected, Verifier } from "../note/verifier";
import { composeBody } from "../session/buffers";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowSeconds } from "../trust/signedTime";
import { Found } from "../note/directory";
import { ModuleMessage, RequestKind } from "./messages";
import { directory, notes } from "./moneyHolder";
import { Payment, Stage } from "./payment";
import { tranLog } from "./tranLog";

const NO_ISSUER: Bytes = new StaticArray<u8>(0);

/** Whether this module's holder is a customer or merchant, and not a bank (step 1584). */
export function isTransactionModule(): bool {
  return identity.certificate.role == Role.TRANSACTION;
}

/** Why notes could not be had, by a number of `Found`. */
export function shortageReason(found: i32): i32 {
  if (found == Found.TOO_MANY_NOTES) return Reason.PACKET_TOO_LARGE;
  return found == Found.FAILED ? Reason.NO_RANDOM : Reason.INSUFFICIENT_FUNDS;
}

export class TransferNotes {
  private packet: PacketView = new PacketView();
  private verifier: Verifier = new Verifier(tranLog);
  private expected: Expected = new Expected();

  /** Payer: takes notes for the amount out of the directory for this payment (568-570, 1566). */
  choose(payment: Payment): i32 {
    const outgoing = new OutgoingNotes();
    const session = payment.session;
    const toBank = session != null && session.peer.role != Role.TRANSACTION;
    const choice = outgoing.choice;
    const found =
      payment.kind == RequestKind.REDEEM
        ? chooseForBank(payment, outgoing)
        : directory.choose(payment.unit, payment.amount, nowSeconds(), toBank, choice);
    if (found != Found.CHOSEN) return found;
    directory.reserve(choice, true);
    payment.outgoing = outgoing;
    return found;
  }

  /** Payer: makes the drafts and sends the packet. A reason; 0 where it went. */
  send(payment: Payment): i32 {
    const session = payment.session;
    const outgoing = payment.outgoing;
    if (session == null || outgoing == null) return Reason.WRONG_STATE;
    step(1566);
    if (!outgoing.prepare(payment.payId, session.peer.id, nowSeconds())) {
      return Reason.FLASH_DAMAGED;
    }
    payment.horizon = outgoing.horizon;
    payment.draftsHash = outgoing.draftsHash;
    if (!this.write(payment, session.compose(ModuleMessage.PACKET))) {
      return Reason.PACKET_TOO_LARGE;
    }
    payment.stage = Stage.READY_WANTED;
    step(1574);
    session.send(true);
    return Reason.NONE;
  }

  /** Payer: writes the packet of a payment whose drafts are made; the same bytes each time. */
  write(payment: Payment, writer: CborWriter): bool {
    const payee = payment.session!.peer.id;
    const outgoing = payment.outgoing!;
    return outgoing.write(writer, payment.payId, payee, payment.unit, payment.amount);
  }

  /** Payee: takes the packet apart, verifies it and keeps the notes. A reason; 0 if all is good. */
  packetReceived(payment: Payment, body: CborReader): i32 {
    step(1576);
    const packet = this.packet;
    const reason = packet.disassemble(body);
    if (reason != Reason.NONE) return reason;
    const expected = this.expected;
    expected.payId = pointerOf(payment.payId);
    expected.payer = payment.session!.peer;
    expected.unit = payment.unit;
    expected.amount = payment.amount;
    expected.nowSeconds = nowSeconds();
    expected.isTransactionModule = isTransactionModule();
    const verdict = this.verifier.verify(packet, expected);
    if (verdict != Reason.NONE) return verdict;
    // A bank takes it all the same, and its log says so.
    if (this.verifier.isHolderListed) payment.reason = Reason.NOTE_HOLDER_LISTED;
    step(1606);
    const hashes = notes.keep(packet);
    if (hashes == null) return Reason.JOURNAL_FULL;
    payment.hashes = hashes;
    payment.horizon = packet.offer.horizon;
    memory.copy(pointerOf(payment.draftsHash), packet.offer.draftsHash, HASH_SIZE);
    return Reason.NONE;
  }
}

/**
 * Takes notes worth the payment's amount at most, that only a bank takes first, as many as one
 * packet holds; the payment's amount is then what they come to. A number of `Found`.
 */
function chooseForBank(payment: Payment, outgoing: OutgoingNotes): i32 {
  const peer = payment.session!.peer;
  const now = nowSeconds();
  const choice = outgoing.choice;
  const issuer = payment.kind == RequestKind.REDEEM ? peer.organisation : NO_ISSUER;
  payment.amount = chooseOldest(directory, payment.unit, payment.amount, now, issuer, choice);
  if (choice.count == 0) return Found.INSUFFICIENT;
  while (choice.count > 0) {
    if (!outgoing.prepare(payment.payId, peer.id, now)) return Found.FAILED;
    if (outgoing.write(composeBody(), payment.payId, peer.id, payment.unit, payment.amount)) {
      return Found.CHOSEN;
    }
    payment.amount -= choice.values[--choice.count];
  }
  return Found.TOO_MANY_NOTES;
}

/** The one of this module: its buffers serve all payments in turn. */
export const transferNotes: TransferNotes = new TransferNotes();
