// SPDX-License-Identifier: Apache-2.0
// One who hears everything that the modules of a world draw and say, and so knows every key in it
// and which secret may be in which module's memory at the moment (docs/security.md, "Secrets";
// docs/protocol.cddl sections 3 and 5).
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { type BareModule, OWN, PEER } from "../../host/torture/bareModule.ts";
import type { ModuleWatcher } from "../../host/torture/tracing.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { parseCertificate } from "../../host/trust/certificates.ts";
import {
  hashOf,
  localKeys,
  paymentKeys,
  sessionKeys,
  type SessionParts,
  xor,
} from "./derivedKeys.ts";
import {
  AGENT,
  hashM1,
  hex,
  type KnownPayment,
  type KnownSession,
  type Lifetime,
  MODULE,
  NO_ID,
  PAIR,
  SealedMessages,
  type Secret,
} from "./sealedMessages.ts";

export class Keyring extends SealedMessages implements ModuleWatcher {
  /** Ed25519 seeds by public key. */
  readonly seeds = new Map<string, Uint8Array>();
  /** Called after each event of a module. */
  onRest: (module: BareModule) => void = () => {};
  /** Deaf, it learns nothing more: what was learnt still opens and seals. */
  isDeaf = false;
  private undecided: Uint8Array[] = [];
  private readonly agentNonces = new Map<BareModule, string>();

  drew(_module: BareModule, bytes: Uint8Array): void {
    if (this.isDeaf) return;
    this.draws.push(bytes);
    if (bytes.length === 64) {
      const seed = bytes.slice(0, 32);
      this.seeds.set(hex(ed25519.getPublicKey(seed)), seed);
      this.add("a signing seed", seed);
      const expanded = sha512(seed);
      this.add("an expanded signing key", expanded.slice(0, 32));
      const clamped = expanded.slice(0, 32);
      clamped[0]! &= 248;
      clamped[31] = (clamped[31]! & 127) | 64;
      this.add("a signing scalar", clamped);
      this.add("a signing prefix", expanded.slice(32));
      this.add("a sealing secret", bytes.slice(32));
    } else if (bytes.length === 32) this.undecided.push(bytes);
  }

  readKey(_module: BareModule, key: Uint8Array): void {
    if (this.isDeaf) return;
    this.add("a device key", key.slice());
  }

  delivered(module: BareModule, port: number, body: Uint8Array): void {
    this.hear(module, false, port, body);
  }

  sent(module: BareModule, port: number, body: Uint8Array): void {
    this.hear(module, true, port, body);
  }

  rested(module: BareModule): void {
    if (this.isDeaf) return;
    // A number that is neither a session's nor a payment's sealed a box.
    for (const bytes of this.undecided) this.add("an ephemeral secret of a box", bytes);
    this.undecided = [];
    // Every open session has a deadline: without one, there is none.
    if (module.deadlineMs === null) {
      for (const secret of this.secrets.values()) {
        if (secret.holders.get(module) === "session") secret.holders.delete(module);
      }
    }
    for (const { told, secrets, session } of this.payments) {
      const isClosed = module.deadlineMs === null || session?.closed.has(module);
      if (!isClosed || !told.has(module)) continue;
      for (const secret of secrets) secret.holders.delete(module);
    }
    this.onRest(module);
  }

  // ---------------------------------------------------------------- what is heard

  private hear(module: BareModule, isSent: boolean, port: number, body: Uint8Array): void {
    if (this.isDeaf || (port !== PEER && port !== OWN)) return;
    const item = decodeCbor(body);
    if (!Array.isArray(item)) return;
    const [kind] = item as unknown[];
    if (port === OWN && kind === 8 && isSent) {
      this.agentNonces.set(module, hex(item[1] as Uint8Array));
      // Until the module answers with its own, there is no local key.
      for (const device of this.devices) {
        for (const secret of device.secrets) secret.holders.delete(module);
      }
    } else if (port === OWN && kind === 9) this.hearNonces(module, isSent, item as unknown[]);
    else if (port === OWN && kind === 10) this.hearLocal(module, item as unknown[]);
    else if (port === OWN && kind === 11) this.hearPayment(module, isSent, item as unknown[]);
    else if (port === OWN && kind === 12) this.hearPeer(module, isSent, item[2] as Uint8Array);
    else this.hearPeer(module, isSent, body);
  }

