// SPDX-License-Identifier: Apache-2.0
// Who this module is: its keys, its chain, the two roots it believes, and its life from blank to
// paired (Security Manager 144, Maintain Security; docs/protocol.cddl section 8, commands 1-5).
//
// Secret keys live in the journal alone, which is sealed under the device key. They are read into
// one static buffer for the length of one operation and wiped from it.
import { random } from "../board";
import { Bytes, bytesEqual, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { coseSign, coseSignature } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { wipe } from "../crypto/bytes";
import { ed25519PublicKey } from "../crypto/ed25519";
import { hpkeOpen } from "../crypto/hpke";
import { x25519PublicKey } from "../crypto/x25519";
import { journal } from "../flash/journal";
import { Certificate } from "./certificate";
import { Chain, Root } from "./chain";
import { Reason } from "./reasons";
import { isAgentRole, Role } from "./roles";
import { nowSeconds, raiseFloor } from "./signedTime";

/** Journal kind of everything here, and its keys. */
const KIND: u8 = 1;
const KEY_SECRETS: u32 = 0;
const KEY_CHAIN: u32 = 1;
const KEY_ROOTS: u32 = 2;
const KEY_PAIRING: u32 = 3;

// The record of keys: signing seed, sealing secret, signing key, sealing key, 32 bytes each.
const SECRETS_SIZE: i32 = 64;
const KEYS_SIZE: i32 = 128;
const secrets: usize = memory.data(64, 8);

/** The pairing record: the counterpart's id (8 bytes) and the shared secret (32 bytes). */
const PAIRING_SIZE: i32 = 40;

/** Length of the nonce in a proof of possession. */
const NONCE_SIZE: i32 = 32;

/** Stages of a module's life, as told by command 1. */
export namespace Life {
  export const BLANK: u8 = 0;
  export const KEYED: u8 = 1;
  export const CERTIFIED: u8 = 2;
  export const PAIRED: u8 = 3;
}

const NO_BYTES: Bytes = new StaticArray<u8>(0);

export class Identity {
  life: u8 = Life.BLANK;
  /** Public keys, 32 bytes each; empty while blank. */
  signingKey: Bytes = NO_BYTES;
  sealingKey: Bytes = NO_BYTES;
  /** The own certificate; meaningless until certified. */
  certificate: Certificate = new Certificate();
  agentRoot: Root = new Root(NO_BYTES, NO_BYTES);
  moduleRoot: Root = new Root(NO_BYTES, NO_BYTES);
  /** Id of the other half of this device; empty until paired. */
  counterpart: Bytes = NO_BYTES;

  get isCertified(): bool {
    return this.life >= Life.CERTIFIED;
  }

  /** The root under which this module's own certificate hangs. */
  get ownRoot(): Root {
    return isAgentRole(this.certificate.role) ? this.agentRoot : this.moduleRoot;
  }

  /** The root under which certificates of `role` hang. */
  rootOf(role: u8): Root {
    return role >= Role.TRANSACTION ? this.moduleRoot : this.agentRoot;
  }

  /** Takes everything that is not secret from the journal; at boot, before any message. */
  load(): void {
    if (journal.lengthOf(KIND, KEY_SECRETS) != KEYS_SIZE) return;
    this.readPublicKeys();
    this.life = Life.KEYED;
    const chain = this.chain();
    const roots = journal.load(KIND, KEY_ROOTS);
    if (chain == null || roots == null) return;
    const own = new Chain();
    if (!own.read(pointerOf(chain), chain.length)) return;
    this.certificate = own.holder;
    const reader = new CborReader(pointerOf(roots), roots.length);
    this.agentRoot = Root.read(reader);
    this.moduleRoot = Root.read(reader);
    if (!reader.atEnd()) return;
    this.life = Life.CERTIFIED;
    if (journal.lengthOf(KIND, KEY_PAIRING) != PAIRING_SIZE) return;
    const counterpart = new StaticArray<u8>(8);
    if (!journal.read(KIND, KEY_PAIRING, 0, pointerOf(counterpart), 8)) return;
    this.counterpart = counterpart;
    this.life = Life.PAIRED;
  }

  /** The own chain as it is sent, or null before certification. */
  chain(): Bytes | null {
    return journal.load(KIND, KEY_CHAIN);
  }

  /**
   * Draws both key pairs, unless there are some already: keys are made once, so that a repeated
   * command cannot orphan a certificate. Reason 0, 6 or 8.
   */
  makeKeys(): i32 {
    if (this.life != Life.BLANK) return Reason.NONE;
    const keys = new StaticArray<u8>(KEYS_SIZE);
    const pointer = pointerOf(keys);
    if (random(pointer, SECRETS_SIZE) != 0) return Reason.NO_RANDOM;
    ed25519PublicKey(pointer + 64, pointer);
    x25519PublicKey(pointer + 96, pointer + 32);
    journal.begin();
    journal.put(KIND, KEY_SECRETS, pointer, KEYS_SIZE);
    const isKept = journal.commit(true);
    wipe(pointer, KEYS_SIZE);
    if (!isKept) return Reason.JOURNAL_FULL;
    this.readPublicKeys();
    this.life = Life.KEYED;
    return Reason.NONE;
  }

  /**
   * Proves possession of both keys: opens the box with the sealing key and signs what was in it.
   * The COSE_Sign1, or null if the box does not open or there are no keys.
   */
  prove(box: usize, length: i32): Bytes | null {
    if (this.life == Life.BLANK || length != NONCE_SIZE + 48) return null;
    const nonce = new StaticArray<u8>(NONCE_SIZE);
    if (!this.open(Purpose.POSSESSION, 0, 0, box, length, pointerOf(nonce))) return null;
    const payload = new StaticArray<u8>(112);
    const writer = new CborWriter(pointerOf(payload), payload.length);
    writer.array(3);
    writer.bytesFrom(nonce);
    writer.bytesFrom(this.signingKey);
    writer.bytesFrom(this.sealingKey);
    return this.sign(Purpose.POSSESSION, writer.pointer, writer.length);
  }

  /**
   * Takes [ chain, agent-root, module-root ] for a module of `role`. A renewal must keep id,
   * device, role and roots: money and tickets name them. Reason 0, 1, 4, 6, 10, 11 or 15.
   */
  install(role: u8, reader: CborReader): i32 {
    if (this.life == Life.BLANK) return Reason.NOT_CERTIFIED;
    if (!reader.raw()) return Reason.MALFORMED;
    const chainPointer = reader.viewPointer;
    const chainLength = reader.viewLength;
    const agentRoot = Root.read(reader);
    const moduleRoot = Root.read(reader);
    const chain = new Chain();
    if (!reader.atEnd() || !chain.read(chainPointer, chainLength)) return Reason.MALFORMED;
    const own = chain.holder;
    if (own.role != role) return Reason.WRONG_ROLE;
    // The certificate's own date stands in for the clock of a board that has none yet.
    const seconds = max(nowSeconds(), own.issued);
    const root = isAgentRole(role) ? agentRoot : moduleRoot;
    const reason = chain.verify(chainPointer, chainLength, seconds, root);
    if (reason != Reason.NONE) return reason;
    if (!this.acceptsAsOwn(own, agentRoot, moduleRoot)) return Reason.CERTIFICATE_INVALID;
    const roots = new StaticArray<u8>(96);
    const writer = new CborWriter(pointerOf(roots), roots.length);
    agentRoot.write(writer);
    moduleRoot.write(writer);
    journal.begin();
    journal.put(KIND, KEY_CHAIN, chainPointer, chainLength);
    journal.put(KIND, KEY_ROOTS, writer.pointer, writer.length);
    if (!journal.commit(true)) return Reason.JOURNAL_FULL;
    this.certificate = own;
    this.agentRoot = agentRoot;
    this.moduleRoot = moduleRoot;
    if (this.life == Life.KEYED) this.life = Life.CERTIFIED;
    return raiseFloor(own.issued) ? Reason.NONE : Reason.JOURNAL_FULL;
  }

  /** Signs `length` bytes of payload at `payload`: the whole COSE_Sign1, kid = own reference. */
  sign(purpose: Bytes, payload: usize, length: i32): Bytes | null {
    if (!this.loadSecrets()) return null;
    const kid: Bytes | null = this.isCertified ? this.certificate.reference : null;
    const object = coseSign(purpose, payload, length, kid, secrets, pointerOf(this.signingKey));
    wipe(secrets, SECRETS_SIZE);
    return object;
  }

  /** Writes the 64-byte signature alone of what `sign` would sign; whether it could. */
  signature(purpose: Bytes, payload: usize, length: i32, output: usize): bool {
    if (!this.loadSecrets()) return false;
    coseSignature(purpose, payload, length, secrets, pointerOf(this.signingKey), output);
    wipe(secrets, SECRETS_SIZE);
    return true;
  }

  /** Opens an HPKE box (`length` bytes, 48 more than what is inside) sealed to the own key. */
  open(info: Bytes, aad: usize, aadLength: i32, box: usize, length: i32, output: usize): bool {
    if (!this.loadSecrets()) return false;
    const key = pointerOf(this.sealingKey);
    const infoAt = pointerOf(info);
    const secret = secrets + 32;
    const isOpen = hpkeOpen(output, secret, key, infoAt, info.length, aad, aadLength, box, length);
    wipe(secrets, SECRETS_SIZE);
    return isOpen;
  }

  /** Keeps the secret (32 bytes) shared with the other half of this device; whether it could. */
  storePairing(counterpart: Bytes, secret: usize): bool {
    const record = new StaticArray<u8>(PAIRING_SIZE);
    const pointer = pointerOf(record);
    memory.copy(pointer, pointerOf(counterpart), 8);
    memory.copy(pointer + 8, secret, 32);
    journal.begin();
    journal.put(KIND, KEY_PAIRING, pointer, PAIRING_SIZE);
    const isKept = journal.commit(true);
    wipe(pointer, PAIRING_SIZE);
    if (!isKept) return false;
    this.counterpart = counterpart;
    this.life = Life.PAIRED;
    return true;
  }

  /**
   * Copies the 32-byte pairing secret to `output`, which the caller wipes; whether there is one.
   */
  readPairing(output: usize): bool {
    return this.life == Life.PAIRED && journal.read(KIND, KEY_PAIRING, 8, output, 32);
  }

  private acceptsAsOwn(own: Certificate, agentRoot: Root, moduleRoot: Root): bool {
    if (!bytesEqual(own.signingKey, this.signingKey)) return false;
    if (!bytesEqual(own.sealingKey, this.sealingKey)) return false;
    if (!this.isCertified) return true;
    return (
      bytesEqual(own.id, this.certificate.id) &&
      bytesEqual(own.device, this.certificate.device) &&
      agentRoot.equals(this.agentRoot) &&
      moduleRoot.equals(this.moduleRoot)
    );
  }

  private readPublicKeys(): void {
    const keys = new StaticArray<u8>(64);
    const pointer = pointerOf(keys);
    journal.read(KIND, KEY_SECRETS, SECRETS_SIZE, pointer, 64);
    this.signingKey = bytesOf(pointer, 32);
    this.sealingKey = bytesOf(pointer + 32, 32);
  }

  private loadSecrets(): bool {
    return this.life != Life.BLANK && journal.read(KIND, KEY_SECRETS, 0, secrets, SECRETS_SIZE);
  }
}

/** The one identity of this module. */
export const identity: Identity = new Identity();
