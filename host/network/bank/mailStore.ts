// SPDX-License-Identifier: Apache-2.0
// Where a bank's mailbox keeps its letters (mailbox.ts): the contract, and the store in memory, as
// plain state. sqlMailStore.ts is the other one.
import {
  isSame,
  type KeptLetter,
  type Letter,
  LETTERS_OF_OWNER,
  type MailContext,
  type PostDecision,
} from "./mailbox.ts";

export interface MailStore {
  /**
   * Decides about the letters of one payment and writes what was decided, in one step. Letters
   * whose time is over are gone before; an owner's oldest give way where they are too many.
   */
  decide(
    bank: string,
    payId: string,
    nowSeconds: number,
    decide: (context: MailContext) => PostDecision,
  ): Promise<PostDecision>;
  /** Letters to a module behind a number, in the order in which they came. */
  lettersTo(
    bank: string,
    recipient: string,
    afterNumber: number,
    limit: number,
  ): Promise<readonly KeptLetter[]>;
  /** Letters of a bank by kind, for people. */
  counts(bank: string): Promise<Readonly<Record<Letter["kind"], number>>>;
}

/** All letters of all banks; plain data. */
export interface MailState {
  last: number;
  letters: (KeptLetter & { readonly bank: string })[];
}

export function newMailState(): MailState {
  return { last: 0, letters: [] };
}

/** The store over a state that belongs to the caller. */
export function memoryMailStore(state: MailState): MailStore {
  const of = (bank: string) => state.letters.filter((letter) => letter.bank === bank);
  return {
    decide: async (bank, payId, nowSeconds, decide) => {
      state.letters = state.letters.filter(
        (letter) => letter.bank !== bank || letter.until > nowSeconds,
      );
      const letters = of(bank).filter((letter) => letter.payId === payId);
      const decision = decide({ letters, total: of(bank).length });
      for (const gone of [...decision.remove, ...decision.put]) {
        state.letters = state.letters.filter(
          (letter) => letter.bank !== bank || !isSame(letter, gone),
        );
      }
      for (const letter of decision.put) {
        state.last += 1;
        state.letters.push({ ...letter, bank, number: state.last });
        const own = of(bank).filter(({ owner }) => owner === letter.owner);
        if (own.length > LETTERS_OF_OWNER) {
          state.letters = state.letters.filter((other) => other !== own[0]);
        }
      }
      return decision;
    },
    lettersTo: async (bank, recipient, afterNumber, limit) =>
      of(bank)
        .filter((letter) => letter.recipient === recipient && letter.number > afterNumber)
        .slice(0, limit)
        .map(({ bank: _, ...letter }) => letter),
    counts: async (bank) => {
      const counts = { question: 0, answer: 0, done: 0 };
      for (const { kind } of of(bank)) counts[kind] += 1;
      return counts;
    },
  };
}
