// SPDX-License-Identifier: Apache-2.0
// A trusted agent as its money module sees it (docs/protocol.cddl section 5), in TypeScript on
// other cryptographic code: pairing, local key, key (TA/MM), and the messages of the modules
// passed on.
// What two agents say to one another is taken as said: both stand-ins share one session's secrets.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { Role } from "../../host/trust/certificates.ts";
import type { MoneyWorld, Node } from "./moneyWorld.ts";
import { TwinParty, TwinSession } from "./sessionTwin.ts";
import { id } from "../../host/torture/testAgency.ts";

const ascii = (text: string) => new TextEncoder().encode(text);
const filled = (size: number, text: string) => sha256(ascii(text)).slice(0, size);

/** One direction pair of keys under which records are sealed. */
class Channel {
  private readonly keys: [Uint8Array, Uint8Array];
  private readonly layer: number;
  private readonly name: Uint8Array;
  private counter = 0;
  private received = 0;

  constructor(keys: [Uint8Array, Uint8Array], layer: number, name: Uint8Array) {
    this.keys = keys;
    this.layer = layer;
    this.name = name;
  }

  seal(type: number, body: unknown): { counter: number; box: Uint8Array } {
    const counter = ++this.counter;
    const box = this.cipher(0, counter, type).encrypt(encodeCbor(body));
    return { counter, box };
  }

  /** The body, or undefined where the record is not newer than the last. */
  open(counter: number, type: number, box: Uint8Array): unknown {
    if (counter <= this.received) return undefined;
    this.received = counter;
    return decodeCbor(this.cipher(1, counter, type).decrypt(box));
  }

  private cipher(direction: 0 | 1, counter: number, type: number) {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
    const aad = encodeCbor([1, this.layer, direction, counter, type, this.name]);
    return chacha20poly1305(this.keys[direction], nonce, aad);
  }
}

/** What the module told of a payment: [pay id, state, reason, amount, unit, evidence]. */
export type Outcome = [Uint8Array, number, number, number, string | null, Uint8Array];

/** One payment as the two stand-ins agreed on it. */
export interface Terms {
  tag: Uint8Array;
  payId: Uint8Array;
  transactionId: Uint8Array;
  exporter: Uint8Array;
  random1: Uint8Array;
  random2: Uint8Array;
  amount: number;
  unit: string;
  /** In an exchange: what the other one pays, its unit, and how that was rounded. */
  counter?: [amount: number, unit: string, rounding: number];
}

export class AgentStandIn {
  readonly node: Node;
  readonly outcomes: Outcome[] = [];
  readonly notedOk: string[] = [];
  /** Amount that the payee's agent takes for right; null = the agreed one. */
  expectedAmount: number | null = null;
  /** Amount that the payer's agent gives first, if not the agreed one. */
  firstAmount: number | null = null;
  funds: [string, number] | null = null;
  private readonly world: MoneyWorld;
  private readonly party: TwinParty;
  private pairing: TwinSession | null = null;
  private secret = new Uint8Array(32);
  private local: Channel | null = null;
  private localKey3 = new Uint8Array(32);
  private nonces = 0;
  private terms: Terms | null = null;
  private other: AgentStandIn | null = null;
  private payment: Channel | null = null;
  private moduleHasKey = false;

  constructor(world: MoneyWorld, node: Node) {
    this.world = world;
    this.node = node;
    const device = id(`device-${node.name.slice(-1)}`);
    this.party = new TwinParty(world.agency, `AGENT-${node.name.slice(-1)}`, Role.CUSTOMER, {
      device,
    });
    node.agent = this;
  }

  /** Pairs with the module and makes the first local key. */
  pair(): void {
    const tag = filled(8, `pairing ${this.node.name}`);
    this.pairing = new TwinSession(this.party, "pair", tag, this.world.clock.nowMs());
    this.send(this.pairing.hello());
    this.world.carry();
    if (this.local === null) throw new Error(`${this.node.name} does not pair.`);
  }

  /** Handles one OWN body from the module. */
  receive(body: Uint8Array): void {
    const item = decodeCbor(body) as unknown[];
    const kind = item[0] as number;
    if (kind === 2) this.send(this.pairing!.finish(body));
    else if (kind === 4) this.pairingRecord(body);
    else if (kind === 7) this.sendNonce();
    else if (kind === 9) this.makeLocalKey(item[1] as Uint8Array, item[2] as Uint8Array);
    else if (kind === 10) this.localReceived(item);
    else if (kind === 11) this.paymentReceived(item);
    else if (kind === 12) this.toPeer(item[2] as Uint8Array);
  }

  /**
   * Orders the own module to pay (3) or to receive (4). `opens`: it opens the session and states
   * the amount; not so the payer of a requested payment (manner 2).
   */
  order(terms: Terms, other: AgentStandIn, isPayer: boolean, opens = isPayer, manner = 1): void {
    this.terms = terms;
    this.other = other;
    this.moduleHasKey = false;
    const mixed = terms.random1.map((byte, index) => byte ^ terms.random2[index]!);
    const info = (n: number) =>
      concatBytes(ascii("florin/payment"), mixed, terms.transactionId, Uint8Array.of(n));
    const prk = extract(sha256, this.localKey3, terms.exporter);
    const keys = [1, 2].map((n) => expand(sha256, prk, info(n), 32));
    this.payment = new Channel(keys as [Uint8Array, Uint8Array], 4, terms.payId);
    const random = opens ? terms.random1 : terms.random2;
    const { tag, payId, transactionId, exporter } = terms;
    const order = [tag, payId, transactionId, exporter, random, opens, manner];
    this.say(isPayer ? 3 : 4, order);
  }

