// SPDX-License-Identifier: Apache-2.0
// Certified but dishonest: a merchant's agent that writes wrong receipts (step 776), a customer's
// that presents wrong cards and mandates (764, 794), against the real agent images.
import { describe, expect, test } from "vitest";
import { decodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { type AgentWorld, filled } from "../../host/torture/agentWorld.ts";
import { merchantComponents } from "../../host/torture/purchaseWorld.ts";
import {
  ABORT,
  type Facing,
  facingMerchant,
  type Lie,
  payload,
  saleToLiar,
} from "../support/rogueAgents.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";
import { hashOfPayload, Signer, transferTicket } from "../support/ticketMaker.ts";

describe("a merchant's agent that lies", () => {
  test("an honest receipt of the same making is shown to the owner", () => {
    const { finished, receipts } = saleToLiar({});
    expect(receipts).toHaveLength(1);
    expect(finished).toBeUndefined();
  });

  test.each<[string, Lie]>([
    ["bank", { components: { 0: "Other Bank" } }],
    ["account", { components: { 1: "************7898" } }],
    ["an account in full", { components: { 1: "4000001234567899" } }],
    ["direction", { components: { 2: 1 } }],
    ["account unit", { components: { 3: "CHF" } }],
    ["less credit than the offer's", { components: { 4: 1756 } }],
    ["more credit than the offer's", { components: { 4: 1758 } }],
    ["money unit", { components: { 5: "GBP" } }],
    ["more money than ordered", { components: { 6: 2001 } }],
    ["a higher fee", { components: { 7: 44 } }],
    ["a date of tomorrow", { components: { 8: START_SECONDS + 86400 } }],
    ["a transaction of another session", { components: { 9: filled(1) } }],
    ["another customer", { components: { 10: id("agent-D") } }],
    ["another merchant", { components: { 11: id("agent-M") } }],
    ["another offer", { components: { 12: filled(1, 32) } }],
    ["another rate", { components: { 13: 18, 14: 20 } }],
    ["another card", { components: { 15: filled(1) } }],
    ["one field too many", { components: { 16: 0 } }],
    ["an amount as text", { components: { 4: "1757" } }],
    ["another issuer's name", { issuerName: "Florist" }],
    ["another expiry of the receiver", { receiverExpires: START_SECONDS + 5 }],
  ])("a receipt with a wrong %s is refused (776)", (_what, lie) => {
    const { finished, receipts } = saleToLiar(lie);
    expect(finished?.slice(2, 4)).toEqual([1, 23]);
    expect(receipts).toHaveLength(0);
  });

  test("a receipt for another agent is refused", () => {
    expect(saleToLiar({ receiver: id("agent-D") }).finished?.slice(2, 4)).toEqual([1, 22]);
  });

  test("a receipt of another certified merchant is refused", () => {
    const signer = (world: AgentWorld) => new Signer(world.agency, "other-M", Role.MERCHANT);
    expect(saleToLiar({ signer }).finished?.slice(2, 4)).toEqual([1, 23]);
  });

  test.each<[string, Lie["credential"], number]>([
    ["that belongs to another", { holder: id("agent-M") }, 22],
    ["that is not valid yet", { from: START_SECONDS + 60 }, 21],
    ["of an authority for cards alone", { rights: 1 }, 20],
  ])("a merchant credential %s is refused (456)", (_what, credential, reason) => {
    expect(
      saleToLiar(credential === undefined ? {} : { credential }).finished?.slice(2, 4),
    ).toEqual([1, reason]);
  });
});

describe("a customer's agent that lies", () => {
  test.each([
    ["an amount beyond the offer", 100001, "USD", 2, 25],
    ["another unit", 2000, "GBP", 2, 25],
    ["another direction than the offer's", 2000, "USD", 1, 24],
    ["a negative amount", -1, "USD", 2, 1],
  ])("a request of %s is refused", (_what, amount, unit, direction, reason) => {
    const { ask } = facingMerchant();
    const answer = ask(amount, unit, direction);
    expect([answer.type, answer.plain[2]]).toEqual([ABORT, [reason]]);
  });

  test("a good card is taken, also one that was handed on in order (rules 2 and 3)", () => {
    for (const handedOn of [false, true]) {
      const { world, rogue, session, answered, card, ask } = facingMerchant();
      const first = new Signer(world.agency, "first-C", Role.CUSTOMER);
      const ticket = handedOn
        ? transferTicket(card({ receiver: first.id }), first, rogue.id)
        : card();
      ask();
      expect(answered(session.record(14, [ticket], { replyTo: 3 })).type).toBe(15);
    }
  });

  test.each<[string, (facing: Facing) => unknown[], number]>([
    ["of another holder (rule 4)", ({ card }) => card({ receiver: id("agent-C") }), 22],
    ["that expired", ({ card }) => card({}, { 3: START_SECONDS - 1 }), 21],
    ["that is not valid yet", ({ card }) => card({}, { 2: START_SECONDS + 60 }), 21],
    ["of another account unit", ({ card }) => card({}, { 6: "CHF" }), 20],
    ["of another bank than its issuer's", ({ card }) => card({}, { 0: "Other" }), 20],
    ["that names another issuer", ({ card }) => card({ issuerName: "Other" }), 20],
    ["that the customer issued itself", ({ card, rogue }) => card({ issuer: rogue }), 20],
    [
      "of an authority for merchants alone",
      ({ card, world }) => {
        const rights = { rights: 2 };
        return card({ issuer: new Signer(world.agency, "reg", Role.AUTHORITY, rights) });
      },
      20,
    ],
    [
      "that is a merchant credential",
      ({ card }) => card({ type: 2, components: merchantComponents() }),
      20,
    ],
    [
      "whose sender is not its first receiver (rule 2)",
      ({ card, rogue, world }) => {
        const thief = new Signer(world.agency, "thief-C", Role.CUSTOMER);
        return transferTicket(card({ receiver: id("victim") }), thief, rogue.id);
      },
      20,
    ],
    [
      "handed on under a stolen name (rule 3)",
      ({ card, rogue, world }) => {
        const thief = new Signer(world.agency, "thief-C", Role.CUSTOMER);
        const sender = id("victim");
        return transferTicket(card({ receiver: sender }), thief, rogue.id, { sender });
      },
      20,
    ],
    [
      "handed on with a signature over something else (rule 3)",
      ({ card, rogue, world }) => {
        const first = new Signer(world.agency, "first-C", Role.CUSTOMER);
        const one = transferTicket(card({ receiver: first.id }), first, rogue.id);
        const two = transferTicket(card({ receiver: first.id }, { 5: 1 }), first, rogue.id);
        return [one[0], one[1], one[2], two[3]];
      },
      20,
    ],
    ["without its signature's array", ({ card }) => card().slice(0, 3), 20],
  ])("a card %s is refused (766)", (_what, make, reason) => {
    const facing = facingMerchant();
    facing.ask();
    const answer = facing.answered(facing.session.record(14, [make(facing)], { replyTo: 3 }));
    expect([answer.type, answer.plain[2]]).toEqual([ABORT, [reason]]);
    expect(facing.world.merchant.last(49)?.slice(2, 4)).toEqual([1, reason]);
  });

  /** The mandate of this session, or a changed one; what the merchant's host is asked then. */
  function acknowledge(change: Record<number, unknown>, purpose = "florin/mandate", other = false) {
    const facing = facingMerchant();
    const { session, rogue, world, bank } = facing;
    const { plain } =
      facing.ask() && facing.answered(session.record(14, [facing.card()], { replyTo: 3 }));
    const receipt = (plain[2] as [unknown[]])[0];
    const credential = world.tell(world.merchant, "agent", [8, 1, 0])[0]?.[3] as Uint8Array;
    const [head] = decodeCbor(payload((decodeCbor(credential) as unknown[])[0])) as [unknown[]];
    const mandate: unknown[] = [
      ...[session.exportedId("transaction", 0), 2, new Uint8Array(16).fill(33), 1757, "EUR", 43],
      ...[2000, "USD", head[5], START_SECONDS + 600, 1, hashOfPayload(receipt[0])],
    ];
    for (const [index, value] of Object.entries(change)) mandate[Number(index)] = value;
    const signed = (other ? bank : rogue).sign(purpose, mandate);
    facing.say(session.record(16, [signed], { replyTo: 4 }));
    return world.merchant;
  }

  test("the right mandate goes to the card network", () => {
    const merchant = acknowledge({});
    expect(merchant.told(45)).toHaveLength(1);
  });

  test.each<[string, Record<number, unknown>]>([
    ["transaction", { 0: filled(1) }],
    ["direction", { 1: 1 }],
    ["credential", { 2: filled(1) }],
    ["amount", { 3: 1758 }],
    ["unit", { 4: "USD" }],
    ["fee", { 5: 42 }],
    ["money", { 6: 1999 }],
    ["merchant credential", { 8: filled(1) }],
    ["not-after in the past", { 9: START_SECONDS - 1 }],
    ["purpose", { 10: 2 }],
    ["receipt", { 11: filled(1, 32) }],
  ])("a mandate with another %s goes nowhere", (_what, change) => {
    const merchant = acknowledge(change);
    expect(merchant.told(45)).toHaveLength(0);
    expect(merchant.last(49)?.slice(2, 4)).toEqual([1, 23]);
  });

  test("a mandate signed by another, or for another purpose, goes nowhere", () => {
    expect(acknowledge({}, "florin/mandate", true).told(45)).toHaveLength(0);
    expect(acknowledge({}, "florin/approval").told(45)).toHaveLength(0);
  });
});
