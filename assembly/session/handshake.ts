// SPDX-License-Identifier: Apache-2.0
// Establish Session: Fig. 8 for agents, Fig. 14 for money modules, and the same messages M1 to M4
// for pairing (docs/protocol.cddl section 3). M4 is sent as the session's first record.
//
// Each method takes one message or composes one as the body in the outbox, and returns a reason, 0
// if all is well. Nothing outside this object changes before the handshake is over.
import { random } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { equalConstantTime, wipe } from "../crypto/bytes";
import { hkdfExtract } from "../crypto/hkdf";
import { HPKE_OVERHEAD, hpkeSeal } from "../crypto/hpke";
import { sha256 } from "../crypto/sha256";
import { x25519, x25519PublicKey } from "../crypto/x25519";
import { Certificate } from "../trust/certificate";
import { Chain } from "../trust/chain";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { toldMs } from "../trust/signedTime";
import { BODY_LIMIT, composeBody, scratchAfter } from "./buffers";
import { markStep } from "./figureSteps";
import { KeyNumber, SESSION_INFO, sessionKey } from "./keySchedule";
import { Path } from "./path";
import { clockReason, isPeerListed, judgePeer } from "./peerJudgement";
import { Transcript } from "./transcript";

const VERSION: u64 = 1;
/** Latest time that is read; keeps sums within 64 bits. */
const TIME_MAX_MS: u64 = 253402300799999;
const VERIFICATION_SIZE: i32 = 16;
const M3_PLAIN_LIMIT: i32 = 128;

// Own secrets of one handshake: R, V and the one-time key.
const RANDOM_AT: usize = 0;
const VERIFICATION_AT: usize = 32;
const EPHEMERAL_AT: usize = 48;
const SECRETS_SIZE: usize = 80;

const hash: usize = memory.data(32, 8);
const sealSecret: usize = memory.data(32, 8);
// R(A) xor R(B), the shared point, and the exporter of the agents' session.
const keyMaterial: usize = memory.data(96, 8);
const prk: usize = memory.data(32, 8);

const NO_BYTES: Bytes = new StaticArray<u8>(0);

export class Handshake {
  peer: Certificate = new Certificate();
  /** What the peer's clock showed, milliseconds since 1970; 0 if it did not know. */
  peerTimeMs: u64 = 0;
  /** Keys of both directions and the exporter, 32 bytes each, once M3 is there. */
  sendKey: Bytes = NO_BYTES;
  receiveKey: Bytes = NO_BYTES;
  exporter: Bytes = NO_BYTES;

  private label: u8;
  private mixIn: Bytes | null;
  private secrets: Bytes = new StaticArray<u8>(<i32>SECRETS_SIZE);
  private peerRandom: Bytes = NO_BYTES;
  private peerVerification: Bytes = NO_BYTES;
  private peerEphemeral: Bytes = NO_BYTES;
  private transcript: Transcript = new Transcript();
  private hashOfM1: Bytes = new StaticArray<u8>(32);

  constructor(path: Path) {
    this.label = path.label;
    this.mixIn = path.mixIn;
  }

  /** Composes M1 [ version, label, chain, e-A ]. */
  composeM1(): i32 {
    markStep(this.label, 296, 1464);
    const chain = identity.chain();
    markStep(this.label, 298, 0);
    if (!identity.isCertified || chain == null) return Reason.NOT_CERTIFIED;
    if (!this.draw(EPHEMERAL_AT, SECRETS_SIZE)) return Reason.NO_RANDOM;
    const writer = composeBody();
    writer.array(4);
    writer.uint(VERSION);
    writer.uint(<u64>this.label);
    writer.rawFrom(chain);
    this.writeEphemeral(writer);
    this.takeM1(writer.pointer, writer.length);
    return Reason.NONE;
  }

