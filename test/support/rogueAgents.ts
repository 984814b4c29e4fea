// SPDX-License-Identifier: Apache-2.0
// Certified but dishonest agents in TypeScript: a merchant's that writes wrong receipts, and a
// customer's that presents wrong cards and mandates, each facing a real agent image (Fig. 7).
import { decodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import { AgentWorld, filled } from "../../host/torture/agentWorld.ts";
import {
  acquire,
  BANK,
  cardComponents,
  PurchaseWorld,
  signOffer,
  willingCustomer,
} from "../../host/torture/purchaseWorld.ts";
import { bodiesTo, PEER, toHost } from "../../host/torture/bareModule.ts";
import { TwinSession } from "./sessionTwin.ts";
import { id, START_SECONDS } from "../../host/torture/testAgency.ts";
import { hashOfPayload, makeOffer, makeTicket, Signer } from "./ticketMaker.ts";

const tag = filled(6, 8);
/** Record type by which a peer ends the session. */
export const ABORT = 5;

/** Changes one element of a receipt's components, or the parts around them. */
export interface Lie {
  components?: Record<number, unknown>;
  issuerName?: string;
  receiver?: Uint8Array;
  receiverExpires?: number;
  type?: 1 | 2 | 3;
  signer?: (world: AgentWorld) => Signer;
  credential?: { holder?: Uint8Array; name?: string; from?: number; rights?: number };
}

/** A customer's agent that has ordered of a merchant which the test speaks for, and is served. */
export function facingCustomer(lie: Lie, direction: 1 | 2 = 2) {
  const world = new AgentWorld();
  const authority = world.add("authority", "A");
  const customer = world.add("customer", "C");
  acquire(world, customer, authority, 1, cardComponents());
  const liar = new Signer(world.agency, "liar-M", Role.MERCHANT);
  const registry = new Signer(world.agency, "registry", Role.AUTHORITY, {
    rights: lie.credential?.rights ?? 2,
  });
  const credential = makeTicket({
    issuer: registry,
    issuerName: BANK,
    receiver: lie.credential?.holder ?? liar.id,
    type: 2,
    components: [lie.credential?.name ?? "Liar", id("OWNER"), lie.credential?.from ?? 0, 2e9],
  });
  const terms = [
    ...[liar.id, "Liar", direction, "USD", "EUR", 25, 100, 9, 10, 100, 100000],
    ...[START_SECONDS, START_SECONDS + 600, "ws://liar"],
  ];
  const offer = makeOffer(liar, terms);
  customer.host = willingCustomer(2000);
  const sent = customer.agent.command(20, filled(1), offer);
  const hello = bodiesTo(PEER, sent)[0] as Uint8Array;
  const [, sessionTag] = decodeCbor(hello) as [number, Uint8Array];
  const session = new TwinSession(liar, "agent", sessionTag, world.clock.nowMs());
  const heard: unknown[][] = [];
  /** Says one body to the customer's agent; its records. */
  const say = (body: Uint8Array) => {
    const out: Uint8Array[] = [];
    const queue = [customer.agent.deliver(PEER, body)];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      out.push(...bodiesTo(PEER, next));
      for (const message of toHost(next)) {
        heard.push(message);
        for (const command of customer.host(message, "agent")) {
          queue.push(customer.agent.command(...command));
        }
      }
    }
    return out;
  };
  const [finish] = say(session.answer(hello));
  session.open(say(session.acknowledge(finish as Uint8Array)).at(-1) as Uint8Array);
  /** The receipt that belongs to the card which the customer gave in answer to 13. */
  const receiptFor = (card: unknown[]) => {
    const [head] = decodeCbor(payload(card[0])) as [unknown[]];
    const receipt: unknown[] = [
      ...[BANK, "************7899", direction, "EUR", direction === 1 ? 1843 : 1757],
      ...["USD", 2000, 43, START_SECONDS],
      ...[session.exportedId("transaction", 0), id("agent-C"), liar.id],
      ...[hashOfPayload((decodeCbor(offer) as unknown[])[0]), 9, 10, head[5]],
    ];
    return {
      issuer: liar,
      issuerName: "Liar",
      issuerExpires: 2e9,
      receiver: id("agent-C"),
      receiverExpires: START_SECONDS + 31536000,
      type: 3 as const,
      components: receipt,
    };
  };
  return { world, customer, liar, registry, session, say, heard, credential, receiptFor };
}

