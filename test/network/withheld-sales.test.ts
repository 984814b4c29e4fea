// SPDX-License-Identifier: Apache-2.0
// A sale that its merchant does not post (docs/protocol.md section 6): the customer's evidence posts
// it, once, after the merchant's time; evidence that is false in any part, or of a sale that was
// voided, posts nothing. How a module makes its proof: test/money/evidence.test.ts.
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type {
  DeviceRegister,
  SaleEvidence,
} from "../../host/network/authorization/saleEvidence.ts";
import {
  type Mandate,
  signApproval,
  signMandate,
} from "../../host/network/authorization/signedObjects.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseSigned, signObject } from "../../host/trust/cose.ts";
import { DATE, encodeTransfer } from "../support/noteMaker.ts";
import {
  approvalSeed,
  CUSTOMER,
  customerSeed,
  HOLD_S,
  hashOf,
  hold,
  MERCHANT,
  mandate,
  merchantSeed,
  NOW_S,
  STRANGER,
  settle,
  signedIn,
  strangerSeed,
  World,
} from "./authorization-world.ts";

const AFTER_S = NOW_S + HOLD_S + 1;
const PAY_ID = new Uint8Array(16).fill(0xaa);
const payer = { id: "c1".repeat(8), seed: new Uint8Array(32).fill(21) };
const payee = { id: "a2".repeat(8), seed: new Uint8Array(32).fill(22) };
const other = { id: "b3".repeat(8), seed: new Uint8Array(32).fill(23) };

/** The device of an agent, and of a module, is its id's first byte's high half. */
const deviceOf = (id: string) => id.slice(0, 1).repeat(16);
const devices: DeviceRegister = {
  deviceOfAgent: (id) => ([CUSTOMER, MERCHANT, STRANGER].includes(id) ? deviceOf(id) : undefined),
  moduleById: (id) => {
    const module = [payer, payee, other].find((one) => one.id === id);
    return module && { device: deviceOf(id), signingKey: ed25519.getPublicKey(module.seed) };
  },
};

let world: World;
let sale: Mandate;
beforeEach(async () => {
  world = await World.start();
  sale = mandate({ direction: "sell", accountAmountMinor: 980, moneyAmountMinor: 990 });
  expect((await world.ask(hold(sale))).fields[39]).toBe("00");
  world.nowS = AFTER_S;
});
afterEach(() => world.close());

const transfer = (amount: number, change: object = {}) =>
  encodeTransfer({
    parent: new Uint8Array(32).fill(amount % 256),
    sequence: 1,
    offset: 0,
    amount,
    transferee: hexToBytes(payee.id),
    date: DATE,
    payId: PAY_ID,
    ...change,
  });

interface Change {
  transfers?: Uint8Array[];
  released?: Uint8Array[];
  order?: unknown[];
  payer?: typeof payer;
  payee?: typeof payer;
  readySeed?: Uint8Array;
  releaseSeed?: Uint8Array;
  readyDrafts?: Uint8Array[];
}

/** The proof of the sale's payment, but for what is changed. */
function proofOf(order: Mandate, change: Change = {}): Uint8Array {
  const [from, to] = [change.payer ?? payer, change.payee ?? payee];
  const transfers = change.transfers ?? [transfer(900), transfer(90)];
  const drafts = (change.readyDrafts ?? transfers).map((draft) => sha256(draft));
  const ready = encodeCbor([
    PAY_ID,
    sha256(concatBytes(...drafts)),
    hexToBytes(from.id),
    hexToBytes(to.id),
    NOW_S,
    change.order ?? [hexToBytes(order.transactionId), order.moneyUnit, order.moneyAmountMinor],
  ]);
  const signed = signObject("florin/ready-to-commit", ready, change.readySeed ?? to.seed);
  const signatures = transfers.map((draft) => {
    const object = signObject("florin/transfer", draft, change.releaseSeed ?? from.seed);
    return parseSigned(object)!.signature;
  });
  const released = [PAY_ID, change.released ?? signatures];
  return encodeCbor([decodeCbor(signed), transfers, released]);
}

