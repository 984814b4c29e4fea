// SPDX-License-Identifier: Apache-2.0
// The books of the world's bank and card issuer as plain data: holds, postings and voids of cards
// (docs/protocol.md section 6), and an account with what is in transit of it. A host is a function
// of these books, so that a copy of the world holds the banks' knowledge too.
import { decodeCbor } from "../trust/cbor.ts";
import { type Host, hex } from "./agentWorld.ts";
import { approvalOf, mandateHash, payloadOf, postingOf } from "./purchaseWorld.ts";
import { rememberAbout } from "./remembered.ts";

const ABORTED = 1;
const COMMITTED = 2;
const WITHDRAWAL = 1;
const DEPOSIT = 3;
const POST = 1;

export type CardState = "held" | "posted" | "voided";

export interface Books {
  /** By hash of the mandate: what the issuer did with the card. */
  cards: Record<string, CardState>;
  /** The customer's account with the bank, in minor units. */
  accountMinor: number;
  /** By pay id: what left the account for a withdrawal that is not settled. */
  transitMinor: Record<string, number>;
  /** By pay id: held, or how it was settled. */
  payments: Record<string, "open" | "aborted" | "committed">;
  isCardNetworkDown: boolean;
  /** What no honest party may ask for: a void after a posting, and the like. */
  conflicts: string[];
}

export function newBooks(): Books {
  return {
    cards: {},
    accountMinor: 0,
    transitMinor: {},
    payments: {},
    isCardNetworkDown: false,
    conflicts: [],
  };
}

/** The same books, to be changed apart from these. */
export function copyBooks(books: Books): Books {
  const { cards, transitMinor, payments, conflicts } = books;
  return {
    ...books,
    cards: { ...cards },
    transitMinor: { ...transitMinor },
    payments: { ...payments },
    conflicts: [...conflicts],
  };
}

/** The merchant's host with switch and issuer behind it: 45 asks for a hold, 47 posts or voids. */
export function answerCards(books: Books, [number, tag, object]: unknown[]): unknown[][] {
  if (books.isCardNetworkDown) return [];
  if (number === 45) {
    const mandate = object as object;
    const card = rememberAbout(mandate, "hash", () => hex(mandateHash(mandate)));
    books.cards[card] ??= "held";
    const isHeld = books.cards[card] !== "voided";
    const code = isHeld ? "00" : "05";
    return [[46, tag, rememberAbout(mandate, code, () => approvalOf(mandate, isHeld, code)), code]];
  }
  if (number !== 47) return [];
  const completion = object as object;
  const [mandate, outcome] = rememberAbout(
    completion,
    "payload",
    () => decodeCbor(payloadOf(completion)) as [Uint8Array, number],
  );
  const wanted = outcome === POST ? "posted" : "voided";
  const card = hex(mandate);
  const state = books.cards[card] ?? (wanted === "voided" ? "held" : "unknown");
  if (state !== "held" && state !== wanted) {
    books.conflicts.push(`a card is to be ${wanted} that is ${state}`);
    return [];
  }
  books.cards[card] = wanted;
  return [[48, tag, rememberAbout(completion, "posting", () => postingOf(completion))]];
}

/** A bank's host: its books hold first (82), and settle once what the module says (84). */
export function answerBank(books: Books, message: unknown[]): unknown[][] {
  if (message[0] === 82) {
    const [, , payId, , kind, amountMinor] = message as [0, 0, Uint8Array, 0, number, number];
    const name = hex(payId);
    if (books.payments[name] === undefined && kind === WITHDRAWAL) {
      books.accountMinor -= amountMinor;
      books.transitMinor[name] = amountMinor;
    }
    books.payments[name] ??= "open";
    return [[83, payId, books.payments[name] === "open"]];
  }
  if (message[0] !== 84) return [];
  const [, payId, state, kind, amountMinor] = message as [0, Uint8Array, number, number, number];
  if (state !== ABORTED && state !== COMMITTED) return [];
  settle(books, hex(payId), state === COMMITTED, kind, amountMinor);
  return [[85, payId]];
}

function settle(
  books: Books,
  name: string,
  isCommitted: boolean,
  kind: number,
  amountMinor: number,
): void {
  const before = books.payments[name];
  const now = isCommitted ? "committed" : "aborted";
  if (before !== undefined && before !== "open") {
    if (before !== now) books.conflicts.push(`a payment settled as ${before} is now ${now}`);
    return;
  }
  books.payments[name] = now;
  const heldMinor = books.transitMinor[name] ?? 0;
  delete books.transitMinor[name];
  if (!isCommitted) books.accountMinor += heldMinor;
  else if (kind === DEPOSIT) books.accountMinor += amountMinor;
}

/** Hosts over books that may be replaced when a world is put back. */
export function hostOver(
  books: () => Books,
  answer: (books: Books, message: unknown[]) => unknown[][],
): Host {
  return (message) => answer(books(), message);
}
