// SPDX-License-Identifier: Apache-2.0
// Objects that a server signs for the members under its root: [ COSE_Sign1, server certificate ]
// (docs/protocol.cddl section 2: lists and time). A list is longer than other signed objects, so
// its Sig_structure (RFC 9052, section 4.4) is completed where the payload stands.
import { pointerOf } from "../codec/bytes";
import { Bytes } from "../codec/bytes";
import { Major, storeHead } from "../codec/cborHead";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { CoseSign1 } from "../codec/cose";
import { ed25519Verify } from "../crypto/ed25519";
import { Certificate } from "./certificate";
import { isServerOf, serverReason } from "./chain";
import { identity } from "./identity";
import { Reason } from "./reasons";

/** Head of every Sig_structure here: array of 4, "Signature1", h'a10127'. */
const STRUCTURE_HEAD: Bytes = [
  0x84, 0x6a, 0x53, 0x69, 0x67, 0x6e, 0x61, 0x74, 0x75, 0x72, 0x65, 0x31, 0x43, 0xa1, 0x01, 0x27,
];
const HEAD_LIMIT: i32 = 48;
const head: usize = memory.data(48);
const lengthHead: usize = memory.data(16);

export class ServerObject {
  payload: usize = 0;
  payloadLength: i32 = 0;

  private signature: usize = 0;
  private server: Certificate | null = null;

  /** Reads the object at `pointer` without verifying it; whether it is well formed. */
  read(pointer: usize, length: i32): bool {
    const reader = new CborReader(pointer, length);
    reader.arrayOf(2);
    if (!reader.raw()) return false;
    const cose = new CoseSign1();
    if (!cose.parse(reader.viewPointer, reader.viewLength)) return false;
    if (!reader.raw() || !reader.atEnd()) return false;
    this.server = Certificate.read(reader.viewPointer, reader.viewLength);
    this.payload = cose.payloadPointer;
    this.payloadLength = cose.payloadLength;
    this.signature = cose.signaturePointer;
    return this.server != null;
  }

  /**
   * Reason why the object, dated `seconds`, is not from a server of this module's root; 0 if it is.
   * The 32 bytes in front of the object may be overwritten: the structure's head goes there.
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
    const writer = new CborWriter(head, HEAD_LIMIT);
    writer.rawFrom(STRUCTURE_HEAD);
    writer.bytesFrom(purpose);
    writer.raw(lengthHead, storeHead(lengthHead, Major.BYTES, <u64>this.payloadLength));
    const start = this.payload - <usize>writer.length;
    memory.copy(start, head, writer.length);
    const length = writer.length + this.payloadLength;
    const isSigned = ed25519Verify(this.signature, start, length, pointerOf(server.signingKey));
    return isSigned ? Reason.NONE : Reason.CERTIFICATE_INVALID;
  }
}
