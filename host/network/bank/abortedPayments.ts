// SPDX-License-Identifier: Apache-2.0
// Two legs of which one was kept back (docs/protocol.md rule 4.9): a decider that was opened says
// `aborted`, and later spends what the other side had signed for it. Its own two signatures convict
// it, and the other side's second transfer of that money is no crime.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { readTransfer } from "../../trust/notes.ts";
import type {
  AbortedFinding,
  AbortedStatement,
  Conviction,
  IndexedTransfer,
} from "./redeemedNotes.ts";

/** Dates of transfers are rounded down to it. */
const HOUR_SECONDS = 3600;

/** Whether who received by this transfer says that the payment was aborted. */
export function isAbortedBy(statement: AbortedStatement, transfer: IndexedTransfer): boolean {
  if (statement.payId !== transfer.payId) return false;
  const { transferee } = partsOf(transfer);
  return bytesToHex(transferee) === statement.answerer;
}

/**
 * What a statement, whose signature was verified, comes to.
 * @param transfers the payment's in the index, and those that follow them
 * @param convictions of that bank; one by a transfer that was aborted falls
 * @returns the finding, and sentences for a person where the two signatures prove nothing
 */
export function judgeAborted(
  statement: AbortedStatement,
  transfers: readonly IndexedTransfer[],
  convictions: readonly Conviction[],
  atSeconds: number,
): { readonly finding: AbortedFinding; readonly alarms: readonly string[] } {
  const aborted = transfers.filter((transfer) => isAbortedBy(statement, transfer));
  const acquitting = aborted.map(({ hash }) => hash);
  const fallen = convictions.filter(
    ({ first, second }) => acquitting.includes(first) || acquitting.includes(second),
  );
  const unit = fallen[0]?.unit ?? NO_UNIT;
  const spent = transfers.filter(({ parent }) => acquitting.includes(parent));
  const [guilty, unclear] = [spent.filter(isLater), spent.filter((one) => !isLater(one))];
  /** Spent before it was aborted: who forgot the payment, or who asked in vain, may have lied. */
  function isLater(transfer: IndexedTransfer): boolean {
    return partsOf(transfer).date >= statement.atSeconds - (statement.atSeconds % HOUR_SECONDS);
  }
  return {
    finding: {
      statement,
      acquitting,
      convictions: guilty.map(({ parent, hash }) => ({
        module: statement.answerer,
        parent,
        first: statement.hash,
        second: hash,
        unit,
        atSeconds,
      })),
    },
    alarms: unclear.map(
      () =>
        `Module ${statement.answerer} says that payment ${statement.payId} was aborted, but spent ` +
        "its money before: either it has forgotten, or the other side deceives.",
    ),
  };
}

/** ISO 4217: no currency; the index does not say of which unit a transfer is. */
const NO_UNIT = "XXX";

function partsOf({ signed, hash }: IndexedTransfer): { transferee: Uint8Array; date: number } {
  const transfer = readTransfer(hexToBytes(signed));
  if (transfer === undefined) throw new Error(`Transfer ${hash} in the index is damaged.`);
  return transfer;
}
