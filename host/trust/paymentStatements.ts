// SPDX-License-Identifier: Apache-2.0
// Statements of money modules about a payment, as a host reads them (docs/protocol.cddl section 6):
// the answer that ends a doubt, and the payer's offer, from which a claim is made.
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeCbor } from "./cbor.ts";
import { parseSigned, type SignedObject } from "./cose.ts";
import { HASH_BYTES, isBytes, isId, isUnit, isWhole } from "./shapes.ts";

export const ANSWER_PURPOSE = "florin/answer";
export const OFFER_PURPOSE = "florin/offer";
/** State of an answer. */
const ABORTED = 1;

/** A signed word that a payment was aborted. */
export interface AbortedAnswer {
  readonly object: SignedObject;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  readonly payId: Uint8Array;
  readonly answerer: Uint8Array;
  readonly atSeconds: number;
}

/** The payer's word about what it sends; whole, if both pay. */
export interface Offer {
  readonly object: SignedObject;
  readonly payId: Uint8Array;
  readonly draftsHash: Uint8Array;
  readonly payer: Uint8Array;
  readonly payee: Uint8Array;
  readonly unit: string;
  readonly amountMinor: number;
  /** Until when it may be claimed, in seconds since 1970. */
  readonly horizon: number;
}

/** Reads an answer `aborted`; undefined for any other object. Its signature is not checked. */
export function readAborted(bytes: Uint8Array): AbortedAnswer | undefined {
  const object = parseSigned(bytes);
  const fields = object && decodeCbor(object.payload);
  if (!Array.isArray(fields) || fields.length !== 4) return undefined;
  const [payId, answerer, state, atSeconds] = fields;
  if (!isBytes(payId, 16) || !isId(answerer) || state !== ABORTED || !isWhole(atSeconds)) {
    return undefined;
  }
  return { object: object!, bytes, hash: sha256(object!.payload), payId, answerer, atSeconds };
}

/** Reads an offer; undefined for any other object. Its signature is not checked. */
export function readOffer(bytes: Uint8Array): Offer | undefined {
  const object = parseSigned(bytes);
  const fields = object && decodeCbor(object.payload);
  if (!Array.isArray(fields) || (fields.length !== 7 && fields.length !== 8)) return undefined;
  const [payId, draftsHash, payer, payee, unit, amountMinor, horizon] = fields;
  if (!isBytes(payId, 16) || !isBytes(draftsHash, HASH_BYTES) || !isUnit(unit)) return undefined;
  if (!isId(payer) || !isId(payee) || !isWhole(amountMinor) || !isWhole(horizon)) return undefined;
  return { object: object!, payId, draftsHash, payer, payee, unit, amountMinor, horizon };
}
