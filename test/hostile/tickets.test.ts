// SPDX-License-Identifier: Apache-2.0
// Tickets and mandates changed in every small way (docs/protocol.cddl section 7): by somebody on
// the way, without the signer's secrets, and by the signer itself, whose signature is then right
// over what no honest issuer writes. The real agents get them in real sessions, refuse each for its
// reason, show their owners nothing, and keep what they kept before.
import { itemsOf } from "../../host/torture/items.ts";
import { concatBytes } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { type Device, filled } from "../../host/torture/agentWorld.ts";
import { BANK, cardComponents, merchantComponents } from "../../host/torture/purchaseWorld.ts";
import { bodiesTo, PEER } from "../../host/torture/bareModule.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";
import { signList } from "../../host/trust/agencyStatements.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import { ABORT, facingCustomer, facingMerchant, payload } from "../support/rogueAgents.ts";
import { TwinSession } from "../support/sessionTwin.ts";
import { type Tampered, tamperedWith } from "../support/tamper.ts";
import {
  hashOfPayload,
  makeTicket,
  Signer,
  type TicketOptions,
  transferTicket,
} from "../support/ticketMaker.ts";

const MALFORMED = 1;
const TICKET_INVALID = 20;
const TICKET_EXPIRED = 21;
const TICKET_OF_ANOTHER = 22;
const RECEIPT_WRONG = 23;
/** The agent went on; the record was not one item of CBOR and was dropped without a word. */
const TAKEN = 0;
const DROPPED = -1;

/** First of the patterns that a change's place and kind fits, and the answers that are right. */
type Rules = readonly (readonly [RegExp, ...number[]])[];

/** Where the answer is not the one that the rules name; each as one line. */
function wrongs(all: Tampered[], rules: Rules, answerTo: (bytes: Uint8Array) => number): string {
  expect(all.length).toBeGreaterThan(30);
  return all
    .flatMap(({ what, bytes }) => {
      const [, ...right] = rules.find(([place]) => place.test(what)) ?? [/./];
      const answer = answerTo(bytes);
      return right.includes(answer) ? [] : [`${what}: ${answer}, not ${right.join(" or ")}`];
    })
    .join("\n");
}

/** All tickets that an agent holds. */
function ticketsOf(device: Device): string {
  return JSON.stringify(itemsOf((cursor) => device.agent.ask(8, 1, cursor)));
}

const one = (bytes: Uint8Array) => concatBytes(Uint8Array.of(0x81), bytes);

/** Sends a body in a copy of the session at this point, from a fork of the agent. */
function asker(facing: {
  device: Device;
  session: TwinSession;
  say(body: Uint8Array): Uint8Array[];
  heard: unknown[][];
  /** Host messages that come only of something that was taken. */
  prompts: number[];
  type: number;
  replyTo: number;
}) {
  const { device, say, heard, prompts, type, replyTo } = facing;
  const before = device.agent.snapshot();
  const tickets = ticketsOf(device);
  const heardBefore = heard.length;
  device.agent.restore(before);
  return (bytes: Uint8Array): number => {
    device.agent.restore(before);
    heard.length = heardBefore;
    const session = facing.session.copy();
    const answer = say(session.recordOfBytes(type, one(bytes), { replyTo })).at(-1);
    const asked = heard.slice(heardBefore).filter(([number]) => prompts.includes(number as number));
    if (answer === undefined) return asked.length > 0 ? TAKEN : DROPPED;
    const opened = session.open(answer);
    if (opened.type !== ABORT) return TAKEN;
    if (asked.length > 0 || ticketsOf(device) !== tickets) throw new Error("something is kept");
    return (opened.plain[2] as [number])[0];
  };
}

/** A merchant that waits for the customer's card. */
function waitingForCard() {
  const facing = facingMerchant();
  facing.ask();
  const { world, session, say } = facing;
  const device = world.merchant;
  const ask = asker({
    ...{ device, session, say, heard: device.heard, prompts: [45] },
    ...{ type: 14, replyTo: 3 },
  });
  return { ...facing, answerTo: ask };
}

/** The signed object of a ticket, made anew over other bytes by the right issuer. */
function resigned(ticket: unknown[], issuer: Signer, content: Uint8Array): Uint8Array {
  const signed = signObject("florin/ticket", content, issuer.seed, issuer.reference);
  return encodeCbor([decodeCbor(signed), ...ticket.slice(1)]);
}

/** What the issuer may have meant, in a ticket of its own: everything else is form or false. */
const contentOf = (ticket: unknown[]) => payload(ticket[0]);

/** Changes of what an issuer signs, signed by it again. */
function lies(ticket: unknown[], issuer: Signer): Tampered[] {
  return tamperedWith(contentOf(ticket)).map(({ what, bytes }) => ({
    what,
    bytes: resigned(ticket, issuer, bytes),
  }));
}

