// SPDX-License-Identifier: Apache-2.0
// What travels between a gateway and its merchants and customers: one CBOR array in each binary
// WebSocket message. The offers prove themselves; nothing else in here is worth believing.
import { decodeCbor, encodeCbor } from "../../trust/cbor.ts";
import { DIRECTION_NUMBERS, type Direction, directionOf } from "../../trust/merchantOffer.ts";
import { isUnit, isWhole } from "../../trust/shapes.ts";

/** Longest message in bytes that either side takes. */
export const GATEWAY_MESSAGE_BYTES = 256 * 1024;
/** An offer has about 800 bytes: terms, signature and chain. */
export const OFFER_BYTES = 2048;
/** Offers of one answer; more would not fit into a message, and are asked for again. */
export const OFFERS_PER_ANSWER = 100;

/** To the gateway. `request` is chosen by the sender and comes back with the answer. */
export type GatewayRequest =
  /** [1, request, offer: bstr] */
  | { readonly type: "publish"; readonly request: number; readonly offer: Uint8Array }
  /** [2, request, direction, money unit, after: tstr] */
  | {
      readonly type: "query";
      readonly request: number;
      readonly direction: Direction;
      readonly moneyUnit: string;
      /** Empty at first, then `next` of the answer before. */
      readonly after: string;
    };

/** Why the gateway did not take an offer; the words are what travels. */
export type PublishResult =
  | "accepted"
  | "malformed"
  | "certificate"
  | "signature"
  | "expired"
  | "untrusted"
  | "superseded"
  | "full";

const PUBLISH_RESULTS: readonly string[] = [
  "accepted",
  "malformed",
  "certificate",
  "signature",
  "expired",
  "untrusted",
  "superseded",
  "full",
];

/** From the gateway. */
export type GatewayAnswer =
  /** [1, request, result: tstr] */
  | { readonly type: "published"; readonly request: number; readonly result: PublishResult }
  /** [2, request, [* offer: bstr], next: tstr / null] */
  | {
      readonly type: "offers";
      readonly request: number;
      readonly offers: readonly Uint8Array[];
      /** Where the list goes on; null at its end. */
      readonly next: string | null;
    };

const PUBLISH = 1;
const QUERY = 2;

export function encodeRequest(message: GatewayRequest): Uint8Array {
  if (message.type === "publish") return encodeCbor([PUBLISH, message.request, message.offer]);
  const direction = DIRECTION_NUMBERS[message.direction];
  return encodeCbor([QUERY, message.request, direction, message.moneyUnit, message.after]);
}

export function parseRequest(bytes: Uint8Array): GatewayRequest | undefined {
  const item = decodeCbor(bytes);
  if (!Array.isArray(item) || !isWhole(item[1])) return undefined;
  const [number, request, third, moneyUnit, after] = item as [unknown, number, ...unknown[]];
  if (number === PUBLISH && item.length === 3 && third instanceof Uint8Array) {
    return { type: "publish", request, offer: third };
  }
  const direction = directionOf(third);
  if (number !== QUERY || item.length !== 5 || typeof after !== "string") return undefined;
  if (direction === undefined || !isUnit(moneyUnit)) return undefined;
  return { type: "query", request, direction, moneyUnit, after };
}

export function encodeAnswer(message: GatewayAnswer): Uint8Array {
  return message.type === "published"
    ? encodeCbor([PUBLISH, message.request, message.result])
    : encodeCbor([QUERY, message.request, message.offers, message.next]);
}

export function parseAnswer(bytes: Uint8Array): GatewayAnswer | undefined {
  const item = decodeCbor(bytes);
  if (!Array.isArray(item) || !isWhole(item[1])) return undefined;
  const [number, request, third, next] = item as [unknown, number, ...unknown[]];
  if (number === PUBLISH && item.length === 3 && isPublishResult(third)) {
    return { type: "published", request, result: third };
  }
  if (number !== QUERY || item.length !== 4 || !Array.isArray(third)) return undefined;
  if (third.length > OFFERS_PER_ANSWER || (next !== null && typeof next !== "string")) {
    return undefined;
  }
  const isOffer = (offer: unknown): offer is Uint8Array => offer instanceof Uint8Array;
  return third.every(isOffer) ? { type: "offers", request, offers: third, next } : undefined;
}

function isPublishResult(value: unknown): value is PublishResult {
  return typeof value === "string" && PUBLISH_RESULTS.includes(value);
}
