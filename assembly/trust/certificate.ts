// SPDX-License-Identifier: Apache-2.0
// One certificate: CWT-style claims (RFC 8392) in a COSE_Sign1 (docs/protocol.cddl section 2).
// Reading checks form and claims; `isSignedBy` checks the signature, `reasonAt` the dates.
import { Bytes, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CoseSign1 } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { sha256 } from "../crypto/sha256";
import { isRemembered, remember } from "./certificateCache";
import { Reason } from "./reasons";
import { isAgentRole, isModuleRole, isServerRole, Role } from "./roles";

/** Longest certificate read: a full one takes about 230 bytes. */
export const CERTIFICATE_LIMIT: i32 = 512;
/** Clocks of honest devices differ by at most this (protocol section 2). */
export const CLOCK_WINDOW_SECONDS: u64 = 600;
/** Latest date that is still a sensible one (year 9999); keeps sums of dates within 64 bits. */
const DATE_MAX: u64 = 253402300799;

const EMPTY: Bytes = new StaticArray<u8>(0);

/** One reader for all claims: a packet of notes holds dozens of certificates. */
const claimsReader: CborReader = new CborReader(0, 0);

/** Reads `size` bytes into `kept` if it has that size, else into new bytes. */
function takeBytes(reader: CborReader, size: i32, kept: Bytes): Bytes {
  if (!reader.view() || reader.viewLength != size) {
    reader.failed = true;
    return kept;
  }
  const taken = kept.length == size ? kept : new StaticArray<u8>(size);
  memory.copy(pointerOf(taken), reader.viewPointer, <usize>size);
  return taken;
}

export class Certificate {
  /** 8 bytes each: the holder, and the server or root that signed. */
  id: Bytes = EMPTY;
  issuer: Bytes = EMPTY;
  role: u8 = 0;
  /** Seconds since 1970: valid from `issued` until before `expires`. */
  issued: u64 = 0;
  expires: u64 = 0;
  /** 8 bytes: the transaction device; empty for servers. */
  device: Bytes = EMPTY;
  /** Ed25519, 32 bytes. */
  signingKey: Bytes = EMPTY;
  /** X25519, 32 bytes; empty for servers. */
  sealingKey: Bytes = EMPTY;
  /** Name of the bank or registry, UTF-8; empty where there is none. */
  organisation: Bytes = EMPTY;
  /** The same where it lay when it was read; all there is of it after `reread`. */
  organisationPointer: usize = 0;
  organisationLength: i32 = 0;
  /** Whether the board has a monotonic counter. */
  hasCounter: bool = false;
  /** Rights of an authority: 1 cards of the organisation, 2 merchant credentials, 3 both. */
  rights: u32 = 0;
  /** SHA-256 of the whole encoded certificate, and its first 8 bytes. */
  hash: Bytes = EMPTY;
  reference: Bytes = EMPTY;

  /** The object it was read from; valid while those bytes stay in place. */
  object: CoseSign1 = new CoseSign1();

  /**
   * Reads the certificate at `pointer`; null if it is malformed. The bytes must stay in place until
   * `isSignedBy` was called.
   */
  static read(pointer: usize, length: i32): Certificate | null {
    const certificate = new Certificate();
    if (!certificate.reread(pointer, length)) return null;
    const size = certificate.organisationLength;
    if (size > 0) certificate.organisation = bytesOf(certificate.organisationPointer, size);
    return certificate;
  }

  /**
   * Like `read`, into this object, whose byte strings are overwritten: for who looks at many
   * certificates in turn and must leave no garbage. False if it is malformed.
   */
  reread(pointer: usize, length: i32): bool {
    if (length <= 0 || length > CERTIFICATE_LIMIT) return false;
    const object = this.object;
    if (!object.parse(pointer, length)) return false;
    claimsReader.restart(object.payloadPointer, object.payloadLength);
    if (!this.readClaims(claimsReader)) return false;
    if (this.hash.length == 0) {
      this.hash = new StaticArray<u8>(32);
      this.reference = new StaticArray<u8>(8);
    }
    sha256(pointer, length, pointerOf(this.hash));
    memory.copy(pointerOf(this.reference), pointerOf(this.hash), 8);
    return true;
  }

  /** Whether the signature was made by the 32-byte key at `issuerKey`. */
  isSignedBy(issuerKey: usize): bool {
    const hash = pointerOf(this.hash);
    if (isRemembered(hash, issuerKey)) return true;
    if (!this.object.verify(Purpose.CERTIFICATE, issuerKey)) return false;
    remember(hash, issuerKey);
    return true;
  }

  /** Whether the dates allow its use at `seconds`: reason 0, 10 (not yet) or 11 (expired). */
  reasonAt(seconds: u64): i32 {
    if (seconds >= this.expires) return Reason.CERTIFICATE_EXPIRED;
    // A clock that is a little behind the server's must not refuse a fresh certificate.
    if (this.issued > seconds + CLOCK_WINDOW_SECONDS) return Reason.CERTIFICATE_INVALID;
    return Reason.NONE;
  }

  private readClaims(reader: CborReader): bool {
    const count = reader.map();
    if (!reader.key(1)) return false;
    this.issuer = takeBytes(reader, 8, this.issuer);
    if (!reader.key(2)) return false;
    this.id = takeBytes(reader, 8, this.id);
    if (!reader.key(4)) return false;
    this.expires = reader.uintAtMost(DATE_MAX);
    if (!reader.key(6)) return false;
    this.issued = reader.uintAtMost(DATE_MAX);
    if (!reader.key(-1)) return false;
    this.role = <u8>reader.uintAtMost(<u64>Role.MODULE_SERVER);
    // Keys ascend, so the optional claims have their places too.
    let claims = 6;
    if (reader.keyIf(-2)) {
      this.device = takeBytes(reader, 8, this.device);
      claims++;
    } else {
      this.device = EMPTY;
    }
    if (!reader.key(-3)) return false;
    this.signingKey = takeBytes(reader, 32, this.signingKey);
    if (reader.keyIf(-4)) {
      this.sealingKey = takeBytes(reader, 32, this.sealingKey);
      claims++;
    } else {
      this.sealingKey = EMPTY;
    }
    this.organisation = EMPTY;
    this.organisationLength = 0;
    if (reader.keyIf(-5)) {
      if (!reader.viewText(48)) return false;
      this.organisationPointer = reader.viewPointer;
      this.organisationLength = reader.viewLength;
      claims++;
    }
    this.hasCounter = false;
    const saysCounter = reader.keyIf(-6);
    if (saysCounter) {
      this.hasCounter = reader.bool();
      claims++;
    }
    this.rights = 0;
    if (reader.keyIf(-7)) {
      this.rights = <u32>reader.uintAtMost(3);
      claims++;
    }
    if (!reader.atEnd() || claims != count || this.issued >= this.expires) return false;
    return this.claimsFitRole(saysCounter);
  }

  /** Exactly the claims of its role are there: nothing is left to be read two ways. */
  private claimsFitRole(saysCounter: bool): bool {
    const role = this.role;
    const isServer = isServerRole(role);
    if (!isServer && !isAgentRole(role) && !isModuleRole(role)) return false;
    if (isServer == (this.device.length == 8) || isServer == (this.sealingKey.length == 32)) {
      return false;
    }
    const isAuthority = role == Role.AUTHORITY;
    const actsForOne = isAuthority || role == Role.TELLER || role == Role.GENERATOR;
    return (
      isServer != saysCounter &&
      actsForOne == this.organisationLength > 0 &&
      isAuthority == this.rights > 0
    );
  }
}
