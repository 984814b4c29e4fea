// SPDX-License-Identifier: Apache-2.0
// A whole card issuer as one event machine over plain, cloneable state: the rules of issuer.ts on
// books in memory. Simulated worlds use it; issuerHost.ts drives the same rules over a database.
import { encodeMessage } from "./codec.ts";
import { type Counters, newCounters } from "./counters.ts";
import { decideLapse, decideRequest, type IssuerTerms } from "./issuer.ts";
import {
  applyWrites,
  type CardAccount,
  type IssuerBooks,
  loadRecords,
  newIssuerBooks,
} from "./issuerBooks.ts";
import { type IssuerDirectory, readRequest } from "./issuerRequest.ts";

/** What an issuer is: it does not change with events. `links`: keys by link name. */
export interface IssuerConfig extends IssuerTerms {
  readonly directory: IssuerDirectory;
  readonly links: Readonly<Record<string, Uint8Array>>;
}

export interface IssuerState {
  readonly books: IssuerBooks;
  readonly counters: Counters;
}

export type IssuerEvent =
  | { kind: "received"; link: string; bytes: Uint8Array; nowS: number }
  | { kind: "tick"; nowS: number };

export interface SendEffect {
  readonly kind: "send";
  readonly link: string;
  readonly bytes: Uint8Array;
}

export function newIssuerState(accounts: readonly CardAccount[]): IssuerState {
  return { books: newIssuerBooks(accounts), counters: newCounters() };
}

/** Handles one event: changes `state` and returns what is to be sent. */
export function stepIssuer(
  config: IssuerConfig,
  state: IssuerState,
  event: IssuerEvent,
): readonly SendEffect[] {
  const { books, counters } = state;
  if (event.kind === "tick") {
    for (const transaction of Object.values(books.transactions)) {
      const account = books.accounts[transaction.cardNumber];
      if (account) applyWrites(books, decideLapse(account, transaction, event.nowS));
    }
    return [];
  }
  const linkKey = config.links[event.link];
  if (linkKey === undefined) throw new Error(`the card issuer has no link "${event.link}"`);
  const request = readRequest(config.directory, linkKey, event.bytes);
  if (typeof request === "string") {
    counters[request]++;
    return [];
  }
  counters.accepted++;
  const records = loadRecords(books, request.question);
  const { writes, answer } = decideRequest(config, request, records, event.nowS);
  applyWrites(books, writes);
  return [{ kind: "send", link: event.link, bytes: encodeMessage(answer, linkKey) }];
}
