// SPDX-License-Identifier: Apache-2.0
// Objects that a server signs for the members under its root: [ COSE_Sign1, server certificate ]
// (docs/protocol.cddl section 2: lists and time).
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CoseSign1 } from "../codec/cose";
import { Certificate } from "./certificate";
import { isServerOf, namesSigner, serverReason } from "./chain";
import { identity } from "./identity";
import { Reason } from "./reasons";

export class ServerObject {
  private cose: CoseSign1 = new CoseSign1();
  private server: Certificate | null = null;

  /** Address and length of the payload, where it was read. */
  get payload(): usize {
    return this.cose.payloadPointer;
  }

  get payloadLength(): i32 {
    return this.cose.payloadLength;
  }

  /** Reads the object at `pointer` without verifying it; whether it is well formed. */
  read(pointer: usize, length: i32): bool {
    const reader = new CborReader(pointer, length);
    reader.arrayOf(2);
    if (!reader.raw() || !this.cose.parse(reader.viewPointer, reader.viewLength)) return false;
    if (!reader.raw() || !reader.atEnd()) return false;
    this.server = Certificate.read(reader.viewPointer, reader.viewLength);
    return this.server != null;
  }

  /**
   * Reason why the object, dated `seconds`, is not from a server of this module's root; 0 if it
   * is.
   */
  reason(purpose: Bytes, seconds: u64): i32 {
    const server = this.server;
    if (!identity.isCertified) return Reason.NOT_CERTIFIED;
    if (server == null || !isServerOf(server.role, identity.certificate.role)) {
      return Reason.CERTIFICATE_INVALID;
    }
    // The server's own date counts: a board without a clock takes its time from here.
    const reason = serverReason(server, seconds, identity.ownRoot);
    if (reason != Reason.NONE) return reason;
    const isSigned =
      namesSigner(this.cose, server) && this.cose.verify(purpose, pointerOf(server.signingKey));
    return isSigned ? Reason.NONE : Reason.CERTIFICATE_INVALID;
  }
}