function evidence(order = sale, change: Partial<SaleEvidence> = {}): SaleEvidence {
  const approval = { mandateHash: hashOf(order), approved: true, code: "00" };
  return {
    mandate: signMandate(order, customerSeed),
    approval: signApproval({ ...approval, untilS: NOW_S + HOLD_S }, approvalSeed),
    proof: proofOf(order),
    ...change,
  };
}

const show = (shown: SaleEvidence) => world.issuer.overrule(shown, devices);
const account = () => world.account();

describe("evidence of a sale whose merchant is silent", () => {
  test("posts it, and shown twice posts it once", async () => {
    expect(account()).toMatchObject({ balanceMinor: 100_000, heldCreditMinor: 980 });
    expect(await show(evidence())).toEqual({ type: "posted" });
    expect(account()).toMatchObject({ balanceMinor: 100_980, heldCreditMinor: 0 });
    expect(await show(evidence())).toEqual({ type: "known" });
    expect(account()).toMatchObject({ balanceMinor: 100_980, heldCreditMinor: 0 });
  });

  test("posts it after the hold has lapsed, too", async () => {
    await world.issuer.releaseLapsed();
    expect(account()).toMatchObject({ balanceMinor: 100_000, heldCreditMinor: 0 });
    expect(await show(evidence())).toEqual({ type: "posted" });
    expect(account()).toMatchObject({ balanceMinor: 100_980, heldCreditMinor: 0 });
  });

  test("an opened payer says aborted to the merchant and releases to the issuer: the void comes first", async () => {
    world.nowS = NOW_S + HOLD_S;
    expect(await show(evidence())).toEqual({ type: "early", untilS: NOW_S + HOLD_S });
    expect(account()).toMatchObject({ balanceMinor: 100_000, heldCreditMinor: 980 });
    expect(signedIn(await world.ask(settle(sale, "void")))).toMatchObject({ state: "voided" });
    world.nowS = AFTER_S;
    expect(await show(evidence())).toMatchObject({ type: "refused" });
    expect(account()).toMatchObject({ balanceMinor: 100_000, heldCreditMinor: 0 });
  });

  test("and the merchant's own post, before or after, credit it once", async () => {
    expect(await show(evidence())).toEqual({ type: "posted" });
    const answer = await world.ask(settle(sale, "post"));
    expect(signedIn(answer)).toMatchObject({ state: "posted" });
    expect(account()).toMatchObject({ balanceMinor: 100_980 });
    const next = mandate({ direction: "sell" });
    world.nowS = NOW_S;
    await world.ask(hold(next));
    await world.ask(settle(next, "post"));
    world.nowS = AFTER_S;
    expect(await show(evidence(next))).toEqual({ type: "known" });
    expect(account()).toMatchObject({ balanceMinor: 101_980 });
  });

  test("a void that came before stands", async () => {
    await world.ask(settle(sale, "void"));
    const outcome = await show(evidence());
    expect(outcome).toMatchObject({ type: "refused", reason: /nothing was paid/ });
    expect(account()).toMatchObject({ balanceMinor: 100_000, heldCreditMinor: 0 });
  });

  test("a void that comes after is refused, and told that it was posted", async () => {
    await show(evidence());
    expect(signedIn(await world.ask(settle(sale, "void")))).toMatchObject({ state: "posted" });
    expect(account()).toMatchObject({ balanceMinor: 100_980 });
  });

  test("of a sale that was never authorized, or refused, posts nothing", async () => {
    const unknown = mandate({ direction: "sell" });
    expect(await show(evidence(unknown))).toMatchObject({ reason: "it was never authorized" });
    const large = mandate({ direction: "sell", accountAmountMinor: 90_000 });
    world.nowS = NOW_S;
    expect((await world.ask(hold(large))).fields[39]).toBe("61");
    world.nowS = AFTER_S;
    expect(await show(evidence(large))).toMatchObject({ reason: "the sale was refused" });
    expect(account()).toMatchObject({ balanceMinor: 100_000 });
  });
});

