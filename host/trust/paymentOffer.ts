// SPDX-License-Identifier: Apache-2.0
// The payer's signed offer as a host reads it (docs/protocol.cddl section 6; step 1570): a claim is
// made from it. Other statements about payments: statements.ts.
import { decodeCbor } from "./cbor.ts";
import { parseSigned, type SignedObject } from "./cose.ts";
import { HASH_BYTES, isBytes, isId, isUnit, isWhole } from "./shapes.ts";

export const OFFER_PURPOSE = "florin/offer";

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
