// SPDX-License-Identifier: Apache-2.0
// Both legs of a refresh against a peer made in TypeScript, as teller or as customer: each message
// of the second leg alone wrong is refused with its reason and nothing moves; what is right is
// signed as the rules say (docs/protocol.md section 4; docs/protocol.cddl section 6).
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { describe, expect, test } from "vitest";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseCertificate, Role } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import { bodiesTo, HOST, PEER, toHost } from "../../host/torture/bareModule.ts";
import { State, stockedWorld } from "../support/moneyWorld.ts";
import { encodePacket, type Packet, rightPacket, Signer } from "../support/noteMaker.ts";
import { TwinSession } from "../support/sessionTwin.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";

const AMOUNT = 2_500;
const COUNTER: [string, number, number] = ["EUR", AMOUNT, 0];

type Change = (packet: Packet) => void;

const { world, teller, customer } = stockedWorld(100_000);
world.withdraw(customer, teller, AMOUNT);
const { agency, clock } = world;
const generator = new Signer(agency, "GENER-X", Role.GENERATOR);
const otherTeller = new Signer(agency, "TELLE-X", Role.TELLER);
const rogue = new Signer(agency, "ROGUE-R", Role.TRANSACTION);
const before = { teller: teller.module.snapshot(), customer: customer.module.snapshot() };

/** Payload of a COSE object that came decoded. */
const payloadOf = (object: unknown) => decodeCbor((object as Uint8Array[])[2]!) as unknown[];
const draftsHashOf = (drafts: Uint8Array[]) => sha256(concatBytes(...drafts.map((d) => sha256(d))));

/** Signs a transfer's payload; the signature alone. */
function released(signer: Signer, payload: Uint8Array): Uint8Array {
  const object = signObject("florin/transfer", payload, signer.seed, signer.reference);
  return (decodeCbor(object) as Uint8Array[])[3]!;
}

