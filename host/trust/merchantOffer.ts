// SPDX-License-Identifier: Apache-2.0
// A merchant's offer to buy or sell electronic money, signed by its trusted agent
// (docs/protocol.cddl section 7, merchant-offer). Gateway and customers verify it alike.
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeCbor, encodeCbor, equalBytes } from "./cbor.ts";
import {
  type Certificate,
  CLOCK_WINDOW_SECONDS,
  namesSigner,
  Role,
  type Root,
  verifyChain,
} from "./certificates.ts";
import { parseSigned, verifySigned } from "./cose.ts";
import { isId, isName, isUnit, isWhole, textBytes } from "./shapes.ts";

export const OFFER_PURPOSE = "florin/merchant-offer";
const ENDPOINT_BYTES = 128;
const LARGEST_RATE_PART = 1_000_000_000;
const LARGEST_BASIS_POINTS = 10_000;

/** Seen from the customer: buy electronic money with a card, or sell it back to the card. */
export type Direction = "buy" | "sell";

/** The number of a direction in messages. */
export const DIRECTION_NUMBERS: Readonly<Record<Direction, number>> = { buy: 1, sell: 2 };

/** The direction of a number in a message; undefined when it names none. */
export function directionOf(value: unknown): Direction | undefined {
  if (value === DIRECTION_NUMBERS.buy) return "buy";
  return value === DIRECTION_NUMBERS.sell ? "sell" : undefined;
}

/** Amounts are minor units: fee in the account unit, minimum and maximum in the money unit. */
export interface OfferTerms {
  readonly merchant: Uint8Array;
  readonly name: string;
  readonly direction: Direction;
  readonly moneyUnit: string;
  readonly accountUnit: string;
  readonly feeMinor: number;
  readonly feeBasisPoints: number;
  /** Account minor units for one money minor unit, as a fraction. */
  readonly rateNumerator: number;
  readonly rateDenominator: number;
  readonly minimumMinor: number;
  readonly maximumMinor: number;
  readonly issued: number;
  readonly expires: number;
  /** WebSocket URL of the merchant's device; empty where it has none. */
  readonly endpoint: string;
}

export interface MerchantOffer {
  readonly bytes: Uint8Array;
  readonly terms: OfferTerms;
  /** SHA-256 of the terms, as the receipt names the offer. */
  readonly hash: Uint8Array;
  readonly holder: Certificate;
}

export type OfferResult =
  | { readonly ok: true; readonly offer: MerchantOffer }
  | { readonly ok: false; readonly reason: "malformed" | "certificate" | "signature" | "expired" };

/** The payload of an offer's signed object, in the order of the CDDL. */
export function encodeOfferTerms(terms: OfferTerms): Uint8Array {
  return encodeCbor([
    terms.merchant,
    terms.name,
    DIRECTION_NUMBERS[terms.direction],
    terms.moneyUnit,
    terms.accountUnit,
    terms.feeMinor,
    terms.feeBasisPoints,
    terms.rateNumerator,
    terms.rateDenominator,
    terms.minimumMinor,
    terms.maximumMinor,
    terms.issued,
    terms.expires,
    terms.endpoint,
  ]);
}

function parseTerms(payload: Uint8Array): OfferTerms | undefined {
  const item = decodeCbor(payload);
  if (!Array.isArray(item) || item.length !== 14) return undefined;
  const [merchant, name, number, moneyUnit, accountUnit, ...rest] = item as unknown[];
  const direction = directionOf(number);
  const numbers = rest.slice(0, 8);
  const endpoint = rest[8];
  if (!isId(merchant) || !isName(name) || !isUnit(moneyUnit) || !isUnit(accountUnit)) {
    return undefined;
  }
  if (direction === undefined || !numbers.every(isWhole) || typeof endpoint !== "string")
    return undefined;
  const [feeMinor, feeBasisPoints, rateNumerator, rateDenominator] = numbers as number[];
  const [minimumMinor, maximumMinor, issued, expires] = (numbers as number[]).slice(4);
  const isRatePart = (value: number) => value >= 1 && value <= LARGEST_RATE_PART;
  if (!isRatePart(rateNumerator!) || !isRatePart(rateDenominator!)) return undefined;
  if (feeBasisPoints! > LARGEST_BASIS_POINTS || textBytes(endpoint) > ENDPOINT_BYTES) {
    return undefined;
  }
  return {
    merchant,
    name,
    direction,
    moneyUnit,
    accountUnit,
    feeMinor: feeMinor!,
    feeBasisPoints: feeBasisPoints!,
    rateNumerator: rateNumerator!,
    rateDenominator: rateDenominator!,
    minimumMinor: minimumMinor!,
    maximumMinor: maximumMinor!,
    issued: issued!,
    expires: expires!,
    endpoint,
  };
}

/** Verifies form, chain, role, signature and dates of an offer at a time in seconds. */
export function verifyOffer(bytes: Uint8Array, agentRoot: Root, atSeconds: number): OfferResult {
  const item = decodeCbor(bytes);
  if (!Array.isArray(item) || item.length !== 2) return { ok: false, reason: "malformed" };
  const object = parseSigned(encodeCbor(item[0]));
  const terms = object && parseTerms(object.payload);
  if (object === undefined || terms === undefined) return { ok: false, reason: "malformed" };
  const chain = verifyChain(item[1], agentRoot, atSeconds);
  if (!chain.ok || chain.holder.role !== Role.MERCHANT) return { ok: false, reason: "certificate" };
  // Nobody offers in another merchant's name.
  if (!equalBytes(terms.merchant, chain.holder.subject))
    return { ok: false, reason: "certificate" };
  if (!namesSigner(object, chain.holder)) return { ok: false, reason: "malformed" };
  if (!verifySigned(object, OFFER_PURPOSE, chain.holder.signingKey)) {
    return { ok: false, reason: "signature" };
  }
  const isTooEarly = terms.issued > atSeconds + CLOCK_WINDOW_SECONDS;
  if (isTooEarly || terms.expires <= atSeconds) return { ok: false, reason: "expired" };
  return { ok: true, offer: { bytes, terms, hash: sha256(object.payload), holder: chain.holder } };
}
