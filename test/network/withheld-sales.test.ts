// SPDX-License-Identifier: Apache-2.0
// A sale that its merchant does not post (docs/protocol.md section 6): the customer's evidence is
// filed, and posts it, once, after the merchant's time; evidence that is false in any part, too late,
// or of a sale that was voided, posts nothing. How a module makes its proof: test/money/evidence.test.ts.
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

const DAY_S = 86_400;
/** When a hold of NOW_S is over, and the merchant's time. */
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
  const filed = { type: "filed", untilS: NOW_S + HOLD_S };
  const notYet = { balanceMinor: 100_000, heldCreditMinor: 980 };
  const credited = { balanceMinor: 100_980, heldCreditMinor: 0 };
  const nothing = { balanceMinor: 100_000, heldCreditMinor: 0 };

  test("is filed, posts it when the merchant's time is over, and shown again posts it once", async () => {
    expect(await show(evidence())).toEqual(filed);
    world.nowS = AFTER_S - 1;
    expect(await show(evidence())).toEqual(filed);
    expect(account()).toMatchObject(notYet);
    world.nowS = AFTER_S;
    expect(await show(evidence())).toEqual({ type: "posted" });
    expect(account()).toMatchObject(credited);
    expect(await show(evidence())).toEqual({ type: "posted" });
    expect(account()).toMatchObject(credited);
  });

  test("posts it after the hold has lapsed, too, three days after it is filed", async () => {
    world.nowS = AFTER_S;
    await world.issuer.releaseLapsed();
    expect(account()).toMatchObject(nothing);
    const untilS = AFTER_S + 3 * DAY_S;
    expect(await show(evidence())).toEqual({ type: "filed", untilS });
    world.nowS = untilS;
    expect(await show(evidence())).toEqual({ type: "filed", untilS });
    expect(account()).toMatchObject(nothing);
    world.nowS = untilS + 1;
    expect(await show(evidence())).toEqual({ type: "posted" });
    expect(account()).toMatchObject(credited);
  });

  test.each([
    ["as long as the hold lasts", NOW_S],
    ["for three days when the hold has lapsed", AFTER_S],
  ])(
    "an opened payer says aborted to the merchant and releases to the issuer: the void comes first, %s",
    async (_name, shownS) => {
      world.nowS = shownS;
      expect(await show(evidence())).toMatchObject({ type: "filed" });
      world.nowS = shownS + 3 * DAY_S;
      expect(signedIn(await world.ask(settle(sale, "void")))).toMatchObject({ state: "voided" });
      world.nowS = AFTER_S + 4 * DAY_S;
      expect(await show(evidence())).toMatchObject({ type: "refused" });
      expect(account()).toMatchObject(nothing);
    },
  );

  test("and the merchant's own post, before it, while it waits or after, credit it once", async () => {
    await world.ask(settle(sale, "post"));
    expect(await show(evidence())).toEqual({ type: "known" });
    expect(account()).toMatchObject(credited);
    const [second, third] = [mandate({ direction: "sell" }), mandate({ direction: "sell" })];
    for (const order of [second, third]) {
      await world.ask(hold(order));
      expect(await show(evidence(order))).toMatchObject({ type: "filed" });
    }
    await world.ask(settle(second, "post"));
    world.nowS = AFTER_S;
    for (const order of [second, third])
      expect(await show(evidence(order))).toEqual({ type: "posted" });
    const answer = await world.ask(settle(third, "post"));
    expect(signedIn(answer)).toMatchObject({ state: "posted" });
    expect(account()).toMatchObject({ balanceMinor: 102_980, heldCreditMinor: 0 });
  });

  test("a void that came before stands", async () => {
    await world.ask(settle(sale, "void"));
    const outcome = await show(evidence());
    expect(outcome).toMatchObject({ type: "refused", reason: /nothing was paid/ });
    expect(account()).toMatchObject(nothing);
  });

  test("a void that comes after is refused, and told that it was posted", async () => {
    await show(evidence());
    world.nowS = AFTER_S;
    await show(evidence());
    expect(signedIn(await world.ask(settle(sale, "void")))).toMatchObject({ state: "posted" });
    expect(account()).toMatchObject(credited);
  });

  test("evidence is held back until the money has expired for the merchant: not filed, unless it was before", async () => {
    const reason = "it is shown too late, when the money may have expired";
    world.nowS = NOW_S + 21 * DAY_S + 1;
    expect(await show(evidence())).toEqual({ type: "refused", reason });
    world.nowS -= 1;
    expect(await show(evidence())).toMatchObject({ type: "filed" });
    world.nowS = NOW_S + 100 * DAY_S;
    expect(await show(evidence())).toEqual({ type: "posted" });
  });

  test("that the issuer could not write down is not filed", async () => {
    world.storeFails = true;
    await expect(show(evidence())).rejects.toThrow("the disk is full");
    world.storeFails = false;
    world.nowS = AFTER_S;
    expect(await show(evidence())).toMatchObject({ type: "filed", untilS: AFTER_S + 3 * DAY_S });
  });

  test("of a sale that was never authorized, or refused, posts nothing", async () => {
    const unknown = mandate({ direction: "sell" });
    expect(await show(evidence(unknown))).toMatchObject({ reason: "it was never authorized" });
    const large = mandate({ direction: "sell", accountAmountMinor: 90_000 });
    expect((await world.ask(hold(large))).fields[39]).toBe("61");
    expect(await show(evidence(large))).toMatchObject({ reason: "the sale was refused" });
    expect(account()).toMatchObject({ balanceMinor: 100_000 });
  });
});

describe("false evidence posts nothing:", () => {
  const refusal = async (shown: SaleEvidence, reason: string) => {
    expect(await show(shown)).toEqual({ type: "refused", reason });
    world.nowS = AFTER_S;
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