/**
 * A sale of 20.00 USD to a merchant that lies so, or a purchase (1): what the customer's host hears
 * at the end.
 */
export function saleToLiar(
  lie: Lie,
  direction: 1 | 2 = 2,
): { finished: unknown[] | undefined; receipts: unknown[][] } {
  const { world, session, say, heard, credential, receiptFor } = facingCustomer(lie, direction);
  const opened = (bodies: Uint8Array[]) => session.open(bodies.at(-1) as Uint8Array);
  const result = () => ({
    finished: heard.find(([n]) => n === 29),
    receipts: heard.filter(([n]) => n === 27),
  });
  const request = opened(say(session.record(11, [credential], { replyTo: 1 })));
  if (request.type === ABORT) return result();
  const card = opened(say(session.record(13, [], { replyTo: 2 })));
  const right = receiptFor((card.plain[2] as [unknown[]])[0]);
  const components = [...right.components];
  for (const [index, value] of Object.entries(lie.components ?? {})) {
    components[Number(index)] = value;
  }
  const made = makeTicket({
    ...right,
    issuer: lie.signer?.(world) ?? right.issuer,
    issuerName: lie.issuerName ?? right.issuerName,
    receiver: lie.receiver ?? right.receiver,
    receiverExpires: lie.receiverExpires ?? right.receiverExpires,
    type: lie.type ?? right.type,
    components,
  });
  say(session.record(15, [made], { replyTo: 3 }));
  return result();
}

/** Payload of a decoded signed object. */
export const payload = (signed: unknown) => (signed as [unknown, unknown, Uint8Array])[2];

/** A dishonest customer's agent in a session with a serving merchant. */
export function facingMerchant() {
  const world = new PurchaseWorld();
  world.merchant.host = () => [];
  const rogue = new Signer(world.agency, "rogue-C", Role.CUSTOMER);
  const bank = new Signer(world.agency, "bank-A", Role.AUTHORITY, { rights: 1 });
  const session = new TwinSession(rogue, "agent", tag, world.clock.nowMs());
  const agent = world.merchant.agent;
  const say = (body: Uint8Array) => {
    // The agent does heavy work in a tick of its own.
    const sent = [...agent.deliver(PEER, body), ...agent.tick()];
    world.merchant.heard.push(...toHost(sent));
    return bodiesTo(PEER, sent);
  };
  const answered = (body: Uint8Array) => session.open(say(body).at(-1) as Uint8Array);
  const [answer] = say(session.hello());
  const acknowledged = say(session.finish(answer as Uint8Array));
  session.open(acknowledged[0] as Uint8Array);
  const offer = signOffer(world, world.merchant, 2);
  answered(session.record(10, [], { replyTo: 1 }));
  const card = (change: Partial<Parameters<typeof makeTicket>[0]> = {}, fields = {}) =>
    makeTicket({
      issuer: bank,
      issuerName: BANK,
      receiver: rogue.id,
      type: 1,
      components: cardComponents("EUR", fields),
      ...change,
    });
  const ask = (amount: unknown = 2000, unit = "USD", direction = 2) =>
    answered(session.record(12, [direction, amount, unit, offer], { replyTo: 2 }));
  return { world, rogue, bank, session, say, answered, offer, card, ask };
}

/** A session of a dishonest customer, and what it can say. */
export type Facing = ReturnType<typeof facingMerchant>;