/**
 * By whom has no secret: what is not one item never arrives, the rest is no ticket of its issuer.
 */
const UNSIGNED: Rules = [
  [/^(longer head|indefinite length|tag|byte too|nothing)/, DROPPED],
  [/^\/0\/2<.*\/0\/2 bit/, TICKET_OF_ANOTHER],
  [/./, TICKET_INVALID],
];

describe("a card that a customer presents (764, 766)", () => {
  const { answerTo, card, bank, rogue, world } = waitingForCard();

  test("is taken as its issuer made it", () => {
    expect(answerTo(encodeCbor(card()))).toBe(TAKEN);
  });

  test("is not when anything of it was changed on the way", () => {
    expect(wrongs(tamperedWith(encodeCbor(card())), UNSIGNED, answerTo)).toBe("");
  });

  test("is not when its history was changed on the way", () => {
    const first = new Signer(world.agency, "first-C", Role.CUSTOMER);
    const ticket = transferTicket(card({ receiver: first.id }), first, rogue.id);
    expect(answerTo(encodeCbor(ticket))).toBe(TAKEN);
    const [, , history, signatures] = ticket as [unknown, unknown, unknown[], unknown[]];
    const all = tamperedWith(encodeCbor([history, signatures])).map(({ what, bytes }) => ({
      what,
      bytes: concatBytes(Uint8Array.of(0x84), ...ticket.slice(0, 2).map(encodeCbor), tail(bytes)),
    }));
    const rules: Rules = [
      [/^(longer head|indefinite length|tag|byte too|nothing| with one)/, DROPPED, TICKET_INVALID],
      // The holder is the last entry's receiver, and that comes first.
      [/^\/0\/0(\/0 bit| first two)/, TICKET_OF_ANOTHER],
      [/./, TICKET_INVALID],
    ];
    expect(wrongs(all, rules, answerTo)).toBe("");
  });

  test("is only what an honest issuer writes, whoever signed it", () => {
    const rules: Rules = [
      // Free to the issuer: when the receiver's certificate of that day ends, the ticket's id,
      // the number within its digits, days around now, names, kinds and its own approval key.
      [/^\/0\/3 one|^\/0\/5 bit|^\/1\/[23] one|^\/1\/4 (longer|other)|^\/1\/7 bit/, TAKEN],
      [/^\/1\/5 one less/, TAKEN],
      [/^\/0\/2 bit/, TICKET_OF_ANOTHER],
      [/./, TICKET_INVALID],
    ];
    expect(wrongs(lies(card(), bank), rules, answerTo)).toBe("");
  });

  test.each<[string, (number: unknown) => Record<number, unknown>, unknown[], number]>([
    ["bank's name", (value) => ({ 0: value }), ["", "B".repeat(49), 7, null], TICKET_INVALID],
    ["number", (value) => ({ 1: value }), ["4000123", "4".repeat(20), "40001234x"], TICKET_INVALID],
    ["beginning", (value) => ({ 2: value }), [START_SECONDS + 1, 2 ** 53 - 1], TICKET_EXPIRED],
    ["end", (value) => ({ 3: value }), [0, START_SECONDS], TICKET_EXPIRED],
    ["holder's name", (value) => ({ 4: value }), ["", "C".repeat(49)], TICKET_INVALID],
    ["kind", (value) => ({ 5: value }), [0, 3, 2 ** 32 + 1], TICKET_INVALID],
    ["unit", (value) => ({ 6: value }), ["eur", "EU", "EURO", ""], TICKET_INVALID],
    ["approval key", (value) => ({ 7: value }), [filled(1, 31), filled(1, 33)], TICKET_INVALID],
  ])("has a %s that can be one", (_field, change, values, reason) => {
    for (const value of values) {
      expect([value, answerTo(encodeCbor(card({}, change(value))))]).toEqual([value, reason]);
    }
  });

  test("has no part of another good ticket", () => {
    const other = new Signer(world.agency, "other-A", Role.AUTHORITY, { rights: 1 });
    const first = new Signer(world.agency, "first-C", Role.CUSTOMER);
    const right = card();
    const second = card({ issuer: other });
    const handed = transferTicket(card({ receiver: first.id }), first, rogue.id);
    const [signedObject] = right as [unknown[]];
    const [otherObject] = second as [unknown[]];
    const swapped: [string, unknown[]][] = [
      ["chain", right.with(1, second[1])],
      ["signed object", right.with(0, otherObject)],
      ["signature", right.with(0, signedObject.with(3, otherObject[3]))],
      ["kid", right.with(0, signedObject.with(1, otherObject[1]))],
      ["history", [...right.slice(0, 2), handed[2], handed[3]]],
      ["history without signatures", right.with(2, handed[2])],
    ];
    for (const [part, ticket] of swapped) {
      expect([part, answerTo(encodeCbor(ticket))]).toEqual([part, TICKET_INVALID]);
    }
  });

  test("of an issuer whose certificate ended, or that is listed, is none", () => {
    const issuer = (change: object) => new Signer(world.agency, "late-A", Role.AUTHORITY, change);
    const expires = START_SECONDS - 1;
    const late = card({ issuer: issuer({ rights: 1, expires }), issuerExpires: expires });
    expect(answerTo(encodeCbor(late))).toBe(TICKET_EXPIRED);
    const facing = waitingForList([bank.id]);
    expect(facing.answerTo(encodeCbor(facing.card()))).toBe(TICKET_INVALID);
  });
});

