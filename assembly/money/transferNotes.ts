// SPDX-License-Identifier: Apache-2.0
// Transfer Notes (Fig. 20): the payer's module sends drafts and a signed offer, the payee's
// verifies them and keeps them unowned. Nothing here moves money; commit.ts does.
import { step } from "../board";
import { bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { HASH_SIZE } from "../note/limits";
import { PacketView } from "../note/packetManager";
import { Expected } from "../note/expected";
import { Verifier } from "../note/verifier";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowSeconds } from "../trust/signedTime";
import { ModuleMessage } from "./messages";
import { notes } from "./moneyHolder";
import { offerTerms, Payment, Stage } from "./payment";
import { tranLog } from "./tranLog";

/** Whether this module's holder is a customer or merchant, and not a bank (step 1584). */
export function isTransactionModule(): bool {
  return identity.certificate.role == Role.TRANSACTION;
}

export class TransferNotes {
  private packet: PacketView = new PacketView();
  private verifier: Verifier = new Verifier(tranLog);
  private expected: Expected = new Expected();

  /**
   * Makes the drafts and sends the packet: 25, or 31 of who does not decide. A reason; 0 if sent.
   */
  send(payment: Payment): i32 {
    const session = payment.session!;
    const outgoing = payment.outgoing!;
    const isPayer = payment.isPayer;
    step(1566);
    if (!outgoing.prepare(payment.payId, session.peer.id, nowSeconds())) {
      return Reason.FLASH_DAMAGED;
    }
    payment.horizon = max(payment.horizon, outgoing.horizon);
    if (isPayer) payment.draftsHash = outgoing.draftsHash;
    else payment.counterHash = outgoing.draftsHash;
    const type = isPayer ? ModuleMessage.PACKET : ModuleMessage.COUNTER_PACKET;
    if (!this.write(payment, session.compose(type))) return Reason.PACKET_TOO_LARGE;
    payment.stage = isPayer ? Stage.READY_WANTED : Stage.PACKET_WANTED;
    step(1574);
    session.send(true);
    return Reason.NONE;
  }

  /** Writes the packet of a payment whose drafts are made; the same bytes each time. */
  write(payment: Payment, writer: CborWriter): bool {
    return payment.outgoing!.write(writer, offerTerms(payment));
  }

  /**
   * Takes the packet apart, verifies it and keeps the notes unowned. A reason; 0 if all is good.
   */
  packetReceived(payment: Payment, body: CborReader): i32 {
    step(1576);
    const packet = this.packet;
    const reason = packet.disassemble(body);
    if (reason != Reason.NONE) return reason;
    const expected = this.expected;
    expected.payId = pointerOf(payment.payId);
    expected.payer = payment.session!.peer;
    expected.unit = payment.peerUnit;
    expected.amount = payment.peerAmount;
    const outgoing = payment.outgoing;
    expected.counterUnit = payment.hasCounter ? payment.ownUnit : 0;
    expected.counterAmount = payment.hasCounter ? payment.ownAmount : 0;
    expected.rounding = payment.rounding;
    expected.nowSeconds = nowSeconds();
    expected.isTransactionModule = isTransactionModule();
    const verdict = this.verifier.verify(packet, expected);
    if (verdict != Reason.NONE) return verdict;
    // A bank takes it all the same, and its log says so.
    if (this.verifier.isHolderListed) payment.reason = Reason.NOTE_HOLDER_LISTED;
    step(1606);
    const hashes = notes.keep(packet, outgoing == null ? 0 : outgoing.leaving);
    if (hashes == null) return Reason.JOURNAL_FULL;
    payment.hashes = hashes;
    payment.horizon = max(payment.horizon, packet.offer.horizon);
    const draftsHash = bytesOf(packet.offer.draftsHash, HASH_SIZE);
    if (payment.isPayer) {
      payment.counterHash = draftsHash;
    } else {
      payment.draftsHash = draftsHash;
      // A bank has the payer's word in its ledger, and claims nothing.
      if (isTransactionModule()) payment.offer = bytesOf(packet.offer.pointer, packet.offer.length);
    }
    return Reason.NONE;
  }
}

/** The one of this module: its buffers serve all payments in turn. */
export const transferNotes: TransferNotes = new TransferNotes();
