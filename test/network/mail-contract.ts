// SPDX-License-Identifier: Apache-2.0
// The contract of a mailbox's store: letters keep their order and their place, are bounded for each
// owner, and go when their time is over.
import { describe, expect, it } from "vitest";
import { type Letter, LETTERS_OF_OWNER } from "../../host/network/bank/mailbox.ts";
import type { MailStore } from "../../host/network/bank/mailStore.ts";

const NOW = 1_800_000_000;
let banks = 0;

function letter(payId: string, more: Partial<Letter> = {}): Letter {
  return {
    payId,
    kind: "question",
    sender: "asker",
    recipient: "peer",
    owner: "asker",
    statement: Uint8Array.of(1, 2, 3),
    until: NOW + 100,
    ...more,
  };
}

const put = (store: MailStore, bank: string, letters: Letter[], remove: Letter[] = [], now = NOW) =>
  store.decide(bank, letters[0]?.payId ?? remove[0]!.payId, now, () => ({
    result: "accepted",
    put: letters,
    remove,
  }));

/** Declares the tests; `open` is asked within each of them. */
export function mailContract(name: string, open: () => MailStore): void {
  const newBank = () => {
    banks += 1;
    return `mail bank ${banks}`;
  };

  describe(`the mailbox in ${name}`, () => {
    it("hands letters over in their order, from a number on, to their recipient alone", async () => {
      const [store, bank] = [open(), newBank()];
      await put(store, bank, [letter("a")]);
      await put(store, bank, [letter("b"), letter("b", { recipient: "other" })]);
      await put(store, newBank(), [letter("c")]);
      const all = await store.lettersTo(bank, "peer", 0, 10);
      expect(all.map(({ payId }) => payId)).toEqual(["a", "b"]);
      expect(all[0]).toMatchObject(letter("a"));
      const after = await store.lettersTo(bank, "peer", all[0]!.number, 10);
      expect(after.map(({ payId }) => payId)).toEqual(["b"]);
      expect(await store.lettersTo(bank, "peer", 0, 1)).toHaveLength(1);
      expect(await store.counts(bank)).toEqual({ question: 3, answer: 0, done: 0 });
    });

    it("puts a letter that comes again behind the others, and removes what is told", async () => {
      const [store, bank] = [open(), newBank()];
      await put(store, bank, [letter("a")]);
      await put(store, bank, [letter("b")]);
      await put(store, bank, [letter("a", { statement: Uint8Array.of(9) })]);
      const all = await store.lettersTo(bank, "peer", 0, 10);
      expect(all.map(({ payId, statement }) => [payId, statement[0]])).toEqual([
        ["b", 1],
        ["a", 9],
      ]);
      await put(store, bank, [], [letter("b")]);
      expect((await store.lettersTo(bank, "peer", 0, 10)).map(({ payId }) => payId)).toEqual(["a"]);
    });

    it("decides on the letters of the payment, without those whose time is over", async () => {
      const [store, bank] = [open(), newBank()];
      await put(store, bank, [letter("a"), letter("a", { kind: "answer", until: NOW + 500 })]);
      await put(store, bank, [letter("b")]);
      const seen: unknown[] = [];
      await store.decide(bank, "a", NOW + 100, ({ letters, total }) => {
        seen.push(
          letters.map(({ kind }) => kind),
          total,
        );
        return { result: "known", put: [], remove: [] };
      });
      expect(seen).toEqual([["answer"], 1]);
    });

    it("lets an owner's oldest letters give way, and nobody else's", async () => {
      const [store, bank] = [open(), newBank()];
      await put(store, bank, [letter("mine", { owner: "other" })]);
      for (let n = 0; n <= LETTERS_OF_OWNER; n += 1) await put(store, bank, [letter(`p${n}`)]);
      const all = await store.lettersTo(bank, "peer", 0, 1_000);
      expect(all).toHaveLength(LETTERS_OF_OWNER + 1);
      expect(all.slice(0, 2).map(({ payId }) => payId)).toEqual(["mine", "p1"]);
    });
  });
}
