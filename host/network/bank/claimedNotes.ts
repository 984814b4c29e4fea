// SPDX-License-Identifier: Apache-2.0
// A claimed note at its issuer (par. 122; docs/protocol.md rule 4.13): whether what it is worth
// came back, and the entry that pays it out of circulation into the claimant's account.
import { bytesToHex } from "@noble/hashes/utils.js";
import type { ClaimedNote } from "../../trust/claims.ts";
import { signersOf } from "../../trust/notes.ts";
import { move } from "./bookings.ts";
import {
  correspondentAccount,
  correspondentDepositOpening,
  correspondentOpening,
  ownAccount,
} from "./chart.ts";
import type { LedgerBatch, PaymentRecord } from "./ledger.ts";
import { indexTransfers, intervalOf, keysOf, uncovered, wasIssued } from "./reconciliation.ts";
import type { IndexedTransfer, NoteKeys, RelatedNotes } from "./redeemedNotes.ts";

/** Leg of the entry that pays a claimed note. */
export const CLAIM_LEG = "claim";

export type ClaimFinding =
  /** Nothing of it came back: it is owed to whoever had it last. */
  | { readonly type: "free" }
  /** The claimant passed it on: what the hash is of has its signature. */
  | { readonly type: "received"; readonly by: Pick<IndexedTransfer, "parent" | "hash"> }
  | { readonly type: "elsewhere" | "claimed" | "counterfeit" };

/** By what the index is asked about a claimed note: also what follows the draft. */
export function claimKeys({ note, draft }: ClaimedNote): NoteKeys {
  const keys = keysOf(note);
  return { ...keys, parents: [...keys.parents, bytesToHex(draft.parent), bytesToHex(draft.hash)] };
}

/** What the issuer's books and index say about a claimed note. */
export function examineClaimed(
  claimed: ClaimedNote,
  issue: PaymentRecord | undefined,
  related: RelatedNotes,
): ClaimFinding {
  const { note, draft } = claimed;
  const leaf = bytesToHex(draft.hash);
  if (!wasIssued(note, issue, related)) return { type: "counterfeit" };
  const by = related.transfers.find(({ parent }) => parent === leaf);
  if (by !== undefined) return { type: "received", by };
  if (related.leaves.some((other) => other.leaf === leaf)) return { type: "claimed" };
  const interval = intervalOf([...note.transfers, draft]);
  const isWhole = uncovered(interval, related.leaves) === draft.amountMinor;
  return { type: isWhole ? "free" : "elsewhere" };
}

/** Where a claim is paid to. */
export interface ClaimAccount {
  readonly bank: string;
  readonly account: string;
}

/**
 * Pays one claimed note: out of the issuer's circulation into the claimant's account there, or
 * through the deposit that the claimant's bank has at the issuer. The draft enters the index as the
 * leaf that it would have become, so that nobody is paid for it again.
 */
export function claimBatches(
  claimed: ClaimedNote,
  { bank, account }: ClaimAccount,
  atSeconds: number,
): LedgerBatch[] {
  const { note, draft } = claimed;
  const { unit, issuer } = note.body;
  const { parents: _, ...keys } = keysOf(note);
  const { amountMinor } = draft;
  const leaf = bytesToHex(draft.hash);
  const isOwn = bank === issuer;
  const deposit = correspondentDepositOpening(bank, unit);
  const entry = (debited: string, credited: string) => {
    const lines = move(debited, credited, amountMinor);
    return { transaction: leaf, leg: CLAIM_LEG, atSeconds, lines };
  };
  const paidInto = { account, unit };
  const paid: LedgerBatch = {
    bank: issuer,
    ...(isOwn ? { paidInto } : { open: [deposit] }),
    entry: entry(ownAccount("money-issued", unit), isOwn ? account : deposit.account),
    redeemed: {
      leaf: {
        leaf,
        ...keys,
        noteId: bytesToHex(note.body.noteId),
        unit,
        ...intervalOf([...note.transfers, draft]),
        lostMinor: 0,
        transferor: bytesToHex(note.transfers.at(-1)!.transferee),
        payId: bytesToHex(draft.payId),
        atSeconds,
      },
      transfers: indexTransfers(note, signersOf(note)),
      convictions: [],
    },
  };
  if (isOwn) return [paid];
  const open = [correspondentOpening(issuer, unit)];
  const credit = entry(correspondentAccount(issuer, unit), account);
  return [paid, { bank, open, paidInto, entry: credit }];
}
