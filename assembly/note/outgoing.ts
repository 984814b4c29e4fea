// SPDX-License-Identifier: Apache-2.0
// The paying side of Transfer Notes (Fig. 20 steps 1566-1574): makes a draft transfer for each
// chosen note, writes the packet, and later releases the signatures. Nothing changes in the
// journal before the commit; dropping this object is rolling back.
import { step } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { CoseSign1, coseWrite } from "../codec/cose";
import { Purpose } from "../codec/purpose";
import { sha256 } from "../crypto/sha256";
import { journal } from "../flash/journal";
import { identity } from "../trust/identity";
import {
  addSigners,
  CERTIFICATE_KIND,
  CERTIFICATE_OFFSET,
  findCertificate,
  References,
  serverReference,
} from "./certificateStore";
import { Choice } from "./directory";
import {
  GRACE_SECONDS,
  HASH_SIZE,
  PACKET_CERTIFICATES_LIMIT,
  PACKET_NOTES_LIMIT,
  PACKET_SIZE_LIMIT,
  SECONDS_PER_HOUR,
  SIGNATURE_SIZE,
} from "./limits";
import { BodyView, NoteView, writeUnit } from "./note";
import { NOTE_KIND, NoteRecord } from "./noteRecord";
import { DraftsHash } from "./packetManager";
import { encodeTransfer, TRANSFER_SIZE_LIMIT } from "./transfer";

/** Room around a stored note in a packet: heads, the new transfer, two references. */
const DRAFT_OVERHEAD: i32 = 320;
const OFFER_LIMIT: i32 = 160;

const reference = memory.data(8, 8);
const serverHash = memory.data(32, 8);
const newest = memory.data(TRANSFER_SIZE_LIMIT, 8);

/** What an offer says, besides the drafts that it is about. */
export class OfferTerms {
  payId: Bytes;
  payee: Bytes;
  /** What this module pays. */
  unit: u32 = 0;
  amount: u64 = 0;
  /** What the payee of the offer pays; 0 minor units where only one pays. */
  counterUnit: u32 = 0;
  counterAmount: u64 = 0;
  rounding: u8 = 0;

  constructor(payId: Bytes, payee: Bytes) {
    this.payId = payId;
    this.payee = payee;
  }
}

export class OutgoingNotes {
  choice: Choice = new Choice();
  /** SHA-256 over the hashes of the drafts; 32 bytes. */
  draftsHash: Bytes = new StaticArray<u8>(HASH_SIZE);
  /** Until when the payment may be claimed: the largest expiry of the notes, plus grace. */
  horizon: u64 = 0;
  /** A new note's signed body, where a generator pays with one; then there is no choice. */
  newBody: Bytes | null = null;
  private drafts: StaticArray<Bytes | null> = new StaticArray<Bytes | null>(PACKET_NOTES_LIMIT);
  private used: References = new References(PACKET_CERTIFICATES_LIMIT);
  // Used for one note after the other: a packet must not fill the heap.
  private record: NoteRecord = new NoteRecord();
  private view: NoteView = new NoteView();

  /** Number of drafts. */
  get count(): i32 {
    return this.newBody == null ? this.choice.count : 1;
  }

  /** Payload of draft number `index`. */
  draft(index: i32): Bytes {
    return this.drafts[index]!;
  }

  /** Makes the draft transfers (1568). `payId` 16 bytes, `payee` 8. False on damaged notes. */
  prepare(payId: Bytes, payee: Bytes, nowSeconds: u64): bool {
    step(1568);
    const hash = new DraftsHash();
    const record = this.record;
    const hour = nowSeconds - (nowSeconds % SECONDS_PER_HOUR);
    this.horizon = 0;
    for (let i = 0; i < this.choice.count; i++) {
      if (!record.load(this.choice.keys[i])) return false;
      this.drafts[i] = encodeTransfer(
        record.leafHash,
        <u64>record.sequence + 1,
        record.paidOut,
        this.choice.values[i],
        pointerOf(payee),
        // A history never goes back in time, though clocks differ by some minutes.
        max(hour, record.date),
        pointerOf(payId),
      );
      this.horizon = max(this.horizon, record.expiry + GRACE_SECONDS);
    }
    if (this.newBody != null && !this.prepareNew(payId, payee, hour)) return false;
    hash.begin();
    // All hashes are made here, since making a transfer needs the hash's buffer too.
    for (let i = 0; i < this.count; i++) hash.add(pointerOf(this.draft(i)), this.draft(i).length);
    hash.end(pointerOf(this.draftsHash));
    return true;
  }

