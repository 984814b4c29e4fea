// SPDX-License-Identifier: Apache-2.0
// Claims and their evidence as the Certification Agency reads them (par. 122; docs/protocol.cddl
// section 6): the claimant's word over the payer's offer, the drafts that the offer is about, and
// the verdict that answers it.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { type ServerKey, signStatement } from "./agencyStatements.ts";
import { decodeCbor, encodeCbor, equalBytes } from "./cbor.ts";
import { Role } from "./certificates.ts";
import { parseSigned, type SignedObject, verifySigned } from "./cose.ts";
import {
  fits,
  GRACE_SECONDS,
  type Note,
  noteComplaint,
  parseNote,
  readTransferFields,
  type SignerBook,
  type TransferFields,
} from "./notes.ts";
import { type Offer, OFFER_PURPOSE, readOffer } from "./paymentOffer.ts";
import { isWhole, textBytes } from "./shapes.ts";

export const CLAIM_PURPOSE = "florin/claim";
export const VERDICT_PURPOSE = "florin/verdict";
const LONGEST_ACCOUNT_BYTES = 64;

/** Why the agency refuses a claim (docs/protocol.cddl, `refusal`). */
export const Refusal = {
  NONE: 0,
  /** The payer's module signed that the payment was aborted. */
  PAYER_ABORTED: 1,
  /** The claimant has had the money: its own signature passed it on. */
  RECEIVED: 2,
  /** The money came back to its issuer by another way. */
  ELSEWHERE: 3,
  /** Another claim on the same money was paid. */
  CLAIMED: 4,
  /** There is no such account of this unit. */
  ACCOUNT: 5,
} as const;

export interface Claim {
  readonly object: SignedObject;
  readonly bytes: Uint8Array;
  /** SHA-256 of the payload, by which a verdict names it. */
  readonly hash: Uint8Array;
  readonly offer: Offer;
  /** Name of the account to be paid, and of its bank. */
  readonly account: string;
  readonly bank: string;
  readonly atSeconds: number;
}

/** A note as the claimant was offered it: its last transfer is not signed. */
export interface ClaimedNote {
  readonly note: Note;
  readonly draft: TransferFields;
}

/** Reads a claim; undefined where its shape is wrong. No signature is checked. */
export function readClaim(bytes: Uint8Array): Claim | undefined {
  const object = parseSigned(bytes);
  const fields = object && decodeCbor(object.payload);
  if (!Array.isArray(fields) || fields.length !== 3) return undefined;
  const [signedOffer, text, atSeconds] = fields;
  const offer = readOffer(encodeCbor(signedOffer));
  if (offer === undefined || typeof text !== "string" || !isWhole(atSeconds)) return undefined;
  // An account's name may have the sign in it, a bank's may not.
  const place = text.lastIndexOf("@");
  if (place < 1 || textBytes(text) > LONGEST_ACCOUNT_BYTES) return undefined;
  const [account, bank] = [text.slice(0, place), text.slice(place + 1)];
  return { object: object!, bytes, hash: sha256(object!.payload), offer, account, bank, atSeconds };
}

/** Reads an exported draft; undefined where its shape is wrong. */
export function readClaimedNote(bytes: Uint8Array): ClaimedNote | undefined {
  const item = decodeCbor(bytes);
  if (!Array.isArray(item) || item.length !== 4 || !(item[2] instanceof Uint8Array)) {
    return undefined;
  }
  const note = parseNote(encodeCbor(item.slice(0, 2)));
  const draft = readTransferFields(item[2]);
  return note && draft && { note, draft };
}

/**
 * Verifies a claim by its evidence: both signatures, and that the drafts are those of the offer, to
 * the claimant, out of notes that were the payer's.
 * @returns what is wrong, as the end of a sentence; undefined when nothing is
 */
export function claimComplaint(
  claim: Claim,
  notes: readonly ClaimedNote[],
  book: SignerBook,
): string | undefined {
  const { offer, object, atSeconds } = claim;
  const claimant = book.signerOf(object, atSeconds);
  if (claimant?.role !== Role.TRANSACTION || !equalBytes(claimant.subject, offer.payee)) {
    return "it is not signed by the payee's module";
  }
  if (!verifySigned(object, CLAIM_PURPOSE, claimant.signingKey)) return "its signature is wrong";
  const newest = Math.max(0, ...notes.map(({ draft }) => draft.date));
  const payer = book.signerOf(offer.object, newest);
  if (payer === undefined || !equalBytes(payer.subject, offer.payer)) {
    return "the offer is not signed by the payer's module";
  }
  if (!verifySigned(offer.object, OFFER_PURPOSE, payer.signingKey)) {
    return "the signature of the offer is wrong";
  }
  const hash = sha256(concatBytes(...notes.map(({ draft }) => draft.hash)));
  if (!equalBytes(hash, offer.draftsHash)) return "the drafts are not those of the offer";
  const total = notes.reduce((sum, { draft }) => sum + draft.amountMinor, 0);
  if (total !== offer.amountMinor) return "the drafts do not come to the amount";
  for (const claimed of notes) {
    const complaint = draftComplaint(claimed, offer) ?? noteComplaint(claimed.note, book);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

function draftComplaint({ note, draft }: ClaimedNote, offer: Offer): string | undefined {
  const { body, transfers } = note;
  const last = transfers.at(-1)!;
  if (body.unit !== offer.unit) return "a draft is of another unit";
  if (body.expiry + GRACE_SECONDS > offer.horizon) return "a draft outlives the offer";
  if (!equalBytes(last.transferee, offer.payer))
    return "a draft is of money that was not the payer's";
  if (!equalBytes(draft.transferee, offer.payee)) return "a draft is to another than the claimant";
  if (!equalBytes(draft.payId, offer.payId)) return "a draft is of another payment";
  if (!equalBytes(draft.parent, last.hash)) return "a draft does not follow its note";
  return fits(draft, last.amountMinor) ? undefined : "the amounts of a draft do not fit";
}

/** The agency's word on a claim, for one `verdict` command (92). `refusal`: see Refusal. */
export function signVerdict(
  claim: Claim,
  refusal: number,
  server: ServerKey,
  atSeconds: number,
): Uint8Array {
  const state = refusal === Refusal.NONE ? 2 : 1;
  const fields = [claim.offer.payId, claim.hash, state, refusal, atSeconds];
  return signStatement(VERDICT_PURPOSE, fields, server);
}

/** Pay id of a claim, in hexadecimal. */
export function claimPayId({ offer }: Claim): string {
  return bytesToHex(offer.payId);
}
