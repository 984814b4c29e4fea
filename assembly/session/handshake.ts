// SPDX-License-Identifier: Apache-2.0
// Establish Session: Fig. 8 for agents, Fig. 14 for money modules, and the same messages M1 to M3
// for pairing (docs/protocol.cddl section 3). M4 is the first record; session.ts has it.
//
// Each method takes one message or composes one as the body in the outbox, and returns a reason, 0
// if all is well. Nothing outside this object changes before the handshake is over.
import { random, step } from "../board";
import { Bytes, bytesEqual, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { equalConstantTime, wipe } from "../crypto/bytes";
import { hkdfExtract } from "../crypto/hkdf";
import { HPKE_OVERHEAD, hpkeSeal } from "../crypto/hpke";
import { SHA256_STATE_SIZE, sha256Begin, sha256End, sha256Update } from "../crypto/sha256";
import { x25519, x25519PublicKey } from "../crypto/x25519";
import { Certificate } from "../trust/certificate";
import { Chain, Root } from "../trust/chain";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { isListed } from "../trust/revocationList";
import { isAgentRole, isModuleRole, Role } from "../trust/roles";
import { nowSeconds, toldMs } from "../trust/signedTime";
import { BODY_LIMIT, composeBody, scratchAfter } from "./buffers";
import { KeyNumber, SESSION_INFO, sessionKey } from "./keySchedule";
import { Label, Path } from "./path";

const VERSION: u64 = 1;
/** Clocks of two money modules may differ by this (1530, 1550; protocol rule 2). */
const CLOCK_WINDOW_MS: u64 = 600000;
/** Latest time that is read; keeps sums within 64 bits. */
export const TIME_MAX_MS: u64 = 253402300799999;
const VERIFICATION_SIZE: i32 = 16;
const M3_PLAIN_LIMIT: i32 = 128;

// Own secrets of one handshake, drawn at once: R, V and the one-time key.
const RANDOM_AT: usize = 0;
const VERIFICATION_AT: usize = 32;
const EPHEMERAL_AT: usize = 48;
const SECRETS_SIZE: i32 = 80;

const hashState: usize = memory.data(SHA256_STATE_SIZE, 8);
const hash: usize = memory.data(32, 8);
const sealSecret: usize = memory.data(32, 8);
const lengthBytes: usize = memory.data(4, 4);
// R(A) xor R(B), the shared point, and the exporter of the agents' session.
const keyMaterial: usize = memory.data(96, 8);
const prk: usize = memory.data(32, 8);

const NO_BYTES: Bytes = new StaticArray<u8>(0);

export class Handshake {
  peer: Certificate = new Certificate();
  /** What the peer's clock showed, milliseconds since 1970; 0 if it did not know. */
  peerTimeMs: u64 = 0;
  /** Own and peer's verification message V, 16 bytes each. */
  peerVerification: Bytes = NO_BYTES;
  /** Keys of both directions and the exporter, 32 bytes each, once M3 is there. */
  sendKey: Bytes = NO_BYTES;
  receiveKey: Bytes = NO_BYTES;
  exporter: Bytes = NO_BYTES;

  private label: u8;
  private mixIn: Bytes | null;
  private secrets: Bytes = new StaticArray<u8>(SECRETS_SIZE);
  private peerRandom: Bytes = NO_BYTES;
  private peerEphemeral: Bytes = NO_BYTES;
  private transcript: Bytes = new StaticArray<u8>(SHA256_STATE_SIZE);
  private hashOfM1: Bytes = new StaticArray<u8>(32);

  constructor(path: Path) {
    this.label = path.label;
    this.mixIn = path.mixIn;
    sha256Begin(pointerOf(this.transcript));
  }

  /** Composes M1 [ version, label, chain, e-A ]. */
  composeM1(): i32 {
    this.mark(296, 1464);
    const chain = identity.chain();
    this.mark(298, 0);
    if (!identity.isCertified || chain == null) return Reason.NOT_CERTIFIED;
    if (!this.drawSecrets()) return Reason.NO_RANDOM;
    const writer = composeBody();
    writer.array(4);
    writer.uint(VERSION);
    writer.uint(<u64>this.label);
    writer.rawFrom(chain);
    this.writeEphemeral(writer);
    // No network server stands between modules here: the host is not asked for one (1466).
    this.mark(0, 1466);
    this.takeM1(writer.pointer, writer.length);
    this.mark(300, 1476);
    return Reason.NONE;
  }

  /** Takes M1 and judges the peer's certificate. */
  receiveM1(pointer: usize, length: i32): i32 {
    this.mark(302, 1480);
    if (!identity.isCertified) return Reason.NOT_CERTIFIED;
    const reader = new CborReader(pointer, length);
    if (!reader.arrayOf(4)) return Reason.MALFORMED;
    const version = reader.u64();
    if (!reader.failed && version != VERSION) return Reason.WRONG_VERSION;
    if (reader.u64() != <u64>this.label) return Reason.MALFORMED;
    reader.raw();
    const chainPointer = reader.viewPointer;
    const chainLength = reader.viewLength;
    this.mark(304, 0);
    this.peerEphemeral = reader.bytesExact(32);
    if (!reader.atEnd()) return Reason.MALFORMED;
    this.mark(306, 1482);
    const chain = new Chain();
    const reason = this.judge(chain, chainPointer, chainLength);
    this.mark(308, 1484);
    if (reason != Reason.NONE) return reason;
    this.mark(314, 1494);
    const isBad = this.isOnList(chain);
    this.mark(316, 1496);
    if (isBad) return Reason.PEER_LISTED;
    this.takeM1(pointer, length);
    return Reason.NONE;
  }

  /** Composes M2: own random number, verification message, chain, one-time key and time, sealed. */
  composeM2(): i32 {
    const chain = identity.chain();
    if (chain == null) return Reason.NOT_CERTIFIED;
    this.mark(318, 1498);
    if (!this.drawSecrets()) return Reason.NO_RANDOM;
    this.mark(0, 1500);
    this.mark(320, 1502);
    // The plain text lies at the far end of the outbox, where the sealed one will not reach.
    const plain = scratchAfter(BODY_LIMIT / 2);
    const writer = new CborWriter(plain, BODY_LIMIT / 2);
    writer.array(5);
    writer.bytes(this.secretAt(RANDOM_AT), 32);
    writer.bytes(this.secretAt(VERIFICATION_AT), VERIFICATION_SIZE);
    writer.rawFrom(chain);
    this.writeEphemeral(writer);
    writer.uint(toldMs());
    this.mark(322, 1504);
    return this.sealBody(writer, pointerOf(this.hashOfM1));
  }

  /** Opens M2 and judges the peer's certificate and, between modules, its clock. */
  receiveM2(pointer: usize, length: i32): i32 {
    this.mark(326, 1508);
    if (length <= HPKE_OVERHEAD || length > BODY_LIMIT / 2) return Reason.MALFORMED;
    const plain = scratchAfter(0);
    this.mark(328, 1510);
    const aad = pointerOf(this.hashOfM1);
    if (!identity.open(SESSION_INFO, aad, 32, pointer, length, plain)) return Reason.BOX_INVALID;
    const reason = this.readM2(plain, length - HPKE_OVERHEAD);
    wipe(plain, length);
    this.extendTranscript(pointer, length);
    return reason;
  }

  /** Composes M3 [ V-A, V-B, time, R-A ], sealed, and makes the keys. */
  composeM3(): i32 {
    const plain = scratchAfter(BODY_LIMIT / 2);
    const writer = new CborWriter(plain, M3_PLAIN_LIMIT);
    this.mark(340, 1532);
    writer.array(4);
    writer.bytes(this.secretAt(VERIFICATION_AT), VERIFICATION_SIZE);
    writer.bytesFrom(this.peerVerification);
    this.mark(342, 0);
    writer.uint(toldMs());
    writer.bytes(this.secretAt(RANDOM_AT), 32);
    this.transcriptHash(hash);
    this.mark(346, 1536);
    const reason = this.sealBody(writer, hash);
    if (reason != Reason.NONE) return reason;
    this.mark(344, 1534);
    return this.makeKeys(true) ? Reason.NONE : Reason.MALFORMED;
  }

  /** Opens M3, compares the own verification message and, between modules, clocks; makes the keys. */
  receiveM3(pointer: usize, length: i32): i32 {
    this.mark(350, 1540);
    if (length <= HPKE_OVERHEAD || length > M3_PLAIN_LIMIT + HPKE_OVERHEAD) {
      return Reason.MALFORMED;
    }
    this.transcriptHash(hash);
    const plain = scratchAfter(0);
    this.mark(352, 1542);
    if (!identity.open(SESSION_INFO, hash, 32, pointer, length, plain)) return Reason.BOX_INVALID;
    const reason = this.readM3(plain, length - HPKE_OVERHEAD);
    wipe(plain, length);
    if (reason != Reason.NONE) return reason;
    this.extendTranscript(pointer, length);
    this.mark(360, 1548);
    return this.makeKeys(false) ? Reason.NONE : Reason.MALFORMED;
  }

  /** Whether 16 bytes at `pointer` are the own verification message (354, 370, 1544, 1560). */
  isOwnVerification(pointer: usize): bool {
    return equalConstantTime(pointer, this.secretAt(VERIFICATION_AT), VERIFICATION_SIZE);
  }

  /** Forgets every secret of the handshake; the session's keys belong to the session. */
  wipeSecrets(): void {
    wipe(pointerOf(this.secrets), SECRETS_SIZE);
    wipe(pointerOf(this.peerRandom), this.peerRandom.length);
    wipe(pointerOf(this.transcript), SHA256_STATE_SIZE);
  }

  /** Reason why the peer's clock is too far from the own one; agents only record it. */
  private clockReason(): i32 {
    if (this.label == Label.AGENT || this.label == Label.PAIR) return Reason.NONE;
    const own = toldMs();
    // A board without a clock cannot compare; its floor of signed time still bounds what it takes.
    if (own == 0 || this.peerTimeMs == 0) return Reason.NONE;
    const apart = own > this.peerTimeMs ? own - this.peerTimeMs : this.peerTimeMs - own;
    return apart > CLOCK_WINDOW_MS ? Reason.CLOCKS_DIFFER : Reason.NONE;
  }

  private readM2(pointer: usize, length: i32): i32 {
    const reader = new CborReader(pointer, length);
    reader.arrayOf(5);
    this.peerRandom = reader.bytesExact(32);
    this.peerVerification = reader.bytesExact(VERIFICATION_SIZE);
    reader.raw();
    const chainPointer = reader.viewPointer;
    const chainLength = reader.viewLength;
    this.peerEphemeral = reader.bytesExact(32);
    this.peerTimeMs = reader.uintAtMost(TIME_MAX_MS);
    if (!reader.atEnd()) return Reason.MALFORMED;
    this.mark(0, 1512);
    const chain = new Chain();
    const reason = this.judge(chain, chainPointer, chainLength);
    this.mark(330, 1514);
    if (reason != Reason.NONE) return reason;
    this.mark(336, 1524);
    const isBad = this.isOnList(chain);
    this.mark(338, 1526);
    if (isBad) return Reason.PEER_LISTED;
    this.mark(0, 1528);
    const clocks = this.clockReason();
    this.mark(0, 1530);
    return clocks;
  }

  private readM3(pointer: usize, length: i32): i32 {
    const reader = new CborReader(pointer, length);
    reader.arrayOf(4);
    this.peerVerification = reader.bytesExact(VERIFICATION_SIZE);
    const returned = reader.bytesExact(VERIFICATION_SIZE);
    this.peerTimeMs = reader.uintAtMost(TIME_MAX_MS);
    this.peerRandom = reader.bytesExact(32);
    if (!reader.atEnd()) return Reason.MALFORMED;
    this.mark(354, 1544);
    const isOwn = this.isOwnVerification(pointerOf(returned));
    this.mark(356, 1546);
    if (!isOwn) return Reason.WRONG_VERIFICATION;
    const clocks = this.clockReason();
    this.mark(0, 1550);
    return clocks;
  }

  /** Verifies a chain and that its holder may have a session of this label with this module. */
  private judge(chain: Chain, pointer: usize, length: i32): i32 {
    const reason = chain.verify(pointer, length, nowSeconds(), this.peerRoot());
    if (reason != Reason.NONE) return reason;
    const peer = chain.holder;
    // Protocol rule 2: nobody has a session with itself, however its messages were turned round.
    if (bytesEqual(peer.id, identity.certificate.id)) return Reason.CERTIFICATE_INVALID;
    if (!this.roleFits(peer)) return Reason.WRONG_ROLE;
    this.peer = peer;
    return Reason.NONE;
  }

  private peerRoot(): Root {
    const isAgent = isAgentRole(identity.certificate.role);
    const wantsAgent = this.label == Label.PAIR ? !isAgent : this.label == Label.AGENT;
    return wantsAgent ? identity.agentRoot : identity.moduleRoot;
  }

  private roleFits(peer: Certificate): bool {
    const own = identity.certificate;
    if (this.label == Label.AGENT) return isAgentRole(own.role) && isAgentRole(peer.role);
    if (this.label == Label.PAIR) {
      const isOtherHalf = isAgentRole(own.role) ? isModuleRole(peer.role) : isAgentRole(peer.role);
      return isOtherHalf && bytesEqual(own.device, peer.device);
    }
    if (!isModuleRole(own.role) || !isModuleRole(peer.role)) return false;
    // Two transaction modules meet only through their agents, who know what the money is for.
    return (
      this.label == Label.MODULE || own.role != Role.TRANSACTION || peer.role != Role.TRANSACTION
    );
  }

  /** Looks the peer and its server up in the untrusted list or the bad id list. */
  private isOnList(chain: Chain): bool {
    // The stored list is of the own kind: an agent holds no list of modules, nor the reverse.
    if (this.label == Label.PAIR) return false;
    return isListed(chain.holder.id) || isListed(chain.server.id);
  }

  private drawSecrets(): bool {
    return random(pointerOf(this.secrets), SECRETS_SIZE) == 0;
  }

  private secretAt(offset: usize): usize {
    return pointerOf(this.secrets) + offset;
  }

  private writeEphemeral(writer: CborWriter): void {
    x25519PublicKey(hash, this.secretAt(EPHEMERAL_AT));
    writer.bytes(hash, 32);
  }

  /** Seals what `writer` holds to the peer, as the body in the outbox, and wipes it. */
  private sealBody(writer: CborWriter, aad: usize): i32 {
    assert(!writer.overflow);
    const body = composeBody();
    const length = writer.length + HPKE_OVERHEAD;
    const key = pointerOf(this.peer.sealingKey);
    let isSealed = random(sealSecret, 32) == 0;
    if (isSealed) {
      isSealed = hpkeSeal(
        body.pointer,
        key,
        pointerOf(SESSION_INFO),
        SESSION_INFO.length,
        aad,
        32,
        writer.pointer,
        writer.length,
        sealSecret,
      );
    }
    wipe(writer.pointer, writer.length);
    if (!isSealed) return Reason.NO_RANDOM;
    body.raw(body.pointer, length);
    this.extendTranscript(body.pointer, length);
    return Reason.NONE;
  }

  private takeM1(pointer: usize, length: i32): void {
    this.extendTranscript(pointer, length);
    sha256Begin(hashState);
    sha256Update(hashState, pointer, length);
    sha256End(hashState, pointerOf(this.hashOfM1));
  }

  /** Adds L(message) and the message, so that no two transcripts run into one another. */
  private extendTranscript(pointer: usize, length: i32): void {
    store<u32>(lengthBytes, bswap<u32>(<u32>length));
    sha256Update(pointerOf(this.transcript), lengthBytes, 4);
    sha256Update(pointerOf(this.transcript), pointer, length);
  }

  private transcriptHash(output: usize): void {
    memory.copy(hashState, pointerOf(this.transcript), SHA256_STATE_SIZE);
    sha256End(hashState, output);
  }

  /** Derives keys and exporter; false where the key agreement gives all zeros. */
  private makeKeys(isInitiator: bool): bool {
    for (let index: usize = 0; index < 32; index++) {
      const own = load<u8>(this.secretAt(RANDOM_AT) + index);
      store<u8>(keyMaterial + index, own ^ load<u8>(pointerOf(this.peerRandom) + index));
    }
    const point = keyMaterial + 32;
    if (!x25519(point, this.secretAt(EPHEMERAL_AT), pointerOf(this.peerEphemeral))) {
      wipe(keyMaterial, 96);
      return false;
    }
    const mixIn = this.mixIn;
    if (mixIn != null) memory.copy(keyMaterial + 64, pointerOf(mixIn), 32);
    this.transcriptHash(hash);
    hkdfExtract(hash, 32, keyMaterial, mixIn != null ? 96 : 64, prk);
    wipe(keyMaterial, 96);
    const own = identity.certificate.id;
    const idA = isInitiator ? own : this.peer.id;
    const idB = isInitiator ? this.peer.id : own;
    const forward = sessionKey(prk, this.label, idA, idB, KeyNumber.A_TO_B);
    const back = sessionKey(prk, this.label, idA, idB, KeyNumber.B_TO_A);
    this.sendKey = isInitiator ? forward : back;
    this.receiveKey = isInitiator ? back : forward;
    this.exporter = sessionKey(prk, this.label, idA, idB, KeyNumber.EXPORTER);
    wipe(prk, 32);
    return true;
  }

  private mark(agentStep: i32, moduleStep: i32): void {
    if (this.label == Label.AGENT) {
      if (agentStep != 0) step(agentStep);
    } else if (this.label != Label.PAIR) {
      if (moduleStep != 0) step(moduleStep);
    }
  }
}