  private hearPeer(module: BareModule, isSent: boolean, body: Uint8Array): void {
    const item = decodeCbor(body);
    if (!Array.isArray(item) || !(item[1] instanceof Uint8Array)) return;
    const [kind, tag, content] = item as [number, Uint8Array, Uint8Array];
    const session = this.sessions.get(hex(tag));
    if (kind === 1 && session === undefined && isSent) this.hearHello(module, tag, content);
    if (session === undefined) return;
    if (kind === 2 && session.m2 === null && isSent) this.hearAnswer(session, module, content);
    else if (kind === 3 && session.keys.length === 0) this.hearFinish(session, content);
    else if (kind === 4) this.hearRecord(session, module, isSent, item as unknown[]);
    else if (kind === 5) this.close(session, module);
  }

  private hearHello(module: BareModule, tag: Uint8Array, m1: Uint8Array): void {
    const item = decodeCbor(m1) as [number, number, unknown[], Uint8Array];
    const [, label, chain, point] = item;
    const holder = parseCertificate(encodeCbor(chain[0]));
    if (holder?.sealingKey === undefined) return;
    const session: KnownSession = {
      ...{ tag, label, a: module, b: null, m1, m2: null, idA: holder.subject, idB: NO_ID },
      ...{ sealingA: holder.sealingKey, sealingB: NO_ID, pointA: point, pointB: NO_ID },
      ...{ randomB: null, keys: [], randoms: [], handshake: [], secrets: [] },
      closed: new Set(),
    };
    this.sessions.set(hex(tag), session);
    this.keep(session.handshake, "a one-time key", this.secretOf(point), "handshake", module);
  }

  private hearAnswer(session: KnownSession, module: BareModule, m2: Uint8Array): void {
    const plain = this.openBox(session.sealingA, hashM1(session), m2);
    if (plain === undefined) return;
    const [random, , chain, point] = decodeCbor(plain) as [
      Uint8Array,
      unknown,
      unknown[],
      Uint8Array,
    ];
    const holder = parseCertificate(encodeCbor(chain[0]));
    if (holder?.sealingKey === undefined) return;
    session.b = module;
    session.m2 = m2;
    session.idB = holder.subject;
    session.sealingB = holder.sealingKey;
    session.pointB = point;
    session.randomB = random;
    this.keep(session.handshake, "a one-time key", this.secretOf(point), "handshake", module);
    this.keep(session.handshake, "R(B)", random, "handshake", module, session.a);
  }

  private hearFinish(session: KnownSession, m3: Uint8Array): void {
    const { m1, m2, randomB, a, b, label } = session;
    if (m2 === null || randomB === null) return;
    const plain = this.openBox(session.sealingB, hashOf(m1, m2), m3);
    const ephemeral = this.secretOf(session.pointA);
    if (plain === undefined || ephemeral === undefined) return;
    const [, , , randomA] = decodeCbor(plain) as [unknown, unknown, unknown, Uint8Array];
    this.keep(session.handshake, "R(A)", randomA, "handshake", a, b);
    const point = x25519.getSharedSecret(ephemeral, session.pointB);
    this.add("an agreed point", point);
    this.add("R(A) xor R(B)", xor(randomA, randomB));
    const { idA, idB } = session;
    const messages = [m1, m2, m3];
    const parts: SessionParts = { label, idA, idB, messages, randomA, randomB, point, mixIn: null };
    const mixed = label === MODULE ? this.agentExporters() : [null];
    for (const mixIn of mixed) {
      const { prk, keys } = sessionKeys({ ...parts, mixIn });
      this.add("the root of a session's keys", prk);
      session.keys.push(keys);
    }
    if (session.keys.length === 1) this.settle(session, session.keys[0]!);
  }