/** A merchant that got a list of these agents while it waits for the customer's card. */
function waitingForList(ids: Uint8Array[]) {
  const facing = facingMerchant();
  facing.ask();
  const { world, session, say } = facing;
  const device = world.merchant;
  for (const part of signList(world.agency.agentServer, 1, START_SECONDS, ids)) {
    expect(device.agent.ask(6, decodeCbor(part))).toEqual([6, 1]);
  }
  const ask = asker({
    ...{ device, session, say, heard: device.heard, prompts: [45] },
    ...{ type: 14, replyTo: 3 },
  });
  return { ...facing, answerTo: ask };
}

const tail = (bytes: Uint8Array) => bytes.slice(1);

describe("a merchant's credential (454, 456)", () => {
  const facing = facingCustomer({});
  const { credential, registry, session, say, heard, customer } = facing;
  const answerTo = asker({
    ...{ device: customer, session, say, heard, prompts: [21, 23, 25, 27] },
    ...{ type: 11, replyTo: 1 },
  });

  test("is taken as its issuer made it", () => {
    expect(answerTo(encodeCbor(credential))).toBe(TAKEN);
  });

  test("is not when anything of it was changed on the way", () => {
    expect(wrongs(tamperedWith(encodeCbor(credential)), UNSIGNED, answerTo)).toBe("");
  });

  test("is only what an honest issuer writes, whoever signed it", () => {
    const rules: Rules = [
      [/^\/0\/3 one|^\/0\/5 bit|^\/1\/0 (longer|other)|^\/1\/1 bit|^\/1\/[23] one/, TAKEN],
      [/^\/0\/2 bit/, TICKET_OF_ANOTHER],
      [/./, TICKET_INVALID],
    ];
    expect(wrongs(lies(credential, registry), rules, answerTo)).toBe("");
  });

  test("is no card, and no receipt", () => {
    const options = { issuer: registry, issuerName: BANK, receiver: facing.liar.id };
    const card = makeTicket({ ...options, type: 1, components: cardComponents() });
    const receipt = makeTicket({ ...options, type: 3, components: merchantComponents() });
    for (const ticket of [card, receipt]) {
      expect(answerTo(encodeCbor(ticket))).toBe(TICKET_INVALID);
    }
  });
});

describe("a receipt (774, 776)", () => {
  const facing = facingCustomer({});
  const { liar, session, say, heard, customer } = facing;
  const opened = (bodies: Uint8Array[]) => session.open(bodies.at(-1) as Uint8Array);
  opened(say(session.record(11, [facing.credential], { replyTo: 1 })));
  const card = opened(say(session.record(13, [], { replyTo: 2 })));
  const options: TicketOptions = facing.receiptFor((card.plain[2] as [unknown[]])[0]);
  const receipt = makeTicket(options);
  customer.host = () => [];
  const answerTo = asker({
    ...{ device: customer, session, say, heard, prompts: [27] },
    ...{ type: 15, replyTo: 3 },
  });

  test("is shown to the owner as the merchant made it", () => {
    expect(answerTo(encodeCbor(receipt))).toBe(TAKEN);
  });

  test("is not when anything of it was changed on the way", () => {
    const rules: Rules = [
      [/^(longer head|indefinite length|tag|byte too|nothing)/, DROPPED],
      // What it says is compared before its issuer's chain and signatures are.
      [
        /^\/1|^\/0\/3 bit|^\/0\/1(\/4 bit| without 4)|^\/0\/2<\/0\/5 bit|^\/0\/2<\/1\/8 one/,
        TICKET_INVALID,
      ],
      [/^\/0\/2<\/0\/2 bit/, TICKET_OF_ANOTHER],
      [/./, RECEIPT_WRONG],
    ];
    expect(wrongs(tamperedWith(encodeCbor(receipt)), rules, answerTo)).toBe("");
  });

  test("says what the merchant has to say, or is refused with its signature right", () => {
    const rules: Rules = [
      // Its own id, and its own clock within the window.
      [/^\/0\/5 bit|^\/1\/8 one/, TAKEN],
      [/^\/0\/2 bit/, TICKET_OF_ANOTHER],
      [/./, RECEIPT_WRONG],
    ];
    expect(wrongs(lies(receipt, liar), rules, answerTo)).toBe("");
  });

  test("was never handed on", () => {
    const handed = transferTicket(
      makeTicket({ ...options, receiver: liar.id }),
      liar,
      id("agent-C"),
    );
    expect(answerTo(encodeCbor(handed))).toBe(RECEIPT_WRONG);
  });
});