describe("false evidence posts nothing:", () => {
  const refusal = async (shown: SaleEvidence, reason: string) => {
    expect(await show(shown)).toEqual({ type: "refused", reason });
    expect(account()).toMatchObject({ balanceMinor: 100_000, heldCreditMinor: 980 });
  };
  const approvalOf = (order: Mandate, approved: boolean, seed = approvalSeed) => {
    const code = approved ? "00" : "51";
    return signApproval({ mandateHash: hashOf(order), approved, code, untilS: 0 }, seed);
  };
  const another = () => mandate({ direction: "sell" });
  const order = (unit: string, amount: number) => [hexToBytes(sale.transactionId), unit, amount];

  test("a purchase", () => {
    const purchase = mandate();
    return refusal(evidence(purchase), "the mandate is not of a sale");
  });

  test.each<[string, () => Partial<SaleEvidence>, string]>([
    [
      "a mandate that another signed",
      () => ({ mandate: signMandate(sale, strangerSeed) }),
      "the mandate is not signed by the card's holder",
    ],
    ["bytes", () => ({ mandate: Uint8Array.of(1) }), "the mandate is malformed"],
    ["bytes", () => ({ approval: Uint8Array.of(1) }), "the approval is malformed"],
    ["bytes", () => ({ proof: Uint8Array.of(1) }), "the proof of payment is malformed"],
    [
      "an approval of another mandate",
      () => ({ approval: approvalOf(another(), true) }),
      "the approval is of another mandate",
    ],
    [
      "an approval of nobody",
      () => ({ approval: approvalOf(sale, true, strangerSeed) }),
      "the approval is not this issuer's",
    ],
    ["a refusal", () => ({ approval: approvalOf(sale, false) }), "the sale was refused"],
    [
      "another transaction's payment",
      () => ({ proof: proofOf(another()) }),
      "the payment is of another transaction",
    ],
  ])("%s", (_name, change, reason) => refusal(evidence(sale, change()), reason));

  test.each<[string, () => Change, string]>([
    ["another unit", () => ({ order: order("USD", 990) }), "the payment is of another amount"],
    [
      "less money, as the payee says itself",
      () => ({ order: order("EUR", 90), transfers: [transfer(90)] }),
      "the payment is of another amount",
    ],
    [
      "less money, though the payee says more",
      () => ({ transfers: [transfer(90)] }),
      "the transfers do not come to the amount",
    ],
    [
      "another device's module as payee",
      () => ({ payee: other, transfers: [transfer(990, { transferee: hexToBytes(other.id) })] }),
      "the payee's module is not of the merchant's device",
    ],
    [
      "an unknown module as payee",
      () => ({ payee: { ...payee, id: "a9".repeat(8) } }),
      "the payee's module is not of the merchant's device",
    ],
    [
      "another device's module as payer",
      () => ({ payer: other }),
      "the payer's module is not of the card holder's device",
    ],
    [
      "a Ready-to-Commit that the customer signed itself",
      () => ({ readySeed: payer.seed }),
      "Ready-to-Commit is not signed by the payee's module",
    ],
    [
      "a completion's key in place of the module's",
      () => ({ readySeed: merchantSeed }),
      "Ready-to-Commit is not signed by the payee's module",
    ],
    [
      "other transfers than the payee was ready for",
      () => ({ readyDrafts: [transfer(990)] }),
      "the transfers are not those that the payee was ready for",
    ],
    [
      "transfers to somebody else",
      () => ({ transfers: [transfer(990, { transferee: hexToBytes(payer.id) })] }),
      "a transfer is to somebody else",
    ],
    [
      "transfers of another payment",
      () => ({ transfers: [transfer(990, { payId: new Uint8Array(16) })] }),
      "a transfer is of another payment",
    ],
    [
      "transfers that were never released",
      () => ({ releaseSeed: strangerSeed }),
      "the transfers are not released by the payer's module",
    ],
    [
      "transfers of which one was not released",
      () => ({ released: [new Uint8Array(64)] }),
      "the transfers are not released by the payer's module",
    ],
  ])("a proof of %s", (_name, change, reason) =>
    refusal(evidence(sale, { proof: proofOf(sale, change()) }), reason),
  );
});
