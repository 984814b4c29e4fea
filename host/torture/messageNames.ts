// SPDX-License-Identifier: Apache-2.0
// Names the messages of money modules that say something about a payment (docs/protocol.cddl
// sections 5, 6 and 8): by their clear heads, and where they are sealed for the own agent, under
// its keys. What is sealed between two modules is told by the type in its clear head.
import { hex } from "./agentWorld.ts";
import { HOST, OWN, PEER } from "./bareModule.ts";
import { Heads } from "./heads.ts";
import type { Batch } from "./journalReader.ts";
import { beginningOf, type LocalKeys, localKeys, openFromAgent, paymentKey } from "./moduleKeys.ts";

/** Identity's records in the journal, and the pairing among them: counterpart (8), secret (32). */
const IDENTITY_KIND = 1;
const PAIRING_KEY = 3;

/** Kinds of bodies. */
const RECORD = 4;
const STATEMENT = 6;
const MODULE_NONCE = 9;
const LOCAL = 10;
const PAYMENT = 11;
const ROUTED = 12;
/** Types under the local key and under a payment's. */
const MAKE_PAYMENT = 3;
const RECEIVE_PAYMENT = 4;
const LOCAL_OUTCOME = 6;
const MODULE_MESSAGE = 5;
const PAYMENT_OUTCOME = 7;
/** What a module tells its host. */
const FINISHED = 29;
const HOLD_WANTED = 82;
const SETTLE = 84;
const CLAIM = 91;

/** Events of the tables by the type of a message between modules (layer 2). */
const TYPES: Readonly<Record<number, string>> = {
  26: "ready",
  27: "acknowledge",
  28: "sayDone",
  29: "ask",
};
/** Events by the state that an own side is told. */
const TOLD: Readonly<Record<number, string>> = {
  1: "tellAborted",
  2: "tellCommitted",
  3: "tellInDoubt",
};
const ANSWER_ABORTED = 1;
const NO_REQUEST = 0;

/** A message that says something about a payment. */
export interface NamedMessage {
  event: string;
  /** The payment it is about, or in whose session it goes; null where that is not known. */
  payId: string | null;
  /** False where it may be about another payment with the same peer, asked about in the session. */
  isExact: boolean;
}

/** An order of an agent to make or receive a payment. */
interface Order {
  module: number;
  local: LocalKeys;
  exporter: Uint8Array;
  random: Uint8Array;
  transactionId: Uint8Array;
}

/** What is known of the world's keys and sessions; copied before it is changed. */
export interface KnownNames {
  pairings: ReadonlyMap<number, Uint8Array>;
  locals: ReadonlyMap<number, LocalKeys>;
  /** By pay id. */
  orders: ReadonlyMap<string, readonly Order[]>;
  /** Pay id by session tag: of agents' sessions, and of bare ones. */
  sessions: ReadonlyMap<string, string>;
}

export const NO_NAMES: KnownNames = {
  pairings: new Map(),
  locals: new Map(),
  orders: new Map(),
  sessions: new Map(),
};

const withEntry = <Key, Value>(map: ReadonlyMap<Key, Value>, key: Key, value: Value) =>
  new Map(map).set(key, value);

/** A batch may hold the secret of a pairing. */
export function learnFromBatch(names: KnownNames, module: number, batch: Batch): KnownNames {
  for (const { kind, key, value } of batch.records) {
    if (kind !== IDENTITY_KIND || key !== PAIRING_KEY || value === null) continue;
    return { ...names, pairings: withEntry(names.pairings, module, value.slice(8, 40)) };
  }
  return names;
}

/** What a module was given by its agent may be an order with a payment's keys. */
export function learnFromReceived(
  names: KnownNames,
  module: number,
  port: number,
  body: Uint8Array,
): KnownNames {
  const local = names.locals.get(module);
  if (port !== OWN || local === undefined || body[1] !== LOCAL) return names;
  const heads = new Heads(body);
  heads.array();
  heads.uint();
  const counter = heads.uint();
  const type = heads.uint();
  const box = heads.view();
  if (heads.isFailed || (type !== MAKE_PAYMENT && type !== RECEIVE_PAYMENT)) return names;
  const plain = openFromAgent(local, counter, type, box);
  if (plain === null) return names;
  const terms = new Heads(plain);
  terms.array();
  const tag = hex(terms.view());
  const payId = hex(terms.view());
  const [transactionId, exporter, random] = [terms.view(), terms.view(), terms.view()];
  if (terms.isFailed) return names;
  const order: Order = { module, local, exporter, random, transactionId };
  const others = (names.orders.get(payId) ?? []).filter((one) => one.module !== module);
  return {
    ...names,
    orders: withEntry(names.orders, payId, [...others, order]),
    sessions: withEntry(names.sessions, tag, payId),
  };
}

/** What a module sent may name a session, or be one half of its local keys. */
export function learnFromSent(
  names: KnownNames,
  module: number,
  port: number,
  body: Uint8Array,
): KnownNames {
  if (port === OWN && body[1] === MODULE_NONCE) {
    const pairing = names.pairings.get(module);
    const heads = new Heads(body);
    heads.array();
    heads.uint();
    const [agentNonce, moduleNonce] = [heads.view(), heads.view()];
    if (heads.isFailed || pairing === undefined) return names;
    const local = localKeys(pairing, agentNonce, moduleNonce);
    return { ...names, locals: withEntry(names.locals, module, local) };
  }
  if (port === HOST && body[1] === 0x18 && body[2] === HOLD_WANTED) {
    const heads = new Heads(body);
    heads.array();
    heads.uint();
    const tag = hex(heads.view());
    return { ...names, sessions: withEntry(names.sessions, tag, hex(heads.view())) };
  }
  return names;
}

