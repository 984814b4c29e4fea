// SPDX-License-Identifier: Apache-2.0
// What a customer's device can prove after a sale that met a fault (docs/protocol.md section 6): the
// sale exactly when it was paid, so that a merchant who withholds its post is overruled, and nobody
// who has the money still is debited for nothing.
import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { beforeAll, describe, expect, test } from "vitest";
import { salesOf } from "../../host/application/saleEvidence.ts";
import type { CardTransaction } from "../../host/network/authorization/issuerBooks.ts";
import {
  type DeviceRegister,
  readSaleEvidence,
} from "../../host/network/authorization/saleEvidence.ts";
import { decideOverrule } from "../../host/network/authorization/withheldSale.ts";
import type { Half } from "../../host/torture/agentWorld.ts";
import { cardParties } from "../../host/torture/cardParties.ts";
import { Explorer } from "../../host/torture/explorer.ts";
import { itemsOf } from "../../host/torture/items.ts";
import { ISSUER_SEED } from "../../host/torture/purchaseWorld.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseCertificate } from "../../host/trust/certificates.ts";

/** Prime, so that the sample meets every kind of fault. */
const STRIDE = 37;
const DAY_S = 86_400;

let explorer: Explorer;
let sample: string[];
beforeAll(() => {
  explorer = new Explorer("sale", 1);
  sample = explorer.singles().filter((_, index) => index % STRIDE === 0);
});

/** Everything that the customer's device reads out about its sales. */
function sales() {
  const { first } = explorer.scenario;
  const read = (half: Half, ...command: unknown[]) =>
    itemsOf((cursor) => first.half(half).ask(...command, cursor));
  const log = read("agent", 9).map((item) => decodeCbor(item) as unknown[]);
  return salesOf(log, read("module", 8, 6));
}

/** Who is who, by the certificates that the devices show. */
function register(): DeviceRegister {
  const { first, second } = explorer.scenario;
  const certificateOf = (half: Half, id: string) =>
    [first, second]
      .map((device) => decodeCbor(device.half(half).ask(8, 3, 0)[3] as Uint8Array) as unknown[])
      .map(([own]) => parseCertificate(encodeCbor(own))!)
      .find(({ subject }) => bytesToHex(subject) === id);
  return {
    deviceOfAgent: (id) => bytesToHex(certificateOf("agent", id)!.device!),
    moduleById: (id) => {
      const { device, signingKey } = certificateOf("module", id)!;
      return { device: bytesToHex(device!), signingKey };
    },
  };
}

describe("after a sale that met a fault", () => {
  test("the customer proves it exactly when it was paid, and that posts it like the merchant", () => {
    let [paid, unpaid] = [0, 0];
    for (const id of sample) {
      const { isCommitted, complaints } = explorer.attempt(id);
      expect([id, complaints]).toEqual([id, []]);
      const { world, first, second } = explorer.scenario;
      const { books } = world.cards!.issuer;
      const { directory } = cardParties(first.half("agent"), second.half("agent")).config.issuer;
      const devices = register();
      const proven = sales().map(({ evidence }) =>
        readSaleEvidence(directory, ed25519.getPublicKey(ISSUER_SEED), devices, evidence),
      );
      // What was sold before the recorded order can be proved, too.
      const posted = Object.values(books.transactions).filter(
        ({ state, direction }) => state === "posted" && direction === "sell",
      );
      const hashes = proven.map((sale) =>
        typeof sale === "string" ? sale : sale.question.mandateHash,
      );
      expect([id, hashes]).toEqual([id, posted.map(({ mandateHash }) => mandateHash)]);
      if (isCommitted) paid += 1;
      else unpaid += 1;
      for (const sale of proven) {
        if (typeof sale === "string") continue;
        const account = books.accounts[sale.question.cardNumber]!;
        const transaction = books.transactions[sale.question.mandateHash]!;
        const ask = (withheld: CardTransaction, atS: number) => {
          const { amountMinor } = withheld;
          const before = {
            ...account,
            balanceMinor: account.balanceMinor - amountMinor,
            heldCreditMinor: account.heldCreditMinor + amountMinor,
          };
          const records = { account: before, transaction: withheld, rival: undefined };
          return decideOverrule(sale, { ...records, voidedBefore: false }, atS);
        };
        const filed = ask({ ...transaction, state: "held" }, sale.proof.readyS + DAY_S);
        expect([id, filed.outcome.type]).toEqual([id, "filed"]);
        const [write] = filed.writes;
        if (write?.kind !== "putTransaction") throw new Error("The evidence was not kept.");
        const done = ask(write.transaction, sale.proof.readyS + 8 * DAY_S);
        expect([id, done.outcome]).toEqual([id, { type: "posted" }]);
        expect([id, done.writes[0]]).toEqual([id, { kind: "putAccount", account }]);
      }
    }
    // Faults that prevent everything, or nothing, test little.
    expect(paid).toBeGreaterThan(20);
    expect(unpaid).toBeGreaterThan(20);
  });

  test("a merchant whose host withholds the post is overruled by it", () => {
    expect(explorer.attempt("sale:1:0/liar.M.withholds").complaints).toEqual([]);
    const { world, first, second } = explorer.scenario;
    const { books } = world.cards!.issuer;
    const { directory } = cardParties(first.half("agent"), second.half("agent")).config.issuer;
    const newest = sales().at(-1)!;
    const issuer = ed25519.getPublicKey(ISSUER_SEED);
    const sale = readSaleEvidence(directory, issuer, register(), newest.evidence);
    if (typeof sale === "string") throw new Error(sale);
    const transaction = books.transactions[sale.question.mandateHash]!;
    expect(transaction.state).toBe("held");
    const account = books.accounts[sale.question.cardNumber]!;
    const records = { account, rival: undefined };
    const { readyS } = sale.proof;
    const voidedBefore = false;
    const filed = decideOverrule(sale, { ...records, transaction, voidedBefore }, readyS + DAY_S);
    const [write] = filed.writes;
    if (write?.kind !== "putTransaction") throw new Error("The evidence was not kept.");
    const asked = { ...records, transaction: write.transaction, voidedBefore };
    const posted = decideOverrule(sale, asked, readyS + 8 * DAY_S);
    expect(posted.outcome).toEqual({ type: "posted" });
    // The customer has what the merchant's post would have given.
    const { balanceMinor, heldCreditMinor } = account;
    const { amountMinor } = transaction;
    expect(posted.writes[0]).toEqual({
      kind: "putAccount",
      account: {
        ...account,
        balanceMinor: balanceMinor + amountMinor,
        heldCreditMinor: heldCreditMinor - amountMinor,
      },
    });
  });
});
