// SPDX-License-Identifier: Apache-2.0
// What a payer's module reads out to prove a payment (docs/protocol.md section 6; export 6): the
// payee's word names the agents' transaction, and what was released is there again, whatever the
// payee's host drops. What a card issuer makes of it: test/network/withheld-sales.test.ts.
import { bytesToHex } from "@noble/hashes/utils.js";
import { beforeEach, describe, expect, test } from "vitest";
import { PEER } from "../../host/torture/bareModule.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseCertificate } from "../../host/trust/certificates.ts";
import { paymentProofComplaint, readPaymentProof } from "../../host/trust/paymentProof.ts";
import { exchange, newTerms, pay, type Terms } from "../support/agentStandIn.ts";
import { type Node, payingWorld, State } from "../support/moneyWorld.ts";

const SIGNATURE_WRONG = 38;

const { world, teller, a, b } = payingWorld([1_500, 1_500]);
const [generator] = world.nodes;
world.restock(teller, generator!, 50_000, "USD");
world.withdraw(b.node, teller, 900, "USD");
world.connect(a.node, b.node);
const start = [a, b].map(({ node }) => node.module.snapshot());
let runs = 0;

beforeEach(() => {
  world.loses = () => false;
  for (const [index, { node }] of [a, b].entries()) node.module.restore(start[index]!);
  for (const { node } of [a, b]) world.run(node, () => node.module.reboot());
  world.carry();
});

function exported(node: Node, kind: number): Uint8Array[] {
  const items: Uint8Array[] = [];
  for (let cursor: unknown = 0; cursor !== null; ) {
    const [number, , next, item] = node.module.ask(8, kind, cursor) as unknown[];
    expect(number).toBe(8);
    if (item instanceof Uint8Array) items.push(item);
    cursor = next;
  }
  return items;
}

const keyOf = ({ module }: Node) => {
  const [own] = decodeCbor(exported({ module } as Node, 3)[0]!) as [unknown];
  return parseCertificate(encodeCbor(own))!.signingKey;
};
const proofs = (node = a.node) => exported(node, 6).map((item) => readPaymentProof(item)!);
const paid = (amount: number): Terms => {
  const terms = pay(a, b, amount, `evidence ${++runs}`);
  world.settle();
  return terms;
};

describe("a payment to another device", () => {
  test("is proven by the payee's word on the transaction and by what was released", () => {
    const { payId, transactionId } = paid(2_500);
    const [proof] = proofs();
    expect(proof).toMatchObject({
      payId: bytesToHex(payId),
      transactionId: bytesToHex(transactionId),
      unit: "EUR",
      amountMinor: 2_500,
    });
    expect(proof!.transfers).toHaveLength(2);
    const keys = [keyOf(a.node), keyOf(b.node)] as const;
    expect(paymentProofComplaint(proof!, ...keys)).toBeUndefined();
    const [payer, payee] = keys;
    expect(paymentProofComplaint(proof!, payer, payer)).toMatch(/not signed by the payee/);
    expect(paymentProofComplaint(proof!, payee, payee)).toMatch(/not released/);
    // The payee has none: nobody owes it anything.
    expect(exported(b.node, 6)).toEqual([]);
  });

  test("is proven after a boot, one item for each, and by the same bytes", () => {
    const payIds = [300, 400, 500].map((amount) => bytesToHex(paid(amount).payId));
    const before = exported(a.node, 6);
    world.clock.advance(7_200_000);
    world.run(a.node, () => a.node.module.reboot());
    world.carry();
    expect(exported(a.node, 6)).toEqual(before);
    expect(proofs().map(({ payId }) => payId)).toEqual(payIds);
  });

  test("is proven where the payee's host drops all from Ready-to-Commit on", () => {
    world.loses = ({ type, port, from }) => type === 27 || (port === PEER && from === a.node);
    const { payId } = pay(a, b, 2_500, `evidence ${++runs}`);
    world.settle();
    expect(b.outcomeOf(payId)![1]).toBe(State.inDoubt);
    const [proof] = proofs();
    expect(paymentProofComplaint(proof!, keyOf(a.node), keyOf(b.node))).toBeUndefined();
    // And what it released ends the payee's doubt, by whatever path it comes.
    world.loses = () => false;
    const statement = encodeCbor([6, new Uint8Array(8), proof!.released]);
    world.run(b.node, () => b.node.module.deliver(PEER, statement));
    world.carry();
    world.settle();
    expect(b.outcomeOf(payId)![1]).toBe(State.committed);
  });

  test("that was aborted proves nothing", () => {
    world.loses = ({ type, from }) => type === 26 && from === b.node;
    const { payId } = pay(a, b, 2_500, `evidence ${++runs}`);
    world.settle();
    world.clock.advance(120_000);
    world.settle();
    expect(a.outcomeOf(payId)![1]).toBe(State.aborted);
    expect(exported(a.node, 6)).toEqual([]);
  });

  test("is not made for a payee who is ready for another transaction", () => {
    const terms = newTerms(1_000, "EUR", `evidence ${++runs}`);
    b.order({ ...terms, transactionId: new Uint8Array(16).fill(7) }, a, false);
    a.order(terms, b, true);
    world.settle();
    world.clock.advance(120_000);
    world.settle();
    expect(a.outcomeOf(terms.payId)!.slice(1, 3)).toEqual([State.aborted, SIGNATURE_WRONG]);
    expect(b.outcomeOf(terms.payId)![1]).not.toBe(State.committed);
    expect(exported(a.node, 6)).toEqual([]);
  });

  test("and an exchange, whose payee paid too, is no sale", () => {
    exchange(a, b, [2_500, "EUR"], [900, "USD", 0], `evidence ${++runs}`);
    world.settle();
    expect([exported(a.node, 6), exported(b.node, 6)]).toEqual([[], []]);
  });
});