  private hearRecord(
    session: KnownSession,
    module: BareModule,
    isSent: boolean,
    item: unknown[],
  ): void {
    const opened = this.openRecord(session, item);
    if (opened === null) return;
    const [, , , type] = item as [unknown, unknown, unknown, number];
    const [, , content] = decodeCbor(opened.plain) as [unknown, unknown, unknown[]];
    const isA = module === session.a;
    if (isA || module === session.b) {
      if (isA ? !isSent && type === 1 : isSent) this.open(session, module);
      // A message that is not R(1) or R(2) follows them when the key is made.
      if (session.label === MODULE && isSent && type > 21) this.forgetRandoms(module);
      if (type === 5 || (session.label === PAIR && type === 11)) this.close(session, module);
    }
    if (session.label === AGENT && type === 20) {
      this.hearPeer(module, isSent, content[0] as Uint8Array);
    } else if (session.label === AGENT && (type === 18 || type === 19)) {
      const random = content[0] as Uint8Array;
      session.randoms[type - 18] = random;
      if (isSent) {
        this.keep(session.secrets, "R(1) or R(2)", random, "session", module);
        // Who answers has ordered its own module: the number announced has served.
        if (type === 19) this.find(session.randoms[0])?.holders.delete(module);
      } else if (type === 18 && module !== session.a && module !== session.b) {
        throw new Error("R(1) went to somebody else.");
      } else if (type === 18) this.find(random)?.holders.set(module, "session");
    }
  }

  /** [ 9, n-agent, n-module ]: a new local key, at the module at once, at the agent if it asked. */
  private hearNonces(module: BareModule, isSent: boolean, item: unknown[]): void {
    const device = this.devices.findLast((one) => one.agent === module || one.module === module);
    const [, agentNonce, moduleNonce] = item as [number, Uint8Array, Uint8Array];
    if (device === undefined) return;
    if (!isSent && this.agentNonces.get(module) !== hex(agentNonce)) return;
    const { prk, keys } = localKeys(device.pairing, agentNonce, moduleNonce);
    this.add("the root of the local keys", prk);
    for (const secret of device.secrets) secret.holders.delete(module);
    for (const key of keys) this.keep(device.secrets, "a local key", key, "boot", module);
    device.keys = keys;
  }

  private hearLocal(module: BareModule, item: unknown[]): void {
    const [part] = this.localParts(item);
    const [, , type] = item as [number, number, number];
    const device = this.devices.findLast((one) => one.agent === module || one.module === module);
    // Who agrees on a new key does not open what still comes under the last one.
    const opens = device?.secrets.some(({ holders }) => holders.has(module));
    if (part !== undefined && opens && type === 6) this.hearOutcome(module, part.plain);
    if (part === undefined || device?.keys == null || (type !== 3 && type !== 4)) return;
    const order = decodeCbor(part.plain) as Uint8Array[];
    const [tag, payId, transactionId, exporter, own] = order;
    const session = this.sessions.get(hex(tag!));
    if (session === undefined) return;
    const [first, second] = session.randoms;
    const other = first !== undefined && hex(first) === hex(own!) ? second : first;
    if (other === undefined) return;
    const payment = this.paymentOf(payId!);
    const { agent, module: money } = device;
    const { secrets } = payment;
    if (payment.told.has(money)) return;
    payment.session ??= session;
    if (module === money) {
      this.keep(secrets, "the exporter of the agents' session", exporter, "payment", money);
      this.keep(payment.randoms, "R(1) or R(2)", own, "payment", money);
    } else this.keep(secrets, "R(1) or R(2)", own, "payment", agent);
    const mixed = xor(own!, other);
    this.add("R(1) xor R(2)", mixed);
    const { prk, keys } = paymentKeys(device.keys[2]!, exporter!, mixed, transactionId!);
    this.add("the root of key (TA/MM)", prk);
    for (const key of keys) this.keep(secrets, "key (TA/MM)", key, "payment", agent, money);
    if (!payment.keys.some((one) => hex(one[0]!) === hex(keys[0]!))) payment.keys.push(keys);
  }

