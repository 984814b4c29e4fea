// SPDX-License-Identifier: Apache-2.0
// Chains of exactly three: the agency's root, a server, a holder (steps 306 and 1482; Fig. 3 of the
// patent names the servers). The root is known; the other two certificates are sent.
import { Bytes, bytesEqual, equalAt, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { CoseSign1 } from "../codec/cose";
import { Certificate } from "./certificate";
import { Reason } from "./reasons";
import { isAgentRole, isModuleRole, isServerRole, Role, sameRoot } from "./roles";

/** An agency's root: its 8-byte id and 32-byte Ed25519 key. */
export class Root {
  id: Bytes;
  key: Bytes;

  constructor(id: Bytes, key: Bytes) {
    this.id = id;
    this.key = key;
  }

  /** Reads [ id, key ]; look at `reader.failed` before use. */
  static read(reader: CborReader): Root {
    reader.arrayOf(2);
    const id = reader.bytesExact(8);
    return new Root(id, reader.bytesExact(32));
  }

  /** Writes [ id, key ]. */
  write(writer: CborWriter): void {
    writer.array(2);
    writer.bytesFrom(this.id);
    writer.bytesFrom(this.key);
  }

  equals(other: Root): bool {
    return bytesEqual(this.id, other.id) && bytesEqual(this.key, other.key);
  }
}

/**
 * Whether an object's kid is the signer's certificate. It is only a hint, but it is not signed: a
 * wrong or missing one would be a second spelling of the same object.
 */
export function namesSigner(object: CoseSign1, signer: Certificate): bool {
  return object.kidPointer != 0 && equalAt(signer.reference, object.kidPointer);
}

/** Reason why `server` may not issue certificates under `root` at `seconds`; 0 if it may. */
export function serverReason(server: Certificate, seconds: u64, root: Root): i32 {
  // A root has no certificate that a kid could name.
  const isRoots = server.object.kidPointer == 0 && bytesEqual(server.issuer, root.id);
  if (!isRoots || !isServerRole(server.role)) return Reason.CERTIFICATE_INVALID;
  const reason = server.reasonAt(seconds);
  if (reason != Reason.NONE) return reason;
  return server.isSignedBy(pointerOf(root.key)) ? Reason.NONE : Reason.CERTIFICATE_INVALID;
}

/**
 * Reason why `holder`, certified by `server` under `root`, was not valid at `seconds`; 0 if it was.
 * Cheap checks come before signatures.
 */
export function pairReason(
  holder: Certificate,
  server: Certificate,
  seconds: u64,
  root: Root,
): i32 {
  if (!isAgentRole(holder.role) && !isModuleRole(holder.role)) return Reason.CERTIFICATE_INVALID;
  if (!sameRoot(holder.role, server.role)) return Reason.CERTIFICATE_INVALID;
  if (!bytesEqual(holder.issuer, server.id)) return Reason.CERTIFICATE_INVALID;
  const dates = holder.reasonAt(seconds);
  if (dates != Reason.NONE) return dates;
  const reason = serverReason(server, seconds, root);
  if (reason != Reason.NONE) return reason;
  const isSigned =
    namesSigner(holder.object, server) && holder.isSignedBy(pointerOf(server.signingKey));
  return isSigned ? Reason.NONE : Reason.CERTIFICATE_INVALID;
}

/** A chain as it is sent: [ holder's certificate, its server's ]. */
export class Chain {
  holder: Certificate = new Certificate();
  server: Certificate = new Certificate();

  /** Reads both certificates without verifying them; whether they are well formed. */
  read(pointer: usize, length: i32): bool {
    const reader = new CborReader(pointer, length);
    reader.arrayOf(2);
    if (!reader.raw()) return false;
    const holder = Certificate.read(reader.viewPointer, reader.viewLength);
    if (!reader.raw() || !reader.atEnd()) return false;
    const server = Certificate.read(reader.viewPointer, reader.viewLength);
    if (holder == null || server == null) return false;
    this.holder = holder;
    this.server = server;
    return true;
  }

  /**
   * Reads and verifies the chain at `pointer` for use at `seconds`: the reason, 0 if it is good.
   */
  verify(pointer: usize, length: i32, seconds: u64, root: Root): i32 {
    if (!this.read(pointer, length)) return Reason.CERTIFICATE_INVALID;
    return pairReason(this.holder, this.server, seconds, root);
  }
}

/** Whether a server of this role signs the lists and the time of holders of `role`. */
export function isServerOf(serverRole: u8, role: u8): bool {
  return serverRole == (role >= Role.TRANSACTION ? Role.MODULE_SERVER : Role.AGENT_SERVER);
}
