// SPDX-License-Identifier: Apache-2.0
// The card network of the boards' worlds as plain books of holds, postings and voids: there boards
// are tried, not hosts; the real network is in the torture world (host/torture/cardNetwork.ts).
import { decodeCbor } from "../../host/trust/cbor.ts";
import { hex } from "../../host/torture/agentWorld.ts";
import { approvalOf, mandateHash, payloadOf, postingOf } from "../../host/torture/purchaseWorld.ts";

const POST = 1;

export type CardState = "held" | "posted" | "voided";

export interface CardBooks {
  /** By hash of the mandate: what the issuer did with the card. */
  readonly cards: Record<string, CardState>;
  /** What no honest party may ask for: a void after a posting, and the reverse. */
  readonly conflicts: string[];
}

/** 45 asks for a hold, 47 posts or voids; funds are never short (43). */
export function answerCards(books: CardBooks, [number, tag, object]: unknown[]): unknown[][] {
  const { cards, conflicts } = books;
  if (number === 43) return [[44, tag, false]];
  if (number === 45) {
    const card = hex(mandateHash(object));
    cards[card] ??= "held";
    const isHeld = cards[card] !== "voided";
    const code = isHeld ? "00" : "05";
    return [[46, tag, approvalOf(object, isHeld, code), code]];
  }
  if (number !== 47) return [];
  const [mandate, outcome] = decodeCbor(payloadOf(object)) as [Uint8Array, number];
  const wanted = outcome === POST ? "posted" : "voided";
  const card = hex(mandate);
  const state = cards[card] ?? (wanted === "voided" ? "held" : "unknown");
  if (state !== "held" && state !== wanted) {
    conflicts.push(`a card is to be ${wanted} that is ${state}`);
    return [];
  }
  cards[card] = wanted;
  return [[48, tag, postingOf(object)]];
}
