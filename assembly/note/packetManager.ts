// SPDX-License-Identifier: Apache-2.0
// Packet Manager of Fig. 4: takes a received packet apart (Fig. 20 step 1576) into the payer's
// signed offer, the drafts and the bag of certificates. Form only; verifier.ts judges the content.
import { CborReader } from "../codec/cborReader";
import { CoseSign1 } from "../codec/cose";
import { sha256, sha256Begin, sha256End, SHA256_STATE_SIZE, sha256Update } from "../crypto/sha256";
import { Reason } from "../trust/reasons";
import { CertificateBag } from "./certificateBag";
import {
  AMOUNT_LIMIT,
  HASH_SIZE,
  ID_SIZE,
  NOTE_SIZE_LIMIT,
  PACKET_NOTES_LIMIT,
  PACKET_SIZE_LIMIT,
  PAY_ID_SIZE,
} from "./limits";
import { NoteView, readUnit } from "./note";
import { viewExactly } from "./transfer";

const state = memory.data(SHA256_STATE_SIZE, 8);
/** The largest number of a rounding: 0 exact, 1 down, 2 up. */
export const ROUNDINGS: u64 = 2;

const oneHash = memory.data(HASH_SIZE, 8);

/** The hash of drafts: SHA-256 over the SHA-256 of each draft transfer's payload, in order. */
export class DraftsHash {
  begin(): void {
    sha256Begin(state);
  }

  add(transfer: usize, length: i32): void {
    sha256(transfer, length, oneHash);
    sha256Update(state, oneHash, HASH_SIZE);
  }

  end(output: usize): void {
    sha256End(state, output);
  }
}

/** The payer's offer (docs/protocol.cddl, `offer`); pointers are into the packet. */
export class OfferView {
  cose: CoseSign1 = new CoseSign1();
  /** The whole signed object. */
  pointer: usize = 0;
  length: i32 = 0;
  payId: usize = 0;
  draftsHash: usize = 0;
  payer: usize = 0;
  payee: usize = 0;
  unit: u32 = 0;
  amount: u64 = 0;
  horizon: u64 = 0;
  /** What the payee of this offer pays; 0 minor units where only one pays. */
  counterUnit: u32 = 0;
  counterAmount: u64 = 0;
  rounding: u8 = 0;

  parse(pointer: usize, length: i32): bool {
    this.pointer = pointer;
    this.length = length;
    if (!this.cose.parse(pointer, length)) return false;
    const reader = new CborReader(this.cose.payloadPointer, this.cose.payloadLength);
    const count = reader.array();
    if (count != 7 && count != 8) return false;
    this.payId = viewExactly(reader, PAY_ID_SIZE);
    this.draftsHash = viewExactly(reader, HASH_SIZE);
    this.payer = viewExactly(reader, ID_SIZE);
    this.payee = viewExactly(reader, ID_SIZE);
    this.unit = readUnit(reader);
    this.amount = reader.uintAtMost(AMOUNT_LIMIT);
    this.horizon = reader.uintAtMost(AMOUNT_LIMIT);
    this.counterUnit = 0;
    this.counterAmount = 0;
    this.rounding = 0;
    if (count == 8) {
      reader.arrayOf(3);
      this.counterUnit = readUnit(reader);
      this.counterAmount = reader.uintAtMost(AMOUNT_LIMIT);
      this.rounding = <u8>reader.uintAtMost(ROUNDINGS);
      if (this.counterAmount == 0) return false;
    }
    return reader.atEnd();
  }
}

/** A received packet: addresses of its parts in the inbox. */
export class PacketView {
  offer: OfferView = new OfferView();
  bag: CertificateBag = new CertificateBag();
  count: i32 = 0;
  /** The draft that `open` read last. */
  note: NoteView = new NoteView();
  private pointers: StaticArray<usize> = new StaticArray<usize>(PACKET_NOTES_LIMIT);
  private lengths: StaticArray<i32> = new StaticArray<i32>(PACKET_NOTES_LIMIT);

  /** Reads [ offer, [+ draft], [* certificate] ]; reason 0, 31, 32 or 41. */
  disassemble(reader: CborReader): i32 {
    this.count = 0;
    if (reader.remaining > PACKET_SIZE_LIMIT) return Reason.PACKET_TOO_LARGE;
    if (!reader.arrayOf(3) || !reader.raw()) return Reason.NOTE_MALFORMED;
    const offerPointer = reader.viewPointer;
    const offerLength = reader.viewLength;
    const count = reader.array();
    if (count <= 0) return Reason.NOTE_MALFORMED;
    if (count > PACKET_NOTES_LIMIT) return Reason.PACKET_TOO_LARGE;
    for (let i = 0; i < count; i++) {
      if (!reader.raw()) return Reason.NOTE_MALFORMED;
      if (reader.viewLength > NOTE_SIZE_LIMIT) return Reason.PACKET_TOO_LARGE;
      this.pointers[i] = reader.viewPointer;
      this.lengths[i] = reader.viewLength;
    }
    const reason = this.bag.read(reader);
    if (reason != Reason.NONE) return reason;
    if (!reader.atEnd() || !this.offer.parse(offerPointer, offerLength)) {
      return Reason.NOTE_MALFORMED;
    }
    this.count = count;
    return Reason.NONE;
  }

  /** Reads draft number `index` into `note`; false when its form is wrong. */
  open(index: i32): bool {
    return this.note.parse(this.pointers[index], this.lengths[index]);
  }

  /** Address and length of draft number `index`. */
  pointerAt(index: i32): usize {
    return this.pointers[index];
  }
  lengthAt(index: i32): i32 {
    return this.lengths[index];
  }
}
