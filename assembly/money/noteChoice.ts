// SPDX-License-Identifier: Apache-2.0
// Which notes a payment takes out of the directory (Fig. 12 steps 568-570, Fig. 20 step 1566):
// those of par. 129 in a payment, the oldest on their way back to a bank, the freshest in return.
import { Bytes } from "../codec/bytes";
import { chooseInOrder, Order } from "../note/bankChoice";
import { Found } from "../note/directory";
import { OutgoingNotes } from "../note/outgoing";
import { composeBody } from "../session/buffers";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowSeconds } from "../trust/signedTime";
import { RequestKind } from "./messages";
import { directory } from "./moneyHolder";
import { offerTerms, Payment } from "./payment";

const NO_ISSUER: Bytes = new StaticArray<u8>(0);

/**
 * Takes notes for what this module pays; they are the payment's until it is over. In a refresh or a
 * redemption that it asked for, the payment's amount becomes what they come to. A number of
 * `Found`.
 */
export function chooseNotes(payment: Payment): i32 {
  const outgoing = new OutgoingNotes();
  const found = choose(payment, outgoing);
  if (found != Found.CHOSEN) return found;
  directory.reserve(outgoing.choice, true);
  payment.outgoing = outgoing;
  return found;
}

/** Why notes could not be had, by a number of `Found`. */
export function shortageReason(found: i32): i32 {
  if (found == Found.TOO_MANY_NOTES) return Reason.PACKET_TOO_LARGE;
  return found == Found.FAILED ? Reason.NO_RANDOM : Reason.INSUFFICIENT_FUNDS;
}

function choose(payment: Payment, outgoing: OutgoingNotes): i32 {
  const peer = payment.session!.peer;
  const choice = outgoing.choice;
  const unit = payment.ownUnit;
  const amount = payment.ownAmount;
  const now = nowSeconds();
  const isRefresh = payment.kind == RequestKind.REFRESH;
  if (payment.kind == RequestKind.REDEEM) return chooseOldest(payment, peer.organisation, outgoing);
  if (isRefresh && !payment.isPayer) return chooseOldest(payment, NO_ISSUER, outgoing);
  if (isRefresh) {
    const order = Order.FRESHEST;
    const sum = chooseInOrder(order, directory, unit, amount, now, NO_ISSUER, choice);
    if (sum == amount) return Found.CHOSEN;
  }
  return directory.choose(unit, amount, now, peer.role != Role.TRANSACTION, choice);
}

/** Takes as many notes, worth the payment's amount at most, as one packet holds. */
function chooseOldest(payment: Payment, issuer: Bytes, outgoing: OutgoingNotes): i32 {
  const peer = payment.session!.peer;
  const choice = outgoing.choice;
  const now = nowSeconds();
  const unit = payment.unit;
  const most = payment.amount;
  let sum = chooseInOrder(Order.OLDEST, directory, unit, most, now, issuer, choice);
  if (choice.count == 0) return Found.INSUFFICIENT;
  if (!outgoing.prepare(payment.payId, peer.id, now)) return Found.FAILED;
  for (; choice.count > 0; sum -= choice.values[--choice.count]) {
    payment.amount = sum;
    if (payment.hasCounter) payment.counterAmount = sum;
    // Measured by writing it once: the packet that goes later has the same length.
    if (outgoing.write(composeBody(), offerTerms(payment))) return Found.CHOSEN;
  }
  return Found.TOO_MANY_NOTES;
}
