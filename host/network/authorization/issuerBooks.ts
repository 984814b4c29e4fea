// SPDX-License-Identifier: Apache-2.0
// What a card issuer keeps: card accounts and the transactions on them (Fig. 5: the bank's card
// side, reached over authorization network 208). Plain records, and where they are kept.
import type { Direction } from "./signedObjects.ts";

/** A card account. Amounts are minor units of `unit`; what a credit card owes is negative. */
export interface CardAccount {
  readonly cardNumber: string;
  readonly kind: "debit" | "credit";
  readonly unit: string;
  /** Last month of validity, YYMM, as on the card (ISO 8583 field 14). */
  readonly expiry: string;
  readonly standing: "open" | "blocked" | "closed";
  /** What the account may be used for: buying electronic money, selling it, or both. */
  readonly directions: readonly Direction[];
  readonly balanceMinor: number;
  /** How far a purchase may take the balance below zero; 0 for a debit card. */
  readonly creditLimitMinor: number;
  /** The largest single purchase or sale. */
  readonly transactionLimitMinor: number;
  /** Purchases authorized but not posted: no longer available. */
  readonly heldDebitMinor: number;
  /** Sales authorized but not posted: not available yet. */
  readonly heldCreditMinor: number;
}

/** One authorization, from its request to its end. Its content never changes, its state does. */
export interface CardTransaction {
  readonly mandateHash: string;
  readonly customerAgentId: string;
  readonly transactionId: string;
  readonly cardNumber: string;
  readonly direction: Direction;
  readonly amountMinor: number;
  readonly unit: string;
  readonly merchantAgentId: string;
  /** The response code given to the request, given again to every repetition. */
  readonly code: string;
  /** When the hold lapses, seconds since 1970; 0 for a refused request. */
  readonly untilS: number;
  /** When its customer first proved that a sale was paid, seconds since 1970; 0 before that. */
  readonly provenS: number;
  readonly state: "refused" | "held" | "lapsed" | "posted" | "voided";
}

/** Everything a decision depends on; the store finds it, the issuer's rules only read it. */
export interface IssuerRecords {
  readonly account: CardAccount | undefined;
  /** The transaction of this very mandate. */
  readonly transaction: CardTransaction | undefined;
  /** A transaction of the same customer agent and id with another mandate. */
  readonly rival: CardTransaction | undefined;
  /** True when this mandate was voided before its request ever arrived. */
  readonly voidedBefore: boolean;
}

/** Names the records a request needs. The ids are absent in completions and reversals. */
export interface RecordsQuestion {
  readonly cardNumber: string;
  readonly mandateHash: string;
  readonly customerAgentId?: string;
  readonly transactionId?: string;
}

export type IssuerWrite =
  | { readonly kind: "putAccount"; readonly account: CardAccount }
  | { readonly kind: "putTransaction"; readonly transaction: CardTransaction }
  | { readonly kind: "putVoidedMandate"; readonly mandateHash: string };

type MaybePromise<Value> = Value | Promise<Value>;

/**
 * Where the records live. One request is loaded, decided and applied before the next is loaded.
 * `apply` is all or nothing, and durable when it returns: only then is the answer sent.
 */
export interface IssuerStore {
  load(question: RecordsQuestion): MaybePromise<IssuerRecords>;
  apply(writes: readonly IssuerWrite[]): MaybePromise<void>;
  /** The held transactions whose `untilS` is before `nowS`. */
  lapsedHolds(nowS: number): MaybePromise<readonly CardTransaction[]>;
}

/** The records of an issuer in memory: plain state, to be cloned and compared. */
export interface IssuerBooks {
  readonly accounts: Record<string, CardAccount>;
  readonly transactions: Record<string, CardTransaction>;
  /** From "customer agent id/transaction id" to mandate hash: the unique key of a transaction. */
  readonly mandateHashById: Record<string, string>;
  readonly voidedMandates: Record<string, true>;
}

export function newIssuerBooks(accounts: readonly CardAccount[]): IssuerBooks {
  const byNumber = Object.fromEntries(accounts.map((account) => [account.cardNumber, account]));
  return { accounts: byNumber, transactions: {}, mandateHashById: {}, voidedMandates: {} };
}

/** Finds the records that a question names. */
export function loadRecords(books: IssuerBooks, question: RecordsQuestion): IssuerRecords {
  const { mandateHash } = question;
  const id = `${question.customerAgentId}/${question.transactionId}`;
  const owner = books.mandateHashById[id];
  return {
    account: books.accounts[question.cardNumber],
    transaction: books.transactions[mandateHash],
    rival: owner !== undefined && owner !== mandateHash ? books.transactions[owner] : undefined,
    voidedBefore: books.voidedMandates[mandateHash] === true,
  };
}

/** Writes records into the books. */
export function applyWrites(books: IssuerBooks, writes: readonly IssuerWrite[]): void {
  for (const write of writes) {
    if (write.kind === "putAccount") {
      books.accounts[write.account.cardNumber] = write.account;
    } else if (write.kind === "putTransaction") {
      const { mandateHash, customerAgentId, transactionId } = write.transaction;
      books.transactions[mandateHash] = write.transaction;
      books.mandateHashById[`${customerAgentId}/${transactionId}`] = mandateHash;
    } else {
      books.voidedMandates[write.mandateHash] = true;
    }
  }
}

/** The memory implementation of the store, over books that the caller keeps. */
export function memoryIssuerStore(books: IssuerBooks): IssuerStore {
  return {
    load: (question) => loadRecords(books, question),
    apply: (writes) => applyWrites(books, writes),
    lapsedHolds: (nowS) =>
      Object.values(books.transactions).filter(
        ({ state, untilS }) => state === "held" && untilS < nowS,
      ),
  };
}
