// SPDX-License-Identifier: Apache-2.0
// Money-issued reconciliation at the issuer (docs/protocol.md sections 3 and 6): each note that
// came back is verified, entered in the index by its parents, and compared with what came back
// before. Two of its transfers that cannot both be true convict the module that signed them.
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  type Note,
  noteComplaint,
  type SignerBook,
  signersOf,
  type TransferFields,
} from "../../trust/notes.ts";
import { isAbortedBy } from "./abortedPayments.ts";
import { ownAccount } from "./chart.ts";
import { type LedgerBatch, LOSS_LEG, type PaymentRecord } from "./ledger.ts";
import { move } from "./bookings.ts";
import type {
  Conviction,
  IndexedTransfer,
  NoteKeys,
  RedeemedLeaf,
  RedeemedNote,
  RelatedNotes,
} from "./redeemedNotes.ts";

/** What the books say about the two payments in which a note was issued and came back. */
export interface NotePayments {
  readonly issue: PaymentRecord | undefined;
  readonly redemption: PaymentRecord | undefined;
}

export type NoteBatch = LedgerBatch & { readonly redeemed: RedeemedNote };

export type NoteDecision =
  /** Enter it; afterwards the generator may forget the note, and people hear of `alarms`. */
  | { readonly type: "enter"; readonly batch: NoteBatch; readonly alarms: readonly string[] }
  /** The payment that brought it is not settled: it is looked at again when that is. */
  | { readonly type: "wait" }
  /** It cannot be what a generator takes: it stays where it is, and a person looks. */
  | { readonly type: "alarm"; readonly text: string };

/** By what the books and the index are asked about a note. */
export function keysOf({ body, transfers }: Note): NoteKeys {
  return {
    body: bytesToHex(body.hash),
    generator: bytesToHex(body.generator),
    issuePayId: bytesToHex(transfers[0]!.payId),
    parents: transfers.map(({ parent }) => bytesToHex(parent)),
  };
}

/** Pay id of the payment that brought a note back, in hexadecimal. */
export function redemptionPayId({ transfers }: Note): string {
  return bytesToHex(transfers.at(-1)!.payId);
}

/**
 * Decides about one note that lies in a generator.
 * @param holder id of the generator, hexadecimal
 */
export function decideNote(
  bank: string,
  holder: string,
  note: Note,
  book: SignerBook,
  payments: NotePayments,
  related: RelatedNotes,
  atSeconds: number,
): NoteDecision {
  const { body, transfers } = note;
  const { unit } = body;
  const name = `The redeemed note ${bytesToHex(body.noteId)} of ${unit}`;
  const complaint = noteComplaint(note, book) ?? ownershipComplaint(bank, holder, note);
  if (complaint !== undefined)
    return { type: "alarm", text: `${name} cannot be right: ${complaint}.` };
  const { redemption } = payments;
  if (redemption?.state !== "settled") return { type: "wait" };
  const last = transfers.at(-1)!;
  const signers = signersOf(note);
  const indexed = indexTransfers(note, signers);
  const interval = intervalOf(transfers);
  const isIssued = wasIssued(note, payments.issue, related);
  const lostMinor = isIssued
    ? last.amountMinor - uncovered(interval, related.leaves)
    : last.amountMinor;
  const isFree = (transfer: IndexedTransfer) =>
    related.aborted.some((statement) => isAbortedBy(statement, transfer));
  const convictions = [
    ...convict(indexed, related.transfers, isFree, unit, atSeconds),
    ...falseClaims(indexed, related.leaves, unit, atSeconds),
  ];
  const { parents: _, ...keys } = keysOf(note);
  const leaf: RedeemedLeaf = {
    leaf: bytesToHex(last.hash),
    ...keys,
    noteId: bytesToHex(body.noteId),
    unit,
    ...interval,
    lostMinor,
    transferor: signers.at(-1)!,
    payId: redemptionPayId(note),
    atSeconds,
  };
  return {
    type: "enter",
    batch: {
      bank,
      redeemed: { leaf, transfers: indexed, convictions },
      ...(lostMinor > 0 ? { entry: lossEntry(leaf) } : {}),
    },
    alarms: [
      ...(isIssued ? [] : [`${name} is counterfeit: ${bank} never issued it.`]),
      ...convictions.map(
        ({ module }) => `${name} convicts module ${module}: it signed the same money twice.`,
      ),
    ],
  };
}

