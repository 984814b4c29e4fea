// SPDX-License-Identifier: Apache-2.0
// The bag of a received packet: every certificate that its notes refer to, each once (par. 131:
// "validates all certificates in the notes"). Entries are places in the inbox; nothing is copied.
import { pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Certificate } from "../trust/certificate";
import { pairReason } from "../trust/chain";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { isListed } from "../trust/revocationList";
import { keepCertificate } from "./certificateStore";
import { PACKET_CERTIFICATES_LIMIT, SECONDS_PER_HOUR } from "./limits";

export class CertificateBag {
  count: i32 = 0;
  // Addresses fit 16 bits: a module's whole memory is one page of 64 KiB.
  /** The certificate that `open` read last. */
  holder: Certificate = new Certificate();
  private server: Certificate = new Certificate();
  private pointers: StaticArray<u16> = new StaticArray<u16>(PACKET_CERTIFICATES_LIMIT);
  private lengths: StaticArray<u16> = new StaticArray<u16>(PACKET_CERTIFICATES_LIMIT);
  private references: StaticArray<u64> = new StaticArray<u64>(PACKET_CERTIFICATES_LIMIT);
  private ids: StaticArray<u64> = new StaticArray<u64>(PACKET_CERTIFICATES_LIMIT);

  /** Reads [* certificate]; reason 0, 31 (form), 32 (a certificate's form) or 41 (too many). */
  read(reader: CborReader): i32 {
    this.count = 0;
    const count = reader.array();
    if (count < 0) return Reason.NOTE_MALFORMED;
    if (count > PACKET_CERTIFICATES_LIMIT) return Reason.PACKET_TOO_LARGE;
    for (let i = 0; i < count; i++) {
      if (!reader.raw()) return Reason.NOTE_MALFORMED;
      if (!this.holder.reread(reader.viewPointer, reader.viewLength)) {
        return Reason.NOTE_CERTIFICATE_INVALID;
      }
      const reference = load<u64>(pointerOf(this.holder.reference));
      if (this.indexOf(reference) >= 0) return Reason.NOTE_CERTIFICATE_INVALID;
      this.pointers[i] = <u16>reader.viewPointer;
      this.lengths[i] = <u16>reader.viewLength;
      this.references[i] = reference;
      this.ids[i] = load<u64>(pointerOf(this.holder.id));
      this.count = i + 1;
    }
    return Reason.NONE;
  }

  /** Reads the certificate with the 8-byte reference at `kid` into `holder`; false if not here. */
  open(kid: usize): bool {
    const index = this.indexOf(load<u64>(kid));
    return index >= 0 && this.reread(this.holder, index);
  }

  /**
   * Opens the certificate at `kid` and verifies it and its server's for a signature of `date`
   * (seconds, a whole hour: the signature may be up to an hour younger). Reason 0, 32 or 37.
   */
  verify(kid: usize, date: u64): i32 {
    if (!this.open(kid)) return Reason.NOTE_CERTIFICATE_INVALID;
    const serverIndex = this.indexOfServer(load<u64>(pointerOf(this.holder.issuer)));
    if (serverIndex < 0) return Reason.NOTE_CERTIFICATE_INVALID;
    if (!this.reread(this.server, serverIndex)) return Reason.NOTE_CERTIFICATE_INVALID;
    const latest = date + SECONDS_PER_HOUR - 1;
    let seconds = date;
    if (this.holder.issued <= latest) seconds = max(seconds, this.holder.issued);
    if (this.server.issued <= latest) seconds = max(seconds, this.server.issued);
    if (pairReason(this.holder, this.server, seconds, identity.moduleRoot) != Reason.NONE) {
      return Reason.NOTE_CERTIFICATE_INVALID;
    }
    return isListed(this.server.id) ? Reason.NOTE_HOLDER_LISTED : Reason.NONE;
  }

  /** Keeps every certificate in the journal; false when there is no room. */
  keep(): bool {
    for (let i = 0; i < this.count; i++) {
      if (!this.reread(this.holder, i)) return false;
      const server = this.indexOfServer(load<u64>(pointerOf(this.holder.issuer)));
      const reference = server < 0 ? 0 : this.references[server];
      const place = <usize>this.pointers[i];
      if (!keepCertificate(place, <i32>this.lengths[i], this.references[i], reference)) {
        return false;
      }
    }
    return true;
  }

  private reread(certificate: Certificate, index: i32): bool {
    return certificate.reread(<usize>this.pointers[index], <i32>this.lengths[index]);
  }

  private indexOf(reference: u64): i32 {
    for (let i = 0; i < this.count; i++) if (this.references[i] == reference) return i;
    return -1;
  }

  private indexOfServer(id: u64): i32 {
    for (let i = 0; i < this.count; i++) if (this.ids[i] == id) return i;
    return -1;
  }
}