  /** Takes M1 and judges the peer's certificate. */
  receiveM1(pointer: usize, length: i32): i32 {
    markStep(this.label, 302, 1480);
    if (!identity.isCertified) return Reason.NOT_CERTIFIED;
    const reader = new CborReader(pointer, length);
    if (!reader.arrayOf(4)) return Reason.MALFORMED;
    const version = reader.u64();
    if (!reader.failed && version != VERSION) return Reason.WRONG_VERSION;
    if (reader.u64() != <u64>this.label) return Reason.MALFORMED;
    reader.raw();
    const chainPointer = reader.viewPointer;
    const chainLength = reader.viewLength;
    markStep(this.label, 304, 0);
    this.peerEphemeral = reader.bytesExact(32);
    if (!reader.atEnd()) return Reason.MALFORMED;
    markStep(this.label, 306, 1482);
    const chain = new Chain();
    const reason = judgePeer(this.label, chain, chainPointer, chainLength);
    markStep(this.label, 308, 1484);
    if (reason != Reason.NONE) return reason;
    this.peer = chain.holder;
    markStep(this.label, 314, 1494);
    const isBad = isPeerListed(this.label, chain);
    markStep(this.label, 316, 1496);
    if (isBad) return Reason.PEER_LISTED;
    this.takeM1(pointer, length);
    return Reason.NONE;
  }

  /** Composes M2: own random number, verification message, chain, one-time key and time, sealed. */
  composeM2(): i32 {
    const chain = identity.chain();
    if (chain == null) return Reason.NOT_CERTIFIED;
    markStep(this.label, 318, 1498);
    if (!this.draw(RANDOM_AT, SECRETS_SIZE)) return Reason.NO_RANDOM;
    markStep(this.label, 0, 1500);
    const timeMs = toldMs();
    markStep(this.label, 320, 1502);
    // The plain text lies at the far end of the outbox, where the sealed one will not reach.
    const plain = scratchAfter(BODY_LIMIT / 2);
    const writer = new CborWriter(plain, BODY_LIMIT / 2);
    writer.array(5);
    writer.bytes(this.secretAt(RANDOM_AT), 32);
    writer.bytes(this.secretAt(VERIFICATION_AT), VERIFICATION_SIZE);
    writer.rawFrom(chain);
    this.writeEphemeral(writer);
    writer.uint(timeMs);
    markStep(this.label, 322, 1504);
    return this.sealBody(writer, pointerOf(this.hashOfM1));
  }

  /** Opens M2 and judges the peer's certificate and, between modules, its clock. */
  receiveM2(pointer: usize, length: i32): i32 {
    markStep(this.label, 326, 1508);
    if (length <= HPKE_OVERHEAD || length > BODY_LIMIT / 2) return Reason.MALFORMED;
    const plain = scratchAfter(0);
    markStep(this.label, 328, 1510);
    const aad = pointerOf(this.hashOfM1);
    if (!identity.open(SESSION_INFO, aad, 32, pointer, length, plain)) return Reason.BOX_INVALID;
    const reason = this.readM2(plain, length - HPKE_OVERHEAD);
    wipe(plain, length);
    this.transcript.extend(pointer, length);
    return reason;
  }

  /** Composes M3 [ V-A, V-B, time, R-A ], sealed, and makes the keys. */
  composeM3(): i32 {
    const plain = scratchAfter(BODY_LIMIT / 2);
    const writer = new CborWriter(plain, M3_PLAIN_LIMIT);
    markStep(this.label, 340, 1532);
    if (!this.draw(RANDOM_AT, EPHEMERAL_AT)) return Reason.NO_RANDOM;
    writer.array(4);
    writer.bytes(this.secretAt(VERIFICATION_AT), VERIFICATION_SIZE);
    writer.bytesFrom(this.peerVerification);
    markStep(this.label, 342, 0);
    writer.uint(toldMs());
    writer.bytes(this.secretAt(RANDOM_AT), 32);
    this.transcript.hash(hash);
    markStep(this.label, 346, 1536);
    const reason = this.sealBody(writer, hash);
    if (reason != Reason.NONE) return reason;
    markStep(this.label, 344, 1534);
    return this.makeKeys(true) ? Reason.NONE : Reason.MALFORMED;
  }