  private forgetRandoms(module: BareModule): void {
    for (const { randoms } of this.payments) {
      for (const secret of randoms) secret.holders.delete(module);
    }
  }

  private find(bytes: Uint8Array | undefined): Secret | undefined {
    return bytes === undefined ? undefined : this.secrets.get(hex(bytes));
  }

  private paymentOf(payId: Uint8Array): KnownPayment {
    const known = this.payments.find((one) => hex(one.payId) === hex(payId));
    if (known !== undefined) return known;
    const payment = {
      payId,
      keys: [],
      secrets: [],
      randoms: [],
      session: null,
      told: new Set<BareModule>(),
    };
    this.payments.push(payment);
    return payment;
  }

  /** payment-outcome: unless it still runs, the payment's keys end with the module's next rest. */
  private hearOutcome(module: BareModule, plain: Uint8Array): void {
    const [payId, state] = decodeCbor(plain) as [Uint8Array, number];
    if (state !== 4) this.paymentOf(payId).told.add(module);
  }

  private hearPayment(module: BareModule, isSent: boolean, item: unknown[]): void {
    const [part] = this.paymentParts(item);
    if (part === undefined) return;
    if (item[3] === 7) this.hearOutcome(module, part.plain);
    if (item[3] !== 5) return;
    const [inner] = decodeCbor(part.plain) as [Uint8Array];
    this.hearPeer(module, isSent, inner);
  }

  // ---------------------------------------------------------------- secrets and their ends

  private open(session: KnownSession, module: BareModule): void {
    for (const secret of session.handshake) secret.holders.delete(module);
  }

  private close(session: KnownSession, module: BareModule): void {
    this.open(session, module);
    session.closed.add(module);
    for (const secret of session.secrets) {
      if (secret.holders.get(module) !== "payment") secret.holders.delete(module);
    }
  }

  /** It is known which keys the session has. */
  protected override settle(session: KnownSession, keys: Uint8Array[]): void {
    session.keys = [keys];
    const { a, b, secrets } = session;
    this.keep(secrets, "a session's key", keys[0], "session", a, b);
    this.keep(secrets, "a session's key", keys[1], "session", a, b);
    const name = session.label === PAIR ? "a pairing secret" : "a session's exporter";
    this.keep(secrets, name, keys[2], "session", a, b);
    if (session.label === PAIR && a !== null && b !== null) {
      this.devices.push({ agent: a, module: b, pairing: keys[2]!, keys: null, secrets: [] });
    }
  }

  /** A secret that these modules may hold until `list` is cleared. */
  private keep(
    list: Secret[],
    name: string,
    bytes: Uint8Array | undefined,
    lifetime: Lifetime,
    ...holders: (BareModule | null)[]
  ): void {
    if (bytes === undefined) return;
    this.undecided = this.undecided.filter((one) => hex(one) !== hex(bytes));
    const isNew = !this.secrets.has(hex(bytes));
    const secret = this.add(name, bytes.slice());
    const isElsewhere = !list.includes(secret);
    if (isElsewhere) list.push(secret);
    // Heard again, it is no longer allowed where it was over already.
    if (!isNew && !isElsewhere && (lifetime === "handshake" || lifetime === "session")) return;
    for (const holder of holders) {
      if (holder === null || secret.holders.get(holder) === "payment") continue;
      secret.holders.set(holder, lifetime);
    }
  }

  private agentExporters(): Uint8Array[] {
    const agents = [...this.sessions.values()].filter(({ label }) => label === AGENT);
    return agents.flatMap(({ keys }) => keys.map(([, , exporter]) => exporter!)).reverse();
  }
}