describe("a teller decides", () => {
  let session: TwinSession;
  let payId: Uint8Array;

  const deliver = (body: Uint8Array) => teller.module.deliver(PEER, body);
  const said = (sent: { port: number; body: Uint8Array }[]) =>
    bodiesTo(PEER, sent).map((body) => session.open(body));

  /** A refresh as far as the teller's acceptance. */
  function accepted(): void {
    teller.module.restore(before.teller);
    session = new TwinSession(rogue, "bare", new Uint8Array(8).fill(5), clock.nowMs());
    const [answer] = bodiesTo(PEER, deliver(session.hello()));
    const [acknowledge] = bodiesTo(PEER, deliver(session.finish(answer!)));
    session.open(acknowledge!);
    payId = session.exportedId("pay", 0);
    const sent = deliver(session.record(40, [5, AMOUNT, "EUR", null]));
    expect(toHost(sent).map((message) => message.slice(2))).toEqual([
      [payId, id("ROGUE-R"), 5, AMOUNT, "EUR", null],
    ]);
    const [reply] = said(teller.module.deliver(HOST, encodeCbor([83, payId, true])));
    expect([reply!.type, reply!.plain[2]]).toEqual([41, [payId]]);
  }

  function counterPacket(change: Change = () => {}): Packet {
    const signers = { generator, teller: rogue, holders: [otherTeller] };
    const packet = rightPacket(agency, signers, id("TELLE-T"), payId, AMOUNT);
    packet.counter = COUNTER;
    change(packet);
    return packet;
  }

  /** [type, body] of the teller's reply. */
  const tell = (type: number, body: unknown): [number, unknown] => {
    const [reply] = said(deliver(session.record(type, body, { replyTo: 9 })));
    return [reply!.type, reply!.plain[2]];
  };

  /** Goes on to the teller's packet; its drafts and those of the customer. */
  function packetCame() {
    accepted();
    const counter = counterPacket();
    const [type, body] = tell(31, encodePacket(counter));
    expect(type).toBe(25);
    const [offer, drafts] = body as [unknown, [unknown, unknown, Uint8Array][]];
    expect(payloadOf(offer).slice(4)).toEqual(["EUR", AMOUNT, expect.any(Number), COUNTER]);
    return { counter, drafts: drafts.map(([, , draft]) => draft) };
  }

  function ready(change: (fields: unknown[]) => unknown[] = (fields) => fields, signer = rogue) {
    const { counter, drafts } = packetCame();
    const own = counter.drafts.map(({ newest }) => newest);
    const ids = [id("TELLE-T"), rogue.id, START_SECONDS];
    const fields = change([payId, draftsHashOf(drafts), ...ids, draftsHashOf(own)]);
    const payload = encodeCbor(fields);
    const object = signObject("florin/ready-to-commit", payload, signer.seed, signer.reference);
    return { object: decodeCbor(object), signature: released(rogue, own[0]!) };
  }

  const nothingMoved = () => {
    expect(world.balance(teller)).toEqual([100_000 - AMOUNT, 0, 0]);
  };

  test("and commits both legs at once when everything is right", () => {
    const { object, signature } = ready();
    const [type, body] = tell(26, [object, [payId, [signature]]]);
    expect(type).toBe(27);
    expect((body as unknown[])[0]).toEqual(payId);
    expect(world.balance(teller)).toEqual([100_000 - AMOUNT, 0, 0]);
  });

  const packets: [string, Change, number][] = [
    ["an offer without what it asks for", (packet) => delete packet.counter, 35],
    ["another sum asked for", (packet) => (packet.counter = ["EUR", AMOUNT + 1, 0]), 35],
    ["another unit asked for", (packet) => (packet.counter = ["USD", AMOUNT, 0]), 35],
    ["another rounding", (packet) => (packet.counter = ["EUR", AMOUNT, 1]), 35],
    ["a rounding that there is not", (packet) => (packet.counter = ["EUR", AMOUNT, 3]), 31],
    ["nothing asked for", (packet) => (packet.counter = ["EUR", 0, 0]), 31],
    ["another amount", (packet) => (packet.amount = AMOUNT - 1), 35],
    ["another's pay id", (packet) => (packet.payId = new Uint8Array(16)), 33],
    ["an offer signed by another", (packet) => (packet.offerSigner = otherTeller), 33],
  ];
  test.each(packets)("and refuses %s", (_name, change, reason) => {
    accepted();
    expect(tell(31, encodePacket(counterPacket(change)))).toEqual([5, [reason]]);
    nothingMoved();
  });

  test("and takes no word on the amount, and no packet (25), for the second leg", () => {
    accepted();
    expect(tell(24, [])).toEqual([5, [2]]);
    accepted();
    expect(tell(25, encodePacket(counterPacket()))).toEqual([5, [2]]);
    nothingMoved();
  });

  test("and refuses a Ready-to-Commit that is for other drafts, or by another", () => {
    const wrong: [(fields: unknown[]) => unknown[], Signer][] = [
      [(fields) => fields.slice(0, 5), rogue],
      [(fields) => [...fields.slice(0, 5), new Uint8Array(32)], rogue],
      [(fields) => [fields[0], new Uint8Array(32), ...fields.slice(2)], rogue],
      [(fields) => [new Uint8Array(16), ...fields.slice(1)], rogue],
      [(fields) => fields, otherTeller],
    ];
    for (const [change, signer] of wrong) {
      const { object, signature } = ready(change, signer);
      expect(tell(26, [object, [payId, [signature]]])).toEqual([5, [38]]);
      nothingMoved();
    }
  });

  test("and refuses Ready-to-Commit without its signatures, or with others", () => {
    const wrong: [(signature: Uint8Array) => unknown[], number][] = [
      [() => [], 1],
      [(signature) => [[payId, [signature, signature]]], 42],
      [(signature) => [[new Uint8Array(16), [signature]]], 42],
      [() => [[payId, [new Uint8Array(64)]]], 42],
      [() => [[payId, []]], 42],
      [(signature) => [[payId, [signature]], 0], 1],
    ];
    for (const [release, reason] of wrong) {
      const { object, signature } = ready();
      const body = [object, ...release(signature)];
      expect([body.length, tell(26, body)]).toEqual([body.length, [5, [reason]]]);
      nothingMoved();
    }
  });

  test("and says aborted of what it did not commit, whoever has signed what", () => {
    ready();
    const question = signObject(
      "florin/question",
      encodeCbor([payId, rogue.id, id("TELLE-T"), 2, START_SECONDS + 9e6, []]),
      rogue.seed,
      rogue.reference,
    );
    const statement = encodeCbor([decodeCbor(question), decodeCbor(rogue.chain)]);
    const sent = deliver(encodeCbor([6, new Uint8Array(8), statement]));
    const [, , answer] = decodeCbor(bodiesTo(PEER, sent)[0]!) as [number, unknown, Uint8Array];
    expect(payloadOf(decodeCbor(answer)).slice(0, 3)).toEqual([payId, id("TELLE-T"), 1]);
    expect(toHost(sent).at(-1)!.slice(2, 4)).toEqual([State.aborted, 5]);
    nothingMoved();
  });
});