  /** Sends a local message: 1 funds-query, 5 close, 7 noted. */
  say(type: number, body: unknown): void {
    const { counter, box } = this.local!.seal(type, body);
    this.send(encodeCbor([10, counter, type, box]));
  }

  close(payId: Uint8Array): void {
    this.say(5, [payId]);
  }

  /** The newest outcome of a payment, or undefined. */
  outcomeOf(payId: Uint8Array): Outcome | undefined {
    const name = bytesToHex(payId);
    return this.outcomes.filter(([of]) => bytesToHex(of) === name).at(-1);
  }

  private pairingRecord(body: Uint8Array): void {
    const { type } = this.pairing!.open(body);
    if (type === 1) {
      this.send(this.pairing!.record(10, []));
    } else {
      this.secret = this.pairing!.exporter.slice();
      this.sendNonce();
    }
  }

  private sendNonce(): void {
    const nonce = filled(16, `nonce ${++this.nonces} ${this.node.name}`);
    this.send(encodeCbor([8, nonce]));
  }

  private makeLocalKey(own: Uint8Array, theirs: Uint8Array): void {
    const prk = extract(sha256, this.secret, concatBytes(own, theirs));
    const key = (n: number) =>
      expand(sha256, prk, concatBytes(ascii("florin/local"), Uint8Array.of(n)), 32);
    this.local = new Channel([key(1), key(2)], 3, new Uint8Array(0));
    this.localKey3 = key(3).slice();
  }

  private localReceived([, counter, type, box]: unknown[]): void {
    const body = this.local!.open(counter as number, type as number, box as Uint8Array);
    if (body === undefined) return;
    if (type === 2) this.funds = body as [string, number];
    if (type === 6) this.outcomes.push(body as Outcome);
    if (type === 8) this.notedOk.push(bytesToHex((body as [Uint8Array])[0]));
  }

  private paymentReceived([, payId, counter, type, box]: unknown[]): void {
    if (this.terms === null || bytesToHex(payId as Uint8Array) !== bytesToHex(this.terms.payId)) {
      return;
    }
    const body = this.payment!.open(counter as number, type as number, box as Uint8Array);
    if (body === undefined) return;
    const { amount, unit } = this.terms;
    const second = this.terms.counter ?? [];
    if (type === 1) this.sayInPayment(2, [this.firstAmount ?? amount, unit, ...second]);
    else if (type === 3) {
      const right = [this.expectedAmount ?? amount, unit, ...second];
      this.sayInPayment(4, [String(body) === String(right)]);
    } else if (type === 5) this.toPeer((body as [Uint8Array])[0]);
    else if (type === 7) this.outcomes.push(body as Outcome);
    else if (type === 8 && this.firstAmount !== null) {
      this.firstAmount = null;
      this.sayInPayment(2, [amount, unit]);
    } else if (type === 8) this.sayInPayment(6, [(body as [number])[0]]);
  }

  private sayInPayment(type: number, body: unknown): void {
    const { counter, box } = this.payment!.seal(type, body);
    this.send(encodeCbor([11, this.terms!.payId, counter, type, box]));
  }

  /** Carries a peer-body of the own module to the other device's. */
  private toPeer(body: Uint8Array): void {
    const other = this.other;
    if (other === null) return;
    this.noteKey(body);
    this.world.between(this, other, body);
  }

  /** A peer-body from the other device: by Fig. 15, or 19 once the own module has its key. */
  fromPeer(body: Uint8Array): void {
    if (this.terms === null) return;
    if (this.moduleHasKey) this.sayInPayment(5, [body]);
    else this.send(encodeCbor([12, this.terms.tag, body]));
    this.noteKey(body);
  }

  private noteKey(body: Uint8Array): void {
    const [kind, , , type] = decodeCbor(body) as number[];
    if (kind === 4 && type === 21) this.moduleHasKey = true;
  }

  private send(body: Uint8Array): void {
    this.world.toModule(this.node, body);
  }
}

/** Orders a payment of `amount` from one device to another; carry or settle the world after it. */
export function pay(
  payer: AgentStandIn,
  payee: AgentStandIn,
  amount: number,
  name: string,
  unit = "EUR",
): Terms {
  const terms = newTerms(amount, unit, name);
  payee.order(terms, payer, false);
  payer.order(terms, payee, true);
  return terms;
}

/** Orders an exchange: the decider gives `amount`, the other one what `counter` says. */
export function exchange(
  decider: AgentStandIn,
  other: AgentStandIn,
  [amount, unit]: [number, string],
  counter: [number, string, number],
  name: string,
): Terms {
  const terms = { ...newTerms(amount, unit, name), counter };
  other.order(terms, decider, false, false, 3);
  decider.order(terms, other, true, true, 3);
  return terms;
}

/** What two agents agreed on under a name that is used once. */
export function newTerms(amount: number, unit: string, name: string): Terms {
  return {
    tag: filled(8, `tag ${name}`),
    payId: filled(16, `pay ${name}`),
    transactionId: filled(16, `transaction ${name}`),
    exporter: filled(32, `exporter ${name}`),
    random1: filled(32, `random 1 ${name}`),
    random2: filled(32, `random 2 ${name}`),
    amount,
    unit,
  };
}
