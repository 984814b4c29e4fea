// SPDX-License-Identifier: Apache-2.0
// The books of the world's bank as plain data (docs/protocol.md section 6): an account with what is
// in transit of it. A host is a function of these books, so that a copy of the world holds the
// bank's knowledge too.
import { type Host, hex } from "./agentWorld.ts";

const ABORTED = 1;
const COMMITTED = 2;
const WITHDRAWAL = 1;
const DEPOSIT = 3;

export interface Books {
  /** The customer's account with the bank, in minor units. */
  accountMinor: number;
  /** By pay id: what left the account for a withdrawal that is not settled. */
  transitMinor: Record<string, number>;
  /** By pay id: held, or how it was settled. */
  payments: Record<string, "open" | "aborted" | "committed">;
  /** What no honest module says: another end than the one before. */
  conflicts: string[];
}

export function newBooks(): Books {
  return {
    accountMinor: 0,
    transitMinor: {},
    payments: {},
    conflicts: [],
  };
}

/** The same books, to be changed apart from these. */
export function copyBooks(books: Books): Books {
  const { transitMinor, payments, conflicts } = books;
  return {
    ...books,
    transitMinor: { ...transitMinor },
    payments: { ...payments },
    conflicts: [...conflicts],
  };
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