/** A note's transfers as the index has them. */
export function indexTransfers({ transfers }: Note, signers: readonly string[]): IndexedTransfer[] {
  return transfers.map((transfer, at) => ({
    hash: bytesToHex(transfer.hash),
    parent: bytesToHex(transfer.parent),
    sequence: transfer.sequence,
    offsetMinor: transfer.offsetMinor,
    amountMinor: transfer.amountMinor,
    payId: bytesToHex(transfer.payId),
    signer: signers[at]!,
    signed: bytesToHex(transfer.bytes),
  }));
}

/** Which units of the body the last of these transfers is. */
export function intervalOf(transfers: readonly TransferFields[]): Interval {
  const startMinor = transfers.reduce((sum, { offsetMinor }) => sum + offsetMinor, 0);
  return { startMinor, amountMinor: transfers.at(-1)!.amountMinor };
}

function ownershipComplaint(bank: string, holder: string, { body, transfers }: Note) {
  if (body.issuer !== bank) return `it is a claim on ${body.issuer}`;
  const isHeld = bytesToHex(transfers.at(-1)!.transferee) === holder;
  return isHeld ? undefined : "its last holder is another module";
}

/**
 * True where the books show the payment in which the note's first transfer says that it was made:
 * by that generator, to that teller, of that amount, and of one note only.
 */
export function wasIssued(
  { body, transfers }: Note,
  issue: PaymentRecord | undefined,
  { otherBody }: RelatedNotes,
): boolean {
  const first = transfers[0]!;
  if (issue?.kind !== "issue" || issue.state !== "settled" || otherBody !== undefined) return false;
  const isWhole = first.amountMinor === body.amountMinor;
  const isSame = issue.amountMinor === body.amountMinor && issue.unit === body.unit;
  return isWhole && isSame && issue.peer === bytesToHex(first.transferee);
}

export interface Interval {
  readonly startMinor: number;
  readonly amountMinor: number;
}

/** How much of an interval of a body none of the others covers; these may overlap each other. */
export function uncovered(
  { startMinor, amountMinor }: Interval,
  others: readonly Interval[],
): number {
  const end = startMinor + amountMinor;
  let [reached, free] = [startMinor, 0];
  for (const other of [...others].sort((a, b) => a.startMinor - b.startMinor)) {
    const otherEnd = other.startMinor + other.amountMinor;
    if (otherEnd <= reached || other.startMinor >= end) continue;
    free += Math.max(0, other.startMinor - reached);
    reached = Math.min(end, otherEnd);
  }
  return free + end - reached;
}

/**
 * Who was paid a claim for money and had passed it on: what the claim was about is a leaf, and the
 * claimant's own transfer follows it.
 */
function falseClaims(
  indexed: readonly IndexedTransfer[],
  leaves: readonly RedeemedLeaf[],
  unit: string,
  atSeconds: number,
): Conviction[] {
  return indexed
    .filter(({ parent }) => leaves.some(({ leaf }) => leaf === parent))
    .map(({ parent, hash, signer }) => ({
      module: signer,
      parent,
      first: parent,
      second: hash,
      unit,
      atSeconds,
    }));
}

/**
 * Pairs of different transfers from one parent that overlap or have one sequence, but not those of
 * which one was aborted by who got it: its signer was free to pay the same with the other.
 */
function convict(
  indexed: readonly IndexedTransfer[],
  before: readonly IndexedTransfer[],
  isFree: (transfer: IndexedTransfer) => boolean,
  unit: string,
  atSeconds: number,
): Conviction[] {
  return indexed.flatMap((transfer) =>
    before
      .filter((other) => other.hash !== transfer.hash && isContradiction(other, transfer))
      .filter((other) => !isFree(other) && !isFree(transfer))
      .map((other) => ({
        module: transfer.signer,
        parent: transfer.parent,
        first: other.hash,
        second: transfer.hash,
        unit,
        atSeconds,
      })),
  );
}

function isContradiction(a: IndexedTransfer, b: IndexedTransfer): boolean {
  if (a.parent !== b.parent) return false;
  const overlaps =
    a.offsetMinor < b.offsetMinor + b.amountMinor && b.offsetMinor < a.offsetMinor + a.amountMinor;
  return overlaps || a.sequence === b.sequence;
}

/** The bank paid for what it did not owe: money issued stays what is really in circulation. */
function lossEntry({ leaf, unit, lostMinor, atSeconds }: RedeemedLeaf) {
  const lines = move(ownAccount("losses", unit), ownAccount("money-issued", unit), lostMinor);
  return { transaction: leaf, leg: LOSS_LEG, atSeconds, lines };
}
