// SPDX-License-Identifier: Apache-2.0
// The handshake and the records of docs/protocol.cddl section 3 a second time, in TypeScript and on
// other cryptographic code, to check the firmware's and to say what no honest firmware would.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { decodeCbor, encodeCbor } from "../../host/trust/cbor.ts";
import { type Claims, parseCertificate, type Role } from "../../host/trust/certificates.ts";
import { openSealed, sealToKey } from "../../host/trust/hpke.ts";
import type { TestAgency } from "../../host/torture/testAgency.ts";

export const Label = { agent: 1, module: 2, pair: 3, bare: 4 } as const;
export type LabelName = keyof typeof Label;

const ascii = (text: string) => new TextEncoder().encode(text);
const seeded = (text: string) => sha256(ascii(text));

function prefixed(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concatBytes(length, bytes);
}

/** A member with keys of its own, made of its name, that runs in the test. */
export class TwinParty {
  readonly id: Uint8Array;
  readonly chain: Uint8Array;
  readonly sealingSecret: Uint8Array;

  constructor(agency: TestAgency, name: string, role: Role, change: Partial<Claims> = {}) {
    this.sealingSecret = seeded(`sealing ${name}`);
    const keys = {
      signing: ed25519.getPublicKey(seeded(`signing ${name}`)),
      sealing: x25519.getPublicKey(this.sealingSecret),
    };
    const claims = { ...agency.claims(name, role, keys), ...change };
    this.id = claims.subject;
    this.chain = agency.chain(claims);
  }
}

/** One session of a party, from either end. */
export class TwinSession {
  /** Random number, verification message and one-time key: to be set wrong by tests. */
  random = seeded("random");
  verification = seeded("verification").slice(0, 16);
  ephemeral = seeded("ephemeral");
  timeMs: number;
  version = 1;
  peerVerification: Uint8Array = new Uint8Array(16);
  peerTimeMs = 0;
  exporter: Uint8Array = new Uint8Array(32);
  readonly tag: Uint8Array;
  private readonly party: TwinParty;
  private readonly label: LabelName;
  private readonly mixIn: Uint8Array;
  private isInitiator = true;
  private transcript: Uint8Array = new Uint8Array(0);
  private m1: Uint8Array = new Uint8Array(0);
  private peerRandom: Uint8Array = new Uint8Array(32);
  private peerEphemeral: Uint8Array = new Uint8Array(32);
  private peerId: Uint8Array = new Uint8Array(8);
  private peerSealing: Uint8Array = new Uint8Array(32);
  private keys: Uint8Array[] = [new Uint8Array(32), new Uint8Array(32)];
  private counter = 0;
  private number = 0;

  constructor(
    party: TwinParty,
    label: LabelName,
    tag: Uint8Array,
    timeMs: number,
    mixIn?: Uint8Array,
  ) {
    this.party = party;
    this.label = label;
    this.tag = tag;
    this.timeMs = timeMs;
    this.mixIn = mixIn ?? new Uint8Array(0);
  }

  /** The same session at the same point, to be gone on with apart. */
  copy(): TwinSession {
    const copy = Object.create(TwinSession.prototype) as TwinSession;
    return Object.assign(copy, structuredClone({ ...this }));
  }

  /** M1, as A. */
  hello(): Uint8Array {
    const chain = decodeCbor(this.party.chain);
    const m1 = encodeCbor([this.version, Label[this.label], chain, this.ownPoint()]);
    this.takeM1(m1);
    return encodeCbor([1, this.tag, m1]);
  }

  /** Takes M2 as A and gives M3. */
  finish(answer: Uint8Array): Uint8Array {
    const [, , m2] = decodeCbor(answer) as [number, Uint8Array, Uint8Array];
    const plain = openSealed(this.party.sealingSecret, "florin/session", sha256(this.m1), m2)!;
    const [random, verification, chain, point, timeMs] = decodeCbor(plain) as [
      Uint8Array,
      Uint8Array,
      unknown[],
      Uint8Array,
      number,
    ];
    this.peerRandom = random;
    this.peerVerification = verification;
    this.peerEphemeral = point;
    this.peerTimeMs = timeMs;
    this.takeChain(chain);
    this.transcript = concatBytes(this.transcript, prefixed(m2));
    const own = [this.verification, this.peerVerification, this.timeMs, this.random];
    const m3 = this.seal(encodeCbor(own), sha256(this.transcript));
    this.transcript = concatBytes(this.transcript, prefixed(m3));
    this.makeKeys();
    return encodeCbor([3, this.tag, m3]);
  }