describe("a customer promises", () => {
  let session: TwinSession;
  let payId: Uint8Array;
  /** The customer's packet (31), decoded. */
  let counter: [unknown, [unknown, unknown, Uint8Array][], unknown[]];

  const key = () => {
    const [own] = decodeCbor(customer.module.ask(8, 3, 0)[3] as Uint8Array) as [unknown];
    return parseCertificate(encodeCbor(own))!.signingKey;
  };
  const said = (sent: { port: number; body: Uint8Array }[]) =>
    bodiesTo(PEER, sent).map((body) => session.open(body));
  const tell = (type: number, body: unknown) =>
    customer.module.deliver(PEER, session.record(type, body, { replyTo: 9 }));
  /** [spendable, in doubt, refresh, promised]. */
  const whole = () => (customer.module.ask(80)[1] as unknown[][])[0]!.slice(1);

  /** A refresh as far as the customer's packet. */
  function offered(): void {
    customer.module.restore(before.customer);
    const command = new Uint8Array(16).fill(7);
    const sent = customer.module.command(81, command, 5, AMOUNT, "EUR", null);
    const [hello] = bodiesTo(PEER, sent);
    session = new TwinSession(otherTeller, "bare", hello!.slice(3, 11), clock.nowMs());
    const [finish] = bodiesTo(PEER, customer.module.deliver(PEER, session.answer(hello!)));
    const opened = customer.module.deliver(PEER, session.acknowledge(finish!));
    expect(said(opened)[0]!.plain[2]).toEqual([5, AMOUNT, "EUR", null]);
    payId = session.exportedId("pay", 0);
    const [reply] = said(tell(41, [payId]));
    expect(reply!.type).toBe(31);
    counter = reply!.plain[2] as typeof counter;
  }

  function packet(change: Change = () => {}): Packet {
    const signers = { generator, teller: otherTeller };
    const made = rightPacket(agency, signers, id("CUSTO-C"), payId, AMOUNT);
    made.counter = COUNTER;
    change(made);
    return made;
  }

  test("what it signs, and only once the offer for it is right", () => {
    offered();
    expect(payloadOf(counter[0]).slice(4, 6)).toEqual(["EUR", AMOUNT]);
    expect(payloadOf(counter[0])[7]).toEqual(COUNTER);
    const made = packet();
    const [reply] = said(tell(25, encodePacket(made)));
    expect(reply!.type).toBe(26);
    const [object, release] = reply!.plain[2] as [unknown, [Uint8Array, Uint8Array[]]];
    const drafts = made.drafts.map(({ newest }) => newest);
    const own = counter[1].map(([, , draft]) => draft);
    const fields = payloadOf(object);
    expect([fields[0], fields[1], fields[5]]).toEqual([
      payId,
      draftsHashOf(drafts),
      draftsHashOf(own),
    ]);
    expect(release[0]).toEqual(payId);
    expect(release[1]).toHaveLength(own.length);
    for (const [index, draft] of own.entries()) {
      const signed = encodeCbor([
        "Signature1",
        Uint8Array.of(0xa1, 0x01, 0x27),
        new TextEncoder().encode("florin/transfer"),
        draft,
      ]);
      expect(ed25519.verify(release[1][index]!, signed, key())).toBe(true);
    }
    expect(whole()).toEqual([0, AMOUNT, 0, AMOUNT]);
    // Wrong releases change nothing; the right one pays and owns.
    tell(27, [payId, [new Uint8Array(64)]]);
    expect(whole()).toEqual([0, AMOUNT, 0, AMOUNT]);
    tell(27, [payId, [released(otherTeller, drafts[0]!)]]);
    expect(whole()).toEqual([AMOUNT, 0, 0, 0]);
  });

  const packets: [string, Change, number][] = [
    ["an offer without what it asks for", (made) => delete made.counter, 35],
    ["more asked for", (made) => (made.counter = ["EUR", AMOUNT + 1, 0]), 35],
    ["less given", (made) => (made.amount = AMOUNT - 1), 35],
    ["another rounding", (made) => (made.counter = ["EUR", AMOUNT, 2]), 35],
  ];
  test.each(packets)("nothing for %s", (_name, change, reason) => {
    offered();
    const sent = tell(25, encodePacket(packet(change)));
    const [reply] = said(sent);
    expect([reply!.type, reply!.plain[2]]).toEqual([5, [reason]]);
    expect(toHost(sent).at(-1)!.slice(2, 4)).toEqual([State.aborted, reason]);
    expect(whole()).toEqual([AMOUNT, 0, 0, 0]);
  });

  test("anew to any number of peers: certificates of notes that never came give way", () => {
    customer.module.restore(before.customer);
    for (let round = 0; round < 40; round++) {
      const command = new Uint8Array(16).fill(100 + round);
      const [hello] = bodiesTo(
        PEER,
        customer.module.command(81, command, 1, 100, "EUR", "1234567890"),
      );
      session = new TwinSession(otherTeller, "bare", hello!.slice(3, 11), clock.nowMs());
      const [finish] = bodiesTo(PEER, customer.module.deliver(PEER, session.answer(hello!)));
      said(customer.module.deliver(PEER, session.acknowledge(finish!)));
      payId = session.exportedId("pay", 0);
      said(tell(41, [payId]));
      const holders = Array.from(
        { length: 9 },
        (_, hop) => new Signer(agency, `H${round}-${hop}`, Role.TRANSACTION),
      );
      const signers = { generator, teller: otherTeller, holders };
      const made = rightPacket(agency, signers, id("CUSTO-C"), payId, 100);
      const [reply] = said(tell(25, encodePacket(made)));
      expect([round, reply!.type, reply!.plain[2]]).toEqual([round, 26, expect.anything()]);
      const payload = encodeCbor([payId, otherTeller.id, 1, START_SECONDS]);
      const { seed, reference } = otherTeller;
      tell(30, [decodeCbor(signObject("florin/answer", payload, seed, reference))]);
      if (round % 15 === 14) customer.module.reboot();
    }
    expect(whole()).toEqual([AMOUNT, 0, 0, 0]);
  });

  test("nothing that a signed aborted does not free, and no release after it counts", () => {
    offered();
    const made = packet();
    said(tell(25, encodePacket(made)));
    const answer = (state: number) => {
      const payload = encodeCbor([payId, otherTeller.id, state, START_SECONDS]);
      const { seed, reference } = otherTeller;
      return [decodeCbor(signObject("florin/answer", payload, seed, reference))];
    };
    for (const state of [2, 3]) tell(30, answer(state));
    expect(whole()).toEqual([0, AMOUNT, 0, AMOUNT]);
    // Promised to this one, not to be spent on anything else: also not after a boot.
    customer.module.reboot();
    expect(whole()).toEqual([0, AMOUNT, 0, AMOUNT]);
    const statement = encodeCbor(answer(1)[0]);
    customer.module.deliver(PEER, encodeCbor([6, new Uint8Array(8), statement]));
    expect(whole()).toEqual([AMOUNT, 0, 0, 0]);
    const late = encodeCbor([payId, [released(otherTeller, made.drafts[0]!.newest)]]);
    customer.module.deliver(PEER, encodeCbor([6, new Uint8Array(8), late]));
    customer.module.reboot();
    expect(whole()).toEqual([AMOUNT, 0, 0, 0]);
    expect(customer.module.ask(89)).toEqual([89, 0]);
  });
});