/** What a message of a money module says about a payment; null for nothing. */
export function nameMessage(
  names: KnownNames,
  module: number,
  port: number,
  body: Uint8Array,
): NamedMessage | null {
  if (port === HOST) return toldToHost(body);
  if (port === PEER) return peerBody(names, body, null);
  const heads = new Heads(body);
  const items = heads.array();
  const kind = heads.uint();
  if (kind === ROUTED) {
    const tag = hex(heads.view());
    return peerBody(names, heads.begin(), names.sessions.get(tag) ?? null);
  }
  if (kind === LOCAL && items === 4) {
    const counter = heads.uint();
    const local = names.locals.get(module);
    if (heads.uint() !== LOCAL_OUTCOME || local === undefined) return null;
    return outcome(beginningOf(local.fromModule, counter, heads.begin()));
  }
  if (kind !== PAYMENT) return null;
  const payId = hex(heads.view());
  const counter = heads.uint();
  const type = heads.uint();
  if (type !== MODULE_MESSAGE && type !== PAYMENT_OUTCOME) return null;
  const plain = beginningOf(keyOf(names, module, payId), counter, heads.begin());
  if (type === PAYMENT_OUTCOME) return outcome(plain);
  const inner = new Heads(plain);
  inner.array();
  const inside = inner.begin();
  if (inner.isFailed) throw new Error(`A message of payment ${payId} opens under another key.`);
  return peerBody(names, inside, payId);
}

function keyOf(names: KnownNames, module: number, payId: string): Uint8Array {
  const orders = names.orders.get(payId) ?? [];
  const own = orders.find((order) => order.module === module);
  const other = orders.find((order) => order.module !== module);
  if (own === undefined || other === undefined) {
    throw new Error(`A module speaks of payment ${payId}, for which it has no order.`);
  }
  return paymentKey(own.local, own.exporter, own.random, other.random, own.transactionId);
}

function peerBody(
  names: KnownNames,
  body: Uint8Array,
  context: string | null,
): NamedMessage | null {
  const kind = body[1];
  if (kind !== RECORD && kind !== STATEMENT) return null;
  const heads = new Heads(body);
  heads.array();
  heads.uint();
  const tag = hex(heads.view());
  if (kind === STATEMENT) return statement(heads.begin());
  heads.uint();
  const event = TYPES[heads.uint()];
  if (heads.isFailed || event === undefined) return null;
  return { event, payId: context ?? names.sessions.get(tag) ?? null, isExact: event === "ready" };
}

/** statement = released / [ COSE<question>, chain ] / COSE<module-answer> / COSE<done> */
function statement(bytes: Uint8Array): NamedMessage | null {
  const heads = new Heads(bytes);
  const count = heads.array();
  const exact = (event: string, payId: Uint8Array) => ({ event, payId: hex(payId), isExact: true });
  if (count === 2 && heads.peek() === 2) return exact("acknowledge", heads.view());
  const payload = payloadOf(count === 2 ? heads : new Heads(bytes));
  const items = payload.array();
  const payId = payload.view();
  if (payload.isFailed) return null;
  if (count === 2) return exact("ask", payId);
  if (items === 3) return exact("sayDone", payId);
  payload.view();
  return payload.uint() === ANSWER_ABORTED ? exact("answerAborted", payId) : null;
}

/** payment-outcome = ( pay-id, state, ... ) */
function outcome(plain: Uint8Array): NamedMessage | null {
  const heads = new Heads(plain);
  heads.array();
  const payId = hex(heads.view());
  const event = TOLD[heads.uint()];
  if (heads.isFailed) throw new Error("An outcome opens under another key.");
  return event === undefined ? null : { event, payId, isExact: true };
}

function toldToHost(body: Uint8Array): NamedMessage | null {
  const number = body[1] === 0x18 ? body[2] : 0;
  if (number !== FINISHED && number !== SETTLE && number !== CLAIM) return null;
  const heads = new Heads(body);
  const items = heads.array();
  heads.uint();
  if (number === CLAIM) return claimed(heads);
  const id = heads.view();
  const event = TOLD[heads.uint()];
  if (heads.isFailed || event === undefined) return null;
  if (number === SETTLE) {
    // settle = [ 84, pay-id, state, request-kind, ... ]; aborted, kind 0: there is no record of it.
    const isMissing = event === TOLD[1] && heads.uint() === NO_REQUEST;
    return { event: isMissing ? "tellNoRecord" : event, payId: hex(id), isExact: true };
  }
  // [ 29, command, state, reason, code, transaction, pay-id, ticket ]: a pay id where there is one.
  for (let item = 3; item < 6; item += 1) heads.skip();
  if (items < 8 || heads.peek() !== 2) return null;
  return { event, payId: hex(heads.view()), isExact: true };
}

/** COSE<claim>, claim = [ COSE<offer>, ... ], offer = [ pay-id, ... ] */
function claimed(heads: Heads): NamedMessage | null {
  const claim = payloadOf(heads);
  claim.array();
  const offer = payloadOf(claim);
  offer.array();
  const payId = hex(offer.view());
  return offer.isFailed ? null : { event: "tellClaim", payId, isExact: true };
}

/** The payload of the signed object that follows. */
function payloadOf(heads: Heads): Heads {
  heads.array();
  heads.skip();
  heads.skip();
  const payload = new Heads(heads.begin());
  if (heads.isFailed) payload.isFailed = true;
  return payload;
}