  /** Takes M1 as B and gives M2. */
  answer(hello: Uint8Array): Uint8Array {
    this.isInitiator = false;
    const [, , m1] = decodeCbor(hello) as [number, Uint8Array, Uint8Array];
    const [, , chain, point] = decodeCbor(m1) as [number, number, unknown[], Uint8Array];
    this.peerEphemeral = point;
    this.takeChain(chain);
    this.takeM1(m1);
    const own = decodeCbor(this.party.chain);
    const plain = [this.random, this.verification, own, this.ownPoint(), this.timeMs];
    const m2 = this.seal(encodeCbor(plain), sha256(m1));
    this.transcript = concatBytes(this.transcript, prefixed(m2));
    return encodeCbor([2, this.tag, m2]);
  }

  /** Takes M3 as B and gives M4. */
  acknowledge(finish: Uint8Array): Uint8Array {
    const [, , m3] = decodeCbor(finish) as [number, Uint8Array, Uint8Array];
    const aad = sha256(this.transcript);
    const plain = openSealed(this.party.sealingSecret, "florin/session", aad, m3)!;
    const [verification, , timeMs, random] = decodeCbor(plain) as [
      Uint8Array,
      unknown,
      number,
      Uint8Array,
    ];
    this.peerVerification = verification;
    this.peerTimeMs = timeMs;
    this.peerRandom = random;
    this.transcript = concatBytes(this.transcript, prefixed(m3));
    this.makeKeys();
    return this.record(1, [this.peerVerification, this.timeMs]);
  }

  /** Seals a record; counter, number and reply-to run by themselves unless given. */
  record(type: number, body: unknown, given: { number?: number; replyTo?: number } = {}) {
    return this.recordOfBytes(type, encodeCbor(body), given);
  }

  /** The same with the body's bytes as they are, well-formed or not. */
  recordOfBytes(
    type: number,
    body: Uint8Array,
    given: { number?: number; replyTo?: number } = {},
  ): Uint8Array {
    this.counter += 1;
    const number = given.number ?? ++this.number;
    const head = encodeCbor([number, given.replyTo ?? 0, 0]).slice(0, -1);
    const plain = concatBytes(head, body);
    const direction = this.isInitiator ? 0 : 1;
    const key = this.keys[direction]!;
    const box = this.cipher(key, direction, this.counter, type).encrypt(plain);
    return encodeCbor([4, this.tag, this.counter, type, box]);
  }

  /** Opens a record of the peer: [ number, reply-to, body ] and its type. */
  open(record: Uint8Array): { type: number; plain: unknown[] } {
    const [, , counter, type, box] = decodeCbor(record) as [
      number,
      unknown,
      number,
      number,
      Uint8Array,
    ];
    const direction = this.isInitiator ? 1 : 0;
    const plain = this.cipher(this.keys[direction]!, direction, counter, type).decrypt(box);
    return { type, plain: decodeCbor(plain) as unknown[] };
  }

  /** HKDF-Expand(exporter, name number, 16). */
  exportedId(name: string, number: number): Uint8Array {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, number);
    return expand(sha256, this.exporter, concatBytes(ascii(name), bytes), 16);
  }

  private cipher(key: Uint8Array, direction: number, counter: number, type: number) {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
    const layer = this.label === "agent" || this.label === "pair" ? 1 : 2;
    const aad = encodeCbor([1, layer, direction, counter, type, this.tag]);
    return chacha20poly1305(key, nonce, aad);
  }

  /** The public one-time key; all zeros if the secret is: a point of small order. */
  private ownPoint(): Uint8Array {
    const isZero = this.ephemeral.every((byte) => byte === 0);
    return isZero ? new Uint8Array(32) : x25519.getPublicKey(this.ephemeral);
  }

  private takeM1(m1: Uint8Array): void {
    this.m1 = m1.slice();
    this.transcript = prefixed(m1);
  }

  private takeChain(chain: unknown[]): void {
    const holder = parseCertificate(encodeCbor(chain[0]))!;
    this.peerId = holder.subject.slice();
    this.peerSealing = holder.sealingKey!.slice();
  }

  private seal(plain: Uint8Array, aad: Uint8Array): Uint8Array {
    return sealToKey(this.peerSealing, "florin/session", aad, plain, seeded("hpke"));
  }

  private makeKeys(): void {
    const mixed = this.random.map((byte, index) => byte ^ this.peerRandom[index]!);
    const point = this.ephemeral.every((byte) => byte === 0)
      ? new Uint8Array(32)
      : x25519.getSharedSecret(this.ephemeral, this.peerEphemeral);
    const prk = extract(sha256, concatBytes(mixed, point, this.mixIn), sha256(this.transcript));
    const [idA, idB] = this.isInitiator
      ? [this.party.id, this.peerId]
      : [this.peerId, this.party.id];
    const key = (n: number) => {
      const info = concatBytes(ascii(`florin/${this.label}`), idA!, idB!, Uint8Array.of(n));
      return expand(sha256, prk, info, 32);
    };
    this.keys = [key(1), key(2)];
    this.exporter = key(3);
  }
}
