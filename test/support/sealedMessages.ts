// SPDX-License-Identifier: Apache-2.0
// Opens each sealed message of a world and seals others in its place, given the keys that a Keyring
// has found out (docs/protocol.cddl sections 3 and 5).
import { x25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { type BareModule, OWN, PEER } from "../../host/torture/bareModule.ts";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { openSealed, sealToKey } from "../../host/trust/hpke.ts";
import { hashOf, hpkeSecrets, recordCipher } from "./derivedKeys.ts";

export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const SESSION_INFO = "florin/session";
export const NO_ID = new Uint8Array(0);
/** Labels of sessions. */
export const AGENT = 1;
export const MODULE = 2;
export const PAIR = 3;

/** How long a secret may be in memory. */
export type Lifetime =
  /** Until the session that it opens is open. */
  | "handshake"
  /** Until that session, or payment, is over. */
  | "session"
  /** From the agent's order to its module until the payment's outcome is told and nothing runs. */
  | "payment"
  /** Until the next local key. */
  | "boot";

export interface Secret {
  name: string;
  bytes: Uint8Array;
  /** In whose memory it may be now, and how long. */
  holders: Map<BareModule, Lifetime>;
}

/** One sealed part of a message: what is in it, and the whole message with something else in it. */
export interface SealedPart {
  name: string;
  plain: Uint8Array;
  /**
   * `type`: said in clear and bound to the box, where it has one; that of the message if absent.
   */
  seal(plain: Uint8Array, type?: number): Uint8Array;
}

export interface KnownSession {
  tag: Uint8Array;
  label: number;
  a: BareModule | null;
  b: BareModule | null;
  m1: Uint8Array;
  m2: Uint8Array | null;
  idA: Uint8Array;
  idB: Uint8Array;
  sealingA: Uint8Array;
  sealingB: Uint8Array;
  pointA: Uint8Array;
  pointB: Uint8Array;
  randomB: Uint8Array | null;
  /** Keys 1 to 3; several sets until a record tells which agents' session was mixed in. */
  keys: Uint8Array[][];
  /** R(1) and R(2) that went over this session. */
  randoms: Uint8Array[];
  handshake: Secret[];
  secrets: Secret[];
  /** Whoever ended it already. */
  closed: Set<BareModule>;
}

export interface KnownDevice {
  agent: BareModule;
  module: BareModule;
  pairing: Uint8Array;
  keys: Uint8Array[] | null;
  secrets: Secret[];
}

export interface KnownPayment {
  payId: Uint8Array;
  /** Of each device that takes part: agent to module, module to agent. */
  keys: Uint8Array[][];
  secrets: Secret[];
  /** R(1) and R(2), until key (TA/MM) is made of them. */
  randoms: Secret[];
  /** That of the agents. */
  session: KnownSession | null;
  /** Agents and modules that know its outcome. */
  told: Set<BareModule>;
}
export abstract class SealedMessages {
  readonly secrets = new Map<string, Secret>();
  protected readonly draws: Uint8Array[] = [];
  /** X25519 secrets by public key, as far as they were looked for. */
  private readonly points = new Map<string, Uint8Array>();
  private pointed = 0;
  protected readonly sessions = new Map<string, KnownSession>();
  protected readonly devices: KnownDevice[] = [];
  protected readonly payments: KnownPayment[] = [];

  /** It is known which keys the session has. */
  protected abstract settle(session: KnownSession, keys: Uint8Array[]): void;

  /** A secret that nobody may hold between events, unless that is said elsewhere. */
  protected add(name: string, bytes: Uint8Array): Secret {
    const known = this.secrets.get(hex(bytes));
    if (known !== undefined) return known;
    const secret: Secret = { name, bytes, holders: new Map() };
    this.secrets.set(hex(bytes), secret);
    return secret;
  }

  /** The sealed parts of a message, outermost first; none if it is not sealed or not understood. */
  partsOf(port: number, body: Uint8Array): SealedPart[] {
    const item = decodeCbor(body);
    if ((port !== PEER && port !== OWN) || !Array.isArray(item)) return [];
    const [kind] = item as unknown[];
    if (port === OWN && kind === 10) return this.localParts(item as unknown[]);
    if (port === OWN && kind === 11) return this.paymentParts(item as unknown[]);
    if (port === OWN && kind === 12) {
      const [, tag, inner] = item as [number, Uint8Array, Uint8Array];
      return within(this.partsOf(PEER, inner), (other) => encodeCbor([12, tag, other]));
    }
    if (kind === 4) return this.recordParts(item as unknown[]);
    if (kind === 2 || kind === 3) return this.boxParts(item as unknown[]);
    return [];
  }

  /** The X25519 secret of a public key, among all that was drawn. */
  protected secretOf(point: Uint8Array): Uint8Array | undefined {
    const isKnown = () => this.points.has(hex(point));
    for (; !isKnown() && this.pointed < this.draws.length; this.pointed += 1) {
      const draw = this.draws[this.pointed]!;
      // R, V and the one-time key; signing seed and sealing secret; a one-time key alone.
      const at = { 80: 48, 64: 32, 32: 0 }[draw.length];
      if (at === undefined) continue;
      const secret = draw.slice(at, at + 32);
      this.points.set(hex(x25519.getPublicKey(secret)), secret);
    }
    return this.points.get(hex(point));
  }

  protected openBox(
    recipient: Uint8Array,
    aad: Uint8Array,
    box: Uint8Array,
  ): Uint8Array | undefined {
    const secret = this.secretOf(recipient);
    if (secret === undefined || box.length < 48) return undefined;
    const enc = box.subarray(0, 32);
    const point = x25519.getSharedSecret(secret, enc);
    for (const one of hpkeSecrets(point, enc, recipient, SESSION_INFO)) {
      this.add("a secret of a box", one);
    }
    return openSealed(secret, SESSION_INFO, aad, box);
  }

  protected openRecord(session: KnownSession, item: unknown[]) {
    const [, , counter, type, box] = item as [unknown, unknown, number, number, Uint8Array];
    const layer = session.label === AGENT || session.label === PAIR ? 1 : 2;
    for (const keys of session.keys) {
      for (const direction of [0, 1]) {
        const cipher = (named = type) =>
          recordCipher(keys[direction]!, layer, direction, counter, named, session.tag);
        const plain = attempt(() => cipher().decrypt(box));
        if (plain === null) continue;
        if (session.keys.length > 1 || !session.secrets.length) this.settle(session, keys);
        return { plain, seal: (other: Uint8Array, named: number) => cipher(named).encrypt(other) };
      }
    }
    return null;
  }

  private recordParts(item: unknown[]): SealedPart[] {
    const [, tag, counter, type] = item as [number, Uint8Array, number, number];
    const session = this.sessions.get(hex(tag));
    const opened = session === undefined ? null : this.openRecord(session, item);
    if (session === undefined || opened === null) return [];
    const seal = (plain: Uint8Array, named = type) =>
      encodeCbor([4, tag, counter, named, opened.seal(plain, named)]);
    const outer: SealedPart = {
      name: `record ${session.label}/${type}`,
      plain: opened.plain,
      seal,
    };
    if (session.label !== AGENT || type !== 20) return [outer];
    const [number, replyTo, [inner]] = decodeCbor(opened.plain) as [number, number, [Uint8Array]];
    const nested = within(this.partsOf(PEER, inner), (body) =>
      seal(encodeCbor([number, replyTo, [body]])),
    );
    return [outer, ...nested];
  }

  private boxParts(item: unknown[]): SealedPart[] {
    const [kind, tag, box] = item as [number, Uint8Array, Uint8Array];
    const session = this.sessions.get(hex(tag));
    if (session === undefined || session.m2 === null) return [];
    const recipient = kind === 2 ? session.sealingA : session.sealingB;
    const aad = kind === 2 ? hashM1(session) : hashOf(session.m1, session.m2);
    const plain = this.openBox(recipient, aad, box);
    if (plain === undefined) return [];
    const seal = (other: Uint8Array) =>
      encodeCbor([kind, tag, sealToKey(recipient, SESSION_INFO, aad, other, hashOf(other))]);
    return [{ name: kind === 2 ? "answer" : "finish", plain, seal }];
  }

  protected localParts(item: unknown[]): SealedPart[] {
    const [, counter, type, box] = item as [number, number, number, Uint8Array];
    for (const { keys } of this.devices.toReversed()) {
      for (const direction of keys === null ? [] : [0, 1]) {
        const cipher = (named = type) =>
          recordCipher(keys![direction]!, 3, direction, counter, named, NO_ID);
        const plain = attempt(() => cipher().decrypt(box));
        if (plain === null) continue;
        const seal = (other: Uint8Array, named = type) =>
          encodeCbor([10, counter, named, cipher(named).encrypt(other)]);
        return [{ name: `local ${direction}/${type}`, plain, seal }];
      }
    }
    return [];
  }

  protected paymentParts(item: unknown[]): SealedPart[] {
    const [, payId, counter, type, box] = item as [number, Uint8Array, number, number, Uint8Array];
    const payment = this.payments.find((one) => hex(one.payId) === hex(payId));
    for (const keys of payment?.keys ?? []) {
      for (const direction of [0, 1]) {
        const cipher = (named = type) =>
          recordCipher(keys[direction]!, 4, direction, counter, named, payId);
        const plain = attempt(() => cipher().decrypt(box));
        if (plain === null) continue;
        const seal = (other: Uint8Array, named = type) =>
          encodeCbor([11, payId, counter, named, cipher(named).encrypt(other)]);
        const outer = { name: `payment ${direction}/${type}`, plain, seal };
        if (type !== 5) return [outer];
        const [inner] = decodeCbor(plain) as [Uint8Array];
        return [outer, ...within(this.partsOf(PEER, inner), (body) => seal(encodeCbor([body])))];
      }
    }
    return [];
  }
}

export const hashM1 = ({ m1 }: KnownSession) => sha256(m1);

/** The parts of an inner message, sealed into the whole one. */
function within(parts: SealedPart[], wrap: (body: Uint8Array) => Uint8Array): SealedPart[] {
  return parts.map(({ name, plain, seal }) => ({
    name,
    plain,
    seal: (other, type) => wrap(seal(other, type)),
  }));
}

function attempt(work: () => Uint8Array): Uint8Array | null {
  try {
    return work();
  } catch {
    // The library throws for a wrong tag: these are not the keys.
    return null;
  }
}
