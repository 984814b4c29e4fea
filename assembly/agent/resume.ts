// SPDX-License-Identifier: Apache-2.0
// Finishing a transaction of which only the journal's record is left: after a loss of power, or
// after doubt (docs/protocol.md sections 4 and 5). The own module's word decides, as ever.
import { step } from "../board";
import { Bytes } from "../codec/bytes";
import { readTicket } from "../ticket/ticket";
import { Reason } from "../trust/reasons";
import { CommandResult } from "./commandMemory";
import { commitOpen, rollBackOpen, tellDoubt } from "./commit";
import { openByPayId, OpenTransaction } from "./openTransaction";
import { PaymentOutcome, PaymentState } from "./paymentOutcome";
import { signAnnex } from "./receiptAnnex";

const NO_ANNEX: Bytes = [];

/** Settles the record of this payment, if there is one. False if another outcome is to follow. */
export function settleOpen(outcome: PaymentOutcome): bool {
  const open = openByPayId(outcome.payId);
  if (open === null) return true;
  if (outcome.state == PaymentState.RUNNING) return false;
  if (outcome.state == PaymentState.IN_DOUBT) {
    tellDoubt(open, outcome);
    return false;
  }
  if (outcome.state == PaymentState.COMMITTED) return commitStored(open, outcome);
  step(236);
  const result = new CommandResult(open.commandId);
  const reason = outcome.reason != Reason.NONE ? outcome.reason : Reason.CONNECTION_LOST;
  rollBackOpen(open, result, reason);
  return true;
}

function commitStored(open: OpenTransaction, outcome: PaymentOutcome): bool {
  const annex = annexFor(open, outcome);
  return annex !== null && commitOpen(open, outcome, annex) != 0;
}

/** 634: the signed annex of a receipt; empty where there is no ticket, null where signing fails. */
export function annexFor(open: OpenTransaction, outcome: PaymentOutcome): Bytes | null {
  if (open.receipt.length == 0) return NO_ANNEX;
  step(634);
  const receipt = readTicket(open.receipt);
  return receipt !== null ? signAnnex(receipt, outcome) : null;
}