  /** How many of the chosen notes are used up. */
  get leaving(): i32 {
    let count = 0;
    for (let i = 0; i < this.choice.count; i++) {
      const isRead = this.record.load(this.choice.keys[i]);
      const remaining = this.record.amount - this.record.paidOut;
      if (isRead && remaining == this.choice.values[i]) count++;
    }
    return count;
  }

  /** Writes [ offer, [+ draft], [* certificate] ] (1570-1572); false where it does not fit. */
  write(writer: CborWriter, terms: OfferTerms): bool {
    step(1570);
    const offer = this.signOffer(terms);
    if (offer == null) return false;
    step(1572);
    const begin = writer.length;
    writer.array(3);
    writer.rawFrom(offer);
    writer.array(this.count);
    this.used.count = 0;
    for (let i = 0; i < this.choice.count; i++) {
      if (!this.writeStored(writer, i, begin)) return false;
    }
    if (this.newBody != null && !this.writeNew(writer)) return false;
    return this.writeCertificates(writer) && writer.length - begin <= PACKET_SIZE_LIMIT;
  }

  /** Signs the drafts, 64 bytes each in order; null where the keys cannot be read. */
  sign(): Bytes | null {
    const signatures = new StaticArray<u8>(this.count * SIGNATURE_SIZE);
    for (let i = 0; i < this.count; i++) {
      const draft = this.draft(i);
      const place = pointerOf(signatures) + <usize>(i * SIGNATURE_SIZE);
      if (!identity.signature(Purpose.TRANSFER, pointerOf(draft), draft.length, place)) return null;
    }
    return signatures;
  }

  private prepareNew(payId: Bytes, payee: Bytes, hour: u64): bool {
    const body = this.newBody!;
    const cose = new CoseSign1();
    const view = new BodyView();
    if (!cose.parse(pointerOf(body), body.length)) return false;
    if (!view.parse(cose.payloadPointer, cose.payloadLength)) return false;
    const parent = new StaticArray<u8>(HASH_SIZE);
    sha256(cose.payloadPointer, cose.payloadLength, pointerOf(parent));
    const to = pointerOf(payee);
    const id = pointerOf(payId);
    this.drafts[0] = encodeTransfer(pointerOf(parent), 1, 0, view.amount, to, hour, id);
    this.horizon = view.expiry + GRACE_SECONDS;
    return true;
  }

  private signOffer(terms: OfferTerms): Bytes | null {
    const payload = new StaticArray<u8>(OFFER_LIMIT);
    const writer = new CborWriter(pointerOf(payload), OFFER_LIMIT);
    const hasCounter = terms.counterAmount > 0;
    writer.array(hasCounter ? 8 : 7);
    writer.bytesFrom(terms.payId);
    writer.bytesFrom(this.draftsHash);
    writer.bytesFrom(identity.certificate.id);
    writer.bytesFrom(terms.payee);
    writeUnit(writer, terms.unit);
    writer.uint(terms.amount);
    writer.uint(this.horizon);
    if (hasCounter) {
      writer.array(3);
      writeUnit(writer, terms.counterUnit);
      writer.uint(terms.counterAmount);
      writer.uint(<u64>terms.rounding);
    }
    return identity.sign(Purpose.OFFER, writer.pointer, writer.length);
  }