  /** Opens M3 and compares the own verification message. */
  receiveM3(pointer: usize, length: i32): i32 {
    markStep(this.label, 350, 1540);
    if (length <= HPKE_OVERHEAD || length > M3_PLAIN_LIMIT + HPKE_OVERHEAD) {
      return Reason.MALFORMED;
    }
    this.transcript.hash(hash);
    const plain = scratchAfter(0);
    markStep(this.label, 352, 1542);
    if (!identity.open(SESSION_INFO, hash, 32, pointer, length, plain)) return Reason.BOX_INVALID;
    const reason = this.readM3(plain, length - HPKE_OVERHEAD);
    wipe(plain, length);
    this.transcript.extend(pointer, length);
    return reason;
  }

  /** B, after M3: makes the keys and, between modules, compares clocks. */
  agreeKeys(): i32 {
    markStep(this.label, 360, 1548);
    if (!this.makeKeys(false)) return Reason.MALFORMED;
    const reason = clockReason(this.label, this.peerTimeMs);
    markStep(this.label, 0, 1550);
    if (reason != Reason.NONE) this.wipeKeys();
    return reason;
  }

  /** Composes M4 [ V-A, time ], which the keys seal. */
  composeM4(): void {
    markStep(this.label, 362, 0);
    const writer = composeBody();
    markStep(this.label, 364, 1554);
    writer.array(2);
    writer.bytesFrom(this.peerVerification);
    writer.uint(toldMs());
    markStep(this.label, 366, 1556);
  }

  /** Takes M4, opened, and compares the own verification message. */
  receiveM4(body: CborReader): i32 {
    markStep(this.label, 368, 1558);
    body.arrayOf(2);
    const returned = body.bytesExact(VERIFICATION_SIZE);
    this.peerTimeMs = body.uintAtMost(TIME_MAX_MS);
    markStep(this.label, 370, 1560);
    const isOwn = body.atEnd() && this.isOwnVerification(returned);
    markStep(this.label, 372, 1562);
    return isOwn ? Reason.NONE : Reason.WRONG_VERIFICATION;
  }

  /** Forgets every secret of the handshake; the session's keys belong to the session. */
  wipeSecrets(): void {
    wipe(pointerOf(this.secrets), <i32>SECRETS_SIZE);
    wipe(pointerOf(this.peerRandom), this.peerRandom.length);
    this.transcript.wipe();
  }

  /** Whether 16 bytes are the own verification message (354, 370, 1544, 1560). */
  private isOwnVerification(returned: Bytes): bool {
    const own = this.secretAt(VERIFICATION_AT);
    return equalConstantTime(pointerOf(returned), own, VERIFICATION_SIZE);
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
    markStep(this.label, 0, 1512);
    const chain = new Chain();
    const reason = judgePeer(this.label, chain, chainPointer, chainLength);
    markStep(this.label, 330, 1514);
    if (reason != Reason.NONE) return reason;
    this.peer = chain.holder;
    markStep(this.label, 336, 1524);
    const isBad = isPeerListed(this.label, chain);
    markStep(this.label, 338, 1526);
    if (isBad) return Reason.PEER_LISTED;
    markStep(this.label, 0, 1528);
    const clocks = clockReason(this.label, this.peerTimeMs);
    markStep(this.label, 0, 1530);
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
    markStep(this.label, 354, 1544);
    const isOwn = this.isOwnVerification(returned);
    markStep(this.label, 356, 1546);
    return isOwn ? Reason.NONE : Reason.WRONG_VERIFICATION;
  }

  /** Draws the secrets that lie from one offset to another. */
  private draw(from: usize, to: usize): bool {
    return random(this.secretAt(from), <i32>(to - from)) == 0;
  }

  /** Keys that no session took over. */
  private wipeKeys(): void {
    wipe(pointerOf(this.sendKey), 32);
    wipe(pointerOf(this.receiveKey), 32);
    wipe(pointerOf(this.exporter), 32);
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
    this.transcript.extend(body.pointer, length);
    return Reason.NONE;
  }

  private takeM1(pointer: usize, length: i32): void {
    this.transcript.extend(pointer, length);
    sha256(pointer, length, pointerOf(this.hashOfM1));
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
    this.transcript.hash(hash);
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
}