describe("a mandate (792, 794)", () => {
  const facing = facingMerchant();
  const { session, rogue, world, say } = facing;
  facing.ask();
  const { plain } = facing.answered(session.record(14, [facing.card()], { replyTo: 3 }));
  const [receipt] = plain[2] as [unknown[]];
  const credential = world.merchant.agent.ask(8, 1, 0)[3] as Uint8Array;
  const [head] = decodeCbor(payload((decodeCbor(credential) as unknown[])[0])) as [unknown[]];
  const content = encodeCbor([
    ...[session.exportedId("transaction", 0), 2, filled(33), 1757, "EUR", 43],
    ...[2000, "USD", head[5], START_SECONDS + 600, 1, hashOfPayload(receipt[0])],
  ]);
  const signed = (bytes: Uint8Array) =>
    signObject("florin/mandate", bytes, rogue.seed, rogue.reference);
  const answerTo = asker({
    ...{ device: world.merchant, session, say, heard: world.merchant.heard, prompts: [45] },
    ...{ type: 16, replyTo: 4 },
  });

  test("goes to the card network as the customer made it", () => {
    expect(answerTo(signed(content))).toBe(TAKEN);
  });

  test("goes nowhere when anything of it was changed on the way", () => {
    const rules: Rules = [
      [/^(longer head|indefinite length|tag|byte too|nothing)/, DROPPED],
      [/./, RECEIPT_WRONG, MALFORMED],
    ];
    expect(wrongs(tamperedWith(signed(content)), rules, answerTo)).toBe("");
    // Form alone is malformed; everything else is a mandate for something else.
    expect(
      answerTo(
        tamperedWith(signed(content)).find(({ what }) => what === "/3 bit of byte 0")!.bytes,
      ),
    ).toBe(RECEIPT_WRONG);
  });

  test("is for this very purchase, or goes nowhere with its signature right", () => {
    const all = tamperedWith(content).map(({ what, bytes }) => ({ what, bytes: signed(bytes) }));
    const rules: Rules = [
      // How long the issuer may take it up is the customer's to say.
      [/^\/9 one/, TAKEN],
      [/./, RECEIPT_WRONG],
    ];
    expect(wrongs(all, rules, answerTo)).toBe("");
  });
});

describe("a new credential (Fig. 6A)", () => {
  const facing = facingCustomer({});
  const { customer, world } = facing;
  const bank = new Signer(world.agency, "bank-A", Role.AUTHORITY, { rights: 1 });
  const sent = customer.agent.command(70, filled(9), 1);
  const hello = bodiesTo(PEER, sent)[0] as Uint8Array;
  const [, tag] = decodeCbor(hello) as [number, Uint8Array];
  const session = new TwinSession(bank, "agent", tag, world.clock.nowMs());
  const [finish] = facing.say(session.answer(hello));
  session.open(facing.say(session.acknowledge(finish!)).at(-1)!);
  const options: TicketOptions = {
    ...{ issuer: bank, issuerName: BANK, receiver: id("agent-C"), type: 1 },
    components: cardComponents("EUR", { 1: "4000001234567898" }),
  };
  const card = makeTicket(options);
  const answerTo = asker({
    ...{ device: customer, session, say: facing.say, heard: facing.heard, prompts: [] },
    ...{ type: 31, replyTo: 1 },
  });

  test("is accepted as its issuer made it", () => {
    expect(answerTo(encodeCbor(card))).toBe(TAKEN);
  });

  test("is not when anything of it was changed on the way", () => {
    expect(wrongs(tamperedWith(encodeCbor(card)), UNSIGNED, answerTo)).toBe("");
  });

  test("is made for this agent's certificate of today, and comes from nobody else", () => {
    const rules: Rules = [
      [/^\/0\/5 bit|^\/1\/[23] one|^\/1\/4 (longer|other)|^\/1\/7 bit|^\/1\/5 one less/, TAKEN],
      // The unit of its account, which no offer limits here.
      [/^\/0\/2 bit/, TICKET_OF_ANOTHER],
      [/./, TICKET_INVALID],
    ];
    expect(wrongs(lies(card, bank), rules, answerTo)).toBe("");
    const first = new Signer(world.agency, "first-C", Role.CUSTOMER);
    const handed = transferTicket(
      makeTicket({ ...options, receiver: first.id }),
      first,
      id("agent-C"),
    );
    expect(answerTo(encodeCbor(handed))).toBe(TICKET_INVALID);
  });
});