  /** Writes the draft of a stored note: its newest transfer, now signed, joins the history. */
  private writeStored(writer: CborWriter, index: i32, begin: i32): bool {
    const key = this.choice.keys[index];
    const record = this.record;
    if (!record.load(key)) return false;
    const size = journal.lengthOf(NOTE_KIND, key);
    if (writer.length - begin + size + DRAFT_OVERHEAD > PACKET_SIZE_LIMIT) return false;
    const start = writer.length;
    writer.array(4);
    this.copy(writer, NOTE_KIND, key, 1, record.bodyLength);
    writer.array(record.transfers);
    this.copy(writer, NOTE_KIND, key, record.transfersStart, record.transfersLength);
    const length = min(record.draftLength, TRANSFER_SIZE_LIMIT);
    journal.read(NOTE_KIND, key, record.draftStart, newest, length);
    coseWrite(writer, newest, length, record.kid, record.signature);
    writer.bytesFrom(this.draft(index));
    writer.bytesFrom(identity.certificate.reference);
    return this.addUsed(writer, start);
  }

  /** Copies a part of a record from flash to the end of what was written. */
  private copy(writer: CborWriter, kind: u8, key: u32, offset: i32, length: i32): void {
    const end = writer.pointer + <usize>writer.length;
    // `raw` checks the room before the flash is read into it; the copy onto itself changes nothing.
    writer.raw(end, length);
    if (writer.overflow || journal.read(kind, key, offset, end, length)) return;
    writer.overflow = true;
  }

  private writeNew(writer: CborWriter): bool {
    const start = writer.length;
    writer.array(4);
    writer.rawFrom(this.newBody!);
    writer.array(0);
    writer.bytesFrom(this.draft(0));
    writer.bytesFrom(identity.certificate.reference);
    return this.addUsed(writer, start);
  }

  /** Notes which certificates the draft just written at `start` needs. */
  private addUsed(writer: CborWriter, start: i32): bool {
    const view = this.view;
    if (writer.overflow) return false;
    if (!view.parse(writer.pointer + <usize>start, writer.length - start)) return false;
    return addSigners(view, this.used);
  }

  /** Writes the bag: the own chain, and every other signer's certificate and its server's. */
  private writeCertificates(writer: CborWriter): bool {
    const chain = identity.chain();
    if (chain == null) return false;
    const own = load<u64>(pointerOf(identity.certificate.reference));
    const reader = new CborReader(pointerOf(chain), chain.length);
    reader.arrayOf(2);
    reader.raw();
    const holder = reader.viewPointer;
    const holderLength = reader.viewLength;
    reader.raw();
    const server = reader.viewPointer;
    const serverLength = reader.viewLength;
    sha256(server, serverLength, serverHash);
    const ownServer = load<u64>(serverHash);
    const signers = this.used.count;
    for (let i = 0; i < signers; i++) {
      if (this.used.values[i] == own) continue;
      store<u64>(reference, this.used.values[i]);
      const key = findCertificate(reference);
      if (key < 0 || !this.used.add(serverReference(<u32>key))) return false;
    }
    if (!this.used.add(own) || !this.used.add(ownServer)) return false;
    writer.array(this.used.count);
    for (let i = 0; i < this.used.count; i++) {
      const wanted = this.used.values[i];
      if (wanted == own) writer.raw(holder, holderLength);
      else if (wanted == ownServer) writer.raw(server, serverLength);
      else if (!this.writeCertificate(writer, wanted)) return false;
    }
    return !writer.overflow;
  }

  private writeCertificate(writer: CborWriter, wanted: u64): bool {
    store<u64>(reference, wanted);
    const key = findCertificate(reference);
    if (key < 0) return false;
    const length = journal.lengthOf(CERTIFICATE_KIND, <u32>key) - CERTIFICATE_OFFSET;
    this.copy(writer, CERTIFICATE_KIND, <u32>key, CERTIFICATE_OFFSET, length);
    return !writer.overflow;
  }
}
