// SPDX-License-Identifier: Apache-2.0
// An opened peer with valid keys asks a module for a signed `aborted` about a payment that is not
// aborted: one that both have still to begin, or one that this module committed. The statement
// would acquit who spends twice (docs/protocol.md rules 4.6 and 4.9), so it must not be had.
import { expect, test } from "vitest";
import { bodiesTo, HOST, PEER } from "../../host/torture/bareModule.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { signObject } from "../../host/trust/cose.ts";
import { type Node, stockedWorld } from "../support/moneyWorld.ts";
import { encodePacket, rightPacket, Signer } from "../support/noteMaker.ts";
import { TwinSession } from "../support/sessionTwin.ts";

const AMOUNT = 2_500;
const ABORTED = 1;
const UNKNOWN = 2;
const HORIZON = START_SECONDS + 9e6;
const TAG = new Uint8Array(8).fill(5);

const { world, teller, customer } = stockedWorld(100_000);
world.withdraw(customer, teller, AMOUNT);
const { agency, clock } = world;
const generator = new Signer(agency, "GENER-X", Role.GENERATOR);
const rogueTeller = new Signer(agency, "TELLE-X", Role.TELLER);
const rogue = new Signer(agency, "ROGUE-R", Role.TRANSACTION);
const before = { teller: teller.module.snapshot(), customer: customer.module.snapshot() };

const payloadOf = (object: unknown) => decodeCbor((object as Uint8Array[])[2]!) as unknown[];

/** The question of `asker`, which says that it is the payee, to `node`. */
function question(asker: Signer, node: string, payId: Uint8Array): Uint8Array {
  const fields = [payId, asker.id, id(node), 2, HORIZON, []];
  return signObject("florin/question", encodeCbor(fields), asker.seed, asker.reference);
}

/** What `node` answers to that question without a session: the state that it signs. */
function stateTold(node: Node, name: string, asker: Signer, payId: Uint8Array): unknown {
  const asked = decodeCbor(question(asker, name, payId));
  const statement = encodeCbor([asked, decodeCbor(asker.chain)]);
  const sent = node.module.deliver(PEER, encodeCbor([6, TAG, statement]));
  const [, , answer] = decodeCbor(bodiesTo(PEER, sent)[0]!) as [number, unknown, Uint8Array];
  return payloadOf(decodeCbor(answer))[2];
}

/** A customer's bare session with the teller, and its pay id. */
function openedWithTeller() {
  teller.module.restore(before.teller);
  const session = new TwinSession(rogue, "bare", TAG, clock.nowMs());
  const [answer] = bodiesTo(PEER, teller.module.deliver(PEER, session.hello()));
  const [acknowledge] = bodiesTo(PEER, teller.module.deliver(PEER, session.finish(answer!)));
  session.open(acknowledge!);
  return { session, payId: session.exportedId("pay", 0) };
}

/** Type and body of the teller's answer to a request and to its bank's consent. */
function requested(session: TwinSession, payId: Uint8Array): [number, unknown][] {
  const asked = teller.module.deliver(PEER, session.record(40, [5, AMOUNT, "EUR", null]));
  const granted = teller.module.deliver(HOST, encodeCbor([83, payId, true]));
  return [...bodiesTo(PEER, asked), ...bodiesTo(PEER, granted)].map((body) => {
    const { type, plain } = session.open(body)!;
    return [type, plain[2]];
  });
}

test('a peer gathers "aborted" first: nothing begins under a pay id of which that was said', () => {
  const without = openedWithTeller();
  expect(requested(without.session, without.payId)).toEqual([[41, [without.payId]]]);
  const byStatement = openedWithTeller();
  expect(stateTold(teller, "TELLE-T", rogue, byStatement.payId)).toBe(ABORTED);
  expect(requested(byStatement.session, byStatement.payId)).toEqual([]);
  const inSession = openedWithTeller();
  const asked = [decodeCbor(question(rogue, "TELLE-T", inSession.payId))];
  const [reply] = bodiesTo(PEER, teller.module.deliver(PEER, inSession.session.record(29, asked)));
  expect(payloadOf((inSession.session.open(reply!)!.plain[2] as unknown[])[0])[2]).toBe(ABORTED);
  expect(requested(inSession.session, inSession.payId)).toEqual([]);
});

test("who took and paid in a refresh does not say afterwards that it was aborted", () => {
  customer.module.restore(before.customer);
  const command = new Uint8Array(16).fill(7);
  const deliver = (body: Uint8Array) => bodiesTo(PEER, customer.module.deliver(PEER, body));
  const [hello] = bodiesTo(PEER, customer.module.command(81, command, 5, AMOUNT, "EUR", null));
  const session = new TwinSession(rogueTeller, "bare", hello!.slice(3, 11), clock.nowMs());
  const [finish] = deliver(session.answer(hello!));
  session.open(deliver(session.acknowledge(finish!))[0]!);
  const payId = session.exportedId("pay", 0);
  session.open(deliver(session.record(41, [payId], { replyTo: 9 }))[0]!);
  const packet = rightPacket(
    agency,
    { generator, teller: rogueTeller },
    id("CUSTO-C"),
    payId,
    AMOUNT,
  );
  packet.counter = ["EUR", AMOUNT, 0];
  const [ready] = deliver(session.record(25, encodePacket(packet), { replyTo: 9 }));
  expect(session.open(ready!)!.type).toBe(26);
  const signatures = packet.drafts.map(({ newest }) => {
    const { seed, reference } = rogueTeller;
    return (decodeCbor(signObject("florin/transfer", newest, seed, reference)) as unknown[])[3];
  });
  expect(stateTold(customer, "CUSTO-C", rogueTeller, payId)).toBe(UNKNOWN);
  // The question ended the session; the release proves itself by any way.
  deliver(encodeCbor([6, TAG, encodeCbor([payId, signatures])]));
  expect((customer.module.ask(80)[1] as unknown[][])[0]!.slice(1)).toEqual([AMOUNT, 0, 0, 0]);
  expect(stateTold(customer, "CUSTO-C", rogueTeller, payId)).toBe(UNKNOWN);
});
