// SPDX-License-Identifier: Apache-2.0
// The gateway (patent Fig. 5): a directory of merchants' signed offers, as an event machine. It
// turns away what does not verify, but nobody has to trust it: customers verify again.
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Root } from "../../trust/certificates.ts";
import type { OfferTerms } from "../../trust/merchantOffer.ts";
import { verifyOffer } from "../../trust/merchantOffer.ts";
import {
  encodeAnswer,
  OFFER_BYTES,
  OFFERS_PER_ANSWER,
  type PublishResult,
  parseRequest,
} from "./messages.ts";

/** Offers that one merchant may have: each way, in a few pairs of units. */
const OFFERS_PER_MERCHANT = 32;
const OFFERS = 10_000;

interface Listing {
  readonly bytes: Uint8Array;
  readonly terms: OfferTerms;
}

/** Plain state. */
export interface GatewayState {
  readonly agentRoot: Root;
  /** Ids (hexadecimal) on the agency's list of untrusted agents. */
  readonly untrusted: string[];
  /** By merchant, direction and units: the one offer that counts. */
  readonly listings: Record<string, Listing>;
}

export type GatewayEvent =
  | { readonly type: "message"; readonly connection: number; readonly bytes: Uint8Array }
  /** The agency's list changed. */
  | { readonly type: "list"; readonly untrusted: readonly string[] };

export type GatewayEffect =
  | { readonly type: "send"; readonly connection: number; readonly bytes: Uint8Array }
  /** The connection speaks something else. */
  | { readonly type: "close"; readonly connection: number };

export function newGateway(agentRoot: Root): GatewayState {
  return { agentRoot, untrusted: [], listings: {} };
}

/** Handles one event; the state is changed in place. */
export function handleGatewayEvent(
  state: GatewayState,
  event: GatewayEvent,
  nowSeconds: number,
): GatewayEffect[] {
  dropExpired(state, nowSeconds);
  if (event.type === "list") {
    state.untrusted.splice(0, state.untrusted.length, ...event.untrusted);
    drop(state, ({ terms }) => state.untrusted.includes(bytesToHex(terms.merchant)));
    return [];
  }
  const { connection } = event;
  const message = parseRequest(event.bytes);
  if (message === undefined) return [{ type: "close", connection }];
  const { request } = message;
  if (message.type === "publish") {
    const result = publish(state, message.offer, nowSeconds);
    const bytes = encodeAnswer({ type: "published", request, result });
    return [{ type: "send", connection, bytes }];
  }
  const { after, direction, moneyUnit } = message;
  // In order of the keys, so that a list that changes between two answers skips nobody.
  const rest = Object.entries(state.listings)
    .filter(([, { terms }]) => terms.direction === direction && terms.moneyUnit === moneyUnit)
    .filter(([key]) => key > after)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const page = rest.slice(0, OFFERS_PER_ANSWER);
  const next = rest.length > page.length ? page.at(-1)![0] : null;
  const offers = page.map(([, { bytes }]) => bytes);
  const bytes = encodeAnswer({ type: "offers", request, offers, next });
  return [{ type: "send", connection, bytes }];
}

function publish(state: GatewayState, bytes: Uint8Array, nowSeconds: number): PublishResult {
  if (bytes.length > OFFER_BYTES) return "malformed";
  const result = verifyOffer(bytes, state.agentRoot, nowSeconds);
  if (!result.ok) return result.reason;
  const { terms } = result.offer;
  const merchant = bytesToHex(terms.merchant);
  if (state.untrusted.includes(merchant)) return "untrusted";
  const key = [merchant, terms.direction, terms.moneyUnit, terms.accountUnit].join("/");
  const present = state.listings[key];
  // Anybody can send an old offer again; it must not put a newer one out of the list.
  if (present && present.terms.issued > terms.issued) return "superseded";
  if (present === undefined) {
    const keys = Object.keys(state.listings);
    const own = keys.filter((other) => other.startsWith(`${merchant}/`));
    if (keys.length >= OFFERS || own.length >= OFFERS_PER_MERCHANT) return "full";
  }
  state.listings[key] = { bytes, terms };
  return "accepted";
}

function dropExpired(state: GatewayState, nowSeconds: number): void {
  drop(state, ({ terms }) => terms.expires <= nowSeconds);
}

function drop(state: GatewayState, isGone: (listing: Listing) => boolean): void {
  for (const [key, listing] of Object.entries(state.listings)) {
    if (isGone(listing)) delete state.listings[key];
  }
}
