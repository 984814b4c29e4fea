// SPDX-License-Identifier: Apache-2.0
// The Certification Agency's decisions about claims (par. 122; docs/protocol.md rule 4.13), over
// plain records: filed by verified evidence before the horizon, decided when every way by which the
// money could still come back is closed. Ids are hexadecimal, times seconds since 1970.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  type Claim,
  claimComplaint,
  claimPayId,
  type ClaimedNote,
  readClaim,
  readClaimedNote,
  Refusal,
} from "../../trust/claims.ts";
import type { SignerBook } from "../../trust/notes.ts";
import type { ClaimFinding } from "../bank/claimedNotes.ts";
import type { AbortedStatement } from "../bank/redeemedNotes.ts";

const DAY_SECONDS = 24 * 3600;
/**
 * After the horizon: a bank takes no such note any more, but what it took on the last day must
 * reach the issuer and be reconciled there.
 */
export const LAG_SECONDS = 7 * DAY_SECONDS;

export interface ClaimRecord {
  readonly payId: string;
  readonly claimant: string;
  readonly claim: Uint8Array;
  readonly drafts: readonly Uint8Array[];
  readonly filedAt: number;
  /** From when on it is decided. */
  readonly dueAt: number;
  readonly state: "open" | "paid" | "refused";
  /** See Refusal. */
  readonly refusal: number;
  /** [ COSE<verdict>, server certificate ]; null while it is open. */
  readonly verdict: Uint8Array | null;
}

/** Where the agency's claims are kept; a record's key is claimant and pay id. */
export interface ClaimStore {
  all(): Promise<readonly ClaimRecord[]>;
  put(record: ClaimRecord): Promise<void>;
}

export type Filing =
  | { readonly type: "filed" | "known"; readonly record: ClaimRecord }
  /** In one sentence. Nothing is kept: with the right evidence it may be filed again. */
  | { readonly type: "refused"; readonly reason: string };

/** Decides whether a claim is taken. */
export function fileClaim(
  known: readonly ClaimRecord[],
  claimBytes: Uint8Array,
  drafts: readonly Uint8Array[],
  book: SignerBook,
  nowSeconds: number,
): Filing {
  const refused = (reason: string): Filing => ({ type: "refused", reason });
  const claim = readClaim(claimBytes);
  if (claim === undefined) return refused("The claim is malformed.");
  const { offer } = claim;
  const notes = drafts.flatMap((bytes) => readClaimedNote(bytes) ?? []);
  const own = inOrder(claim, notes);
  const complaint = claimComplaint(claim, own, book);
  if (complaint !== undefined) return refused(`The claim is not proven: ${complaint}.`);
  const payId = claimPayId(claim);
  const claimant = bytesToHex(offer.payee);
  const before = known.find((one) => one.payId === payId && one.claimant === claimant);
  if (before !== undefined) {
    const isSame = bytesToHex(readClaim(before.claim)!.hash) === bytesToHex(claim.hash);
    if (isSame) return { type: "known", record: before };
    return refused("Another claim about this payment was filed before.");
  }
  if (nowSeconds >= offer.horizon) {
    return refused("The claim comes too late: its notes have expired, with all their grace.");
  }
  const record: ClaimRecord = {
    payId,
    claimant,
    claim: claimBytes,
    drafts: drafts.filter((bytes) => own.some((note) => isOf(note, readClaimedNote(bytes)))),
    filedAt: nowSeconds,
    dueAt: offer.horizon + LAG_SECONDS,
    state: "open",
    refusal: Refusal.NONE,
    verdict: null,
  };
  return { type: "filed", record };
}

/** The notes of a claim that was filed. */
export function claimedNotes(record: ClaimRecord): { claim: Claim; notes: readonly ClaimedNote[] } {
  const claim = readClaim(record.claim);
  const notes = record.drafts.flatMap((bytes) => readClaimedNote(bytes) ?? []);
  if (claim === undefined) throw new Error(`Claim ${record.payId} in the books is damaged.`);
  return { claim, notes: inOrder(claim, notes) };
}

/** Whether this statement is the claimed payment's payer's. */
export function isDefeatedBy(claim: Claim, statement: AbortedStatement): boolean {
  const { payer } = claim.offer;
  return statement.payId === claimPayId(claim) && statement.answerer === bytesToHex(payer);
}

/** What becomes of a claim by what its issuers found; see Refusal. */
export function judgeClaim(findings: readonly ClaimFinding[]): number {
  const has = (type: ClaimFinding["type"]) => findings.some((finding) => finding.type === type);
  if (has("received")) return Refusal.RECEIVED;
  if (has("claimed")) return Refusal.CLAIMED;
  return has("elsewhere") || has("counterfeit") ? Refusal.ELSEWHERE : Refusal.NONE;
}

/**
 * What shows that a draft was received, though none of it came back: the next claimant's evidence,
 * whose note goes on behind it by a transfer or an offer that this claimant signed.
 * @param leaf hash of the draft
 * @returns the hash of what it signed; undefined where no claim shows it
 */
export function passedOnBy(leaf: string, filed: readonly ClaimRecord[]): string | undefined {
  for (const record of filed) {
    const { claim, notes } = claimedNotes(record);
    for (const { note, draft } of notes) {
      const next = note.transfers.find(({ parent }) => bytesToHex(parent) === leaf);
      if (next !== undefined) return bytesToHex(next.hash);
      // The offer is the signature under a draft, which has none itself.
      if (bytesToHex(draft.parent) === leaf) return bytesToHex(sha256(claim.offer.object.payload));
    }
  }
  return undefined;
}

/** The drafts of this payment; a module exports those of all that is in doubt, in their order. */
function inOrder(claim: Claim, notes: readonly ClaimedNote[]): ClaimedNote[] {
  const payId = claimPayId(claim);
  return notes.filter(({ draft }) => bytesToHex(draft.payId) === payId);
}

function isOf(note: ClaimedNote, other: ClaimedNote | undefined): boolean {
  return other !== undefined && bytesToHex(note.draft.hash) === bytesToHex(other.draft.hash);
}
