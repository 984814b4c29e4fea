// SPDX-License-Identifier: Apache-2.0
// The contract of the card issuer's records, for every store.
import { describe, expect, it } from "vitest";
import type {
  CardAccount,
  CardTransaction,
  IssuerStore,
} from "../../host/network/authorization/issuerBooks.ts";

const account: CardAccount = {
  cardNumber: "4000000000000002",
  kind: "credit",
  unit: "EUR",
  expiry: "3012",
  standing: "open",
  directions: ["buy", "sell"],
  balanceMinor: -2500,
  creditLimitMinor: 100_000,
  transactionLimitMinor: 50_000,
  heldDebitMinor: 700,
  heldCreditMinor: 0,
};
const transaction: CardTransaction = {
  mandateHash: "aa".repeat(32),
  customerAgentId: "01".repeat(8),
  transactionId: "02".repeat(16),
  cardNumber: account.cardNumber,
  direction: "buy",
  amountMinor: 700,
  unit: "EUR",
  merchantAgentId: "03".repeat(8),
  code: "00",
  untilS: 1_800_000_600,
  provenS: 0,
  state: "held",
};
const question = {
  cardNumber: account.cardNumber,
  mandateHash: transaction.mandateHash,
  customerAgentId: transaction.customerAgentId,
  transactionId: transaction.transactionId,
};

/** Declares the tests; `open` is asked within each of them. */
export function issuerContract(name: string, open: () => IssuerStore): void {
  describe(`the issuer's records in ${name}`, () => {
    it("are found by what a request names", async () => {
      const store = open();
      expect(await store.load(question)).toEqual({
        account: undefined,
        transaction: undefined,
        rival: undefined,
        voidedBefore: false,
      });
      await store.apply([
        { kind: "putAccount", account },
        { kind: "putTransaction", transaction },
      ]);
      expect(await store.load(question)).toEqual({
        account,
        transaction,
        rival: undefined,
        voidedBefore: false,
      });
      const rival = await store.load({ ...question, mandateHash: "bb".repeat(32) });
      expect(rival).toMatchObject({ transaction: undefined, rival: transaction });
      const { cardNumber, mandateHash } = question;
      expect(await store.load({ cardNumber, mandateHash })).toMatchObject({ transaction });

      expect(await store.lapsedHolds(1_800_000_600)).toEqual([]);
      expect(await store.lapsedHolds(1_800_000_601)).toEqual([transaction]);
      const posted: CardTransaction = { ...transaction, provenS: 1_800_000_500, state: "posted" };
      const blocked: CardAccount = { ...account, standing: "blocked", directions: [] };
      await store.apply([
        { kind: "putAccount", account: blocked },
        { kind: "putTransaction", transaction: posted },
      ]);
      expect(await store.load(question)).toMatchObject({ account: blocked, transaction: posted });
      expect(await store.lapsedHolds(1_900_000_000)).toEqual([]);

      // A request for a card that nobody has is refused, and its refusal is kept.
      const refused: CardTransaction = {
        ...transaction,
        mandateHash: "cc".repeat(32),
        transactionId: "04".repeat(16),
        cardNumber: "4999999999999999",
        code: "14",
        untilS: 0,
        state: "refused",
      };
      await store.apply([{ kind: "putTransaction", transaction: refused }]);
      const known = await store.load({ cardNumber: "1", mandateHash: refused.mandateHash });
      expect(known.transaction).toEqual(refused);
    });

    it("remember a void that came before its request", async () => {
      const store = open();
      const mandateHash = "dd".repeat(32);
      const write = { kind: "putVoidedMandate", mandateHash } as const;
      await store.apply([write]);
      await store.apply([write]);
      expect((await store.load({ ...question, mandateHash })).voidedBefore).toBe(true);
      expect((await store.load(question)).voidedBefore).toBe(false);
    });
  });
}

/** What a database promises beyond that. */
export function sqlIssuerContract(name: string, open: () => IssuerStore): void {
  issuerContract(name, open);
  describe(`the issuer's records in ${name}`, () => {
    it("are written all or not at all", async () => {
      const store = open();
      const other = { ...account, cardNumber: "4000000000000010" };
      const impossible = { ...transaction, mandateHash: "ee".repeat(32), amountMinor: 0.5 };
      await expect(
        store.apply([
          { kind: "putAccount", account: other },
          { kind: "putTransaction", transaction: impossible },
        ]),
      ).rejects.toThrow();
      const { account: found } = await store.load({ ...question, cardNumber: other.cardNumber });
      expect(found).toBeUndefined();
    });
  });
}
