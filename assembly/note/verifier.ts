// SPDX-License-Identifier: Apache-2.0
// Verifier of Fig. 4: is a packet worth what it says? Par. 131-134, Fig. 20 steps 1578-1604, and
// every rule of docs/protocol.md section 3. Cheap checks come before certificates and signatures,
// so that a bad packet costs little. Reasons 31-41 of docs/protocol.cddl.
import { step } from "../board";
import { pointerOf } from "../codec/bytes";
import { Purpose } from "../codec/purpose";
import { sha256 } from "../crypto/sha256";
import { journal } from "../flash/journal";
import { scratchAfter } from "../session/buffers";
import { Certificate } from "../trust/certificate";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { isListed } from "../trust/revocationList";
import { Role } from "../trust/roles";
import { Expected, OwnHistory } from "./expected";
import {
  CLOCK_WINDOW_SECONDS,
  GRACE_SECONDS,
  HASH_SIZE,
  ID_SIZE,
  NOTE_ID_SIZE,
  NOTE_SIZE_LIMIT,
  PAY_ID_SIZE,
  SECONDS_PER_HOUR,
  TRANSFERS_LIMIT,
} from "./limits";
import { NoteView } from "./note";
import { NOTE_KIND, NOTE_STATE_KIND, NoteRecord } from "./noteRecord";
import { DraftsHash, PacketView } from "./packetManager";
import { isDuplicated, isSameBody } from "./transferTree";

const hashes = memory.data(64, 8);

/** A body matches one that is known: at the first, trees of transfers begin to be built. */
function noteMatch(isMatched: bool): bool {
  if (!isMatched) {
    step(1600);
    step(1602);
  }
  return true;
}

export class Verifier {
  /** A holder in the packet judged last is on the list; only a bank takes such notes. */
  isHolderListed: bool = false;
  private draftsHash: DraftsHash = new DraftsHash();
  private stored: NoteView = new NoteView();
  private record: NoteRecord = new NoteRecord();
  private history: OwnHistory;

  constructor(history: OwnHistory) {
    this.history = history;
  }

  /** Judges a packet whose form is right. Reason 0 when it is good in every respect. */
  verify(packet: PacketView, expected: Expected): i32 {
    step(1578);
    let reason = this.checkOffer(packet, expected);
    if (reason == Reason.NONE) reason = this.checkHistories(packet, expected);
    if (reason == Reason.NONE) reason = this.checkCertificates(packet, expected);
    step(1580);
    if (reason != Reason.NONE) return reason;
    step(1584);
    if (expected.isTransactionModule) {
      step(1586);
      const isExpired = this.isAnyExpired(packet, expected.nowSeconds);
      step(1588);
      if (isExpired) return Reason.NOTE_EXPIRED;
      step(1590);
      this.isHolderListed = this.isAnyHolderListed(packet);
      step(1592);
      if (this.isHolderListed) return Reason.NOTE_HOLDER_LISTED;
    } else {
      this.isHolderListed = this.isAnyHolderListed(packet);
    }
    step(1594);
    reason = this.checkSignatures(packet, expected);
    step(1596);
    if (reason != Reason.NONE) return reason;
    step(1598);
    return this.checkDuplicates(packet);
  }

  private checkOffer(packet: PacketView, expected: Expected): i32 {
    const offer = packet.offer;
    if (!same(offer.payId, expected.payId, PAY_ID_SIZE)) return Reason.NOTE_CHAIN_BROKEN;
    if (!same(offer.payer, pointerOf(expected.payer.id), ID_SIZE)) {
      return Reason.NOTE_CHAIN_BROKEN;
    }
    if (!same(offer.payee, pointerOf(identity.certificate.id), ID_SIZE)) {
      return Reason.NOTE_CHAIN_BROKEN;
    }
    const kid = offer.cose.kidPointer;
    if (kid == 0 || !same(kid, pointerOf(expected.payer.reference), ID_SIZE)) {
      return Reason.NOTE_CHAIN_BROKEN;
    }
    const isAmount = offer.unit == expected.unit && offer.amount == expected.amount;
    const isCounter =
      offer.counterUnit == expected.counterUnit &&
      offer.counterAmount == expected.counterAmount &&
      offer.rounding == expected.rounding;
    return isAmount && isCounter ? Reason.NONE : Reason.TOTAL_WRONG;
  }

  /** Parents, ids, amounts, dates, total, horizon, hash of drafts: everything but signatures. */
  private checkHistories(packet: PacketView, expected: Expected): i32 {
    let total: u64 = 0;
    let horizon: u64 = 0;
    this.draftsHash.begin();
    for (let i = 0; i < packet.count; i++) {
      const note = packet.note;
      if (!packet.open(i)) return Reason.NOTE_MALFORMED;
      const reason = this.checkHistory(packet, expected);
      if (reason != Reason.NONE) return reason;
      // The cursor of the history stands on the draft.
      total += note.transfer.amount;
      if (total > expected.amount) return Reason.TOTAL_WRONG;
      horizon = max(horizon, note.body.expiry + GRACE_SECONDS);
      this.draftsHash.add(note.draftPointer, note.draftLength);
    }
    this.draftsHash.end(hashes);
    if (!same(hashes, packet.offer.draftsHash, HASH_SIZE)) return Reason.NOTE_CHAIN_BROKEN;
    if (total != expected.amount) return Reason.TOTAL_WRONG;
    return horizon == packet.offer.horizon ? Reason.NONE : Reason.NOTE_MALFORMED;
  }

  /** One note's history, from the body to the draft; ends with the cursor on the draft. */
  private checkHistory(packet: PacketView, expected: Expected): i32 {
    const note = packet.note;
    const body = note.body;
    const limit = expected.nowSeconds + CLOCK_WINDOW_SECONDS;
    if (body.unit != expected.unit) return Reason.TOTAL_WRONG;
    if (isGenerator() && !isOwnIssue(note)) return Reason.WRONG_ROLE;
    if (body.issued % SECONDS_PER_HOUR != 0 || body.issued > limit) return Reason.NOTE_MALFORMED;
    if (expected.isTransactionModule && note.transferCount + 1 > TRANSFERS_LIMIT) {
      return Reason.TOO_MANY_TRANSFERS;
    }
    if (!packet.bag.open(note.bodyCose.kidPointer)) return Reason.NOTE_CERTIFICATE_INVALID;
    if (!same(pointerOf(packet.bag.holder.id), body.generator, ID_SIZE)) {
      return Reason.NOTE_CHAIN_BROKEN;
    }
    const cose = note.bodyCose;
    sha256(cose.payloadPointer, cose.payloadLength, hashes);
    // `holder` and `available` are what the parent gives: whose it is, and how much.
    let holder = body.generator;
    let available = body.amount;
    let date = body.issued;
    let isLate = false;
    note.rewind();
    while (!note.isDraft) {
      if (!note.next()) return Reason.NOTE_MALFORMED;
      const transfer = note.transfer;
      if (!packet.bag.open(note.kid)) return Reason.NOTE_CERTIFICATE_INVALID;
      if (!same(pointerOf(packet.bag.holder.id), holder, ID_SIZE)) {
        return Reason.NOTE_CHAIN_BROKEN;
      }
      if (!same(transfer.parent, hashes, HASH_SIZE)) return Reason.NOTE_CHAIN_BROKEN;
      if (!transfer.fits(available)) return Reason.NOTE_AMOUNTS_WRONG;
      if (transfer.date < date || transfer.date > limit) return Reason.NOTE_MALFORMED;
      // A bank takes a note back for some days after it expired; who had it then was a teller.
      if (isLate && packet.bag.holder.role != Role.TELLER) return Reason.NOTE_EXPIRED;
      isLate = transfer.date > body.expiry;
      const grace = expected.isTransactionModule ? 0 : GRACE_SECONDS;
      if (transfer.date > body.expiry + grace) return Reason.NOTE_EXPIRED;
      holder = transfer.transferee;
      available = transfer.amount;
      date = transfer.date;
      sha256(note.payloadPointer, note.payloadLength, hashes);
    }
    return this.checkEnd(note, expected);
  }

  /** The draft is the payer's, to this module, in this payment, and still worth something. */
  private checkEnd(note: NoteView, expected: Expected): i32 {
    if (!same(note.kid, pointerOf(expected.payer.reference), ID_SIZE)) {
      return Reason.NOTE_CHAIN_BROKEN;
    }
    if (!same(note.transfer.transferee, pointerOf(identity.certificate.id), ID_SIZE)) {
      return Reason.NOTE_CHAIN_BROKEN;
    }
    if (!same(note.transfer.payId, expected.payId, PAY_ID_SIZE)) return Reason.NOTE_CHAIN_BROKEN;
    const isWorthless = expected.nowSeconds >= note.body.expiry + GRACE_SECONDS;
    return isWorthless ? Reason.NOTE_EXPIRED : Reason.NONE;
  }

  /** Every signer was certified, in the right role, when it signed; the payer is today. */
  private checkCertificates(packet: PacketView, expected: Expected): i32 {
    const bag = packet.bag;
    for (let i = 0; i < packet.count; i++) {
      if (!packet.open(i)) return Reason.NOTE_MALFORMED;
      const note = packet.note;
      let reason = bag.verify(note.bodyCose.kidPointer, note.body.issued);
      if (reason != Reason.NONE) return reason;
      if (bag.holder.role != Role.GENERATOR || !isIssuer(bag.holder, note)) {
        return Reason.NOTE_CERTIFICATE_INVALID;
      }
      note.rewind();
      while (!note.isDraft) {
        if (!note.next()) return Reason.NOTE_MALFORMED;
        const date = note.isDraft ? expected.nowSeconds : note.transfer.date;
        reason = bag.verify(note.kid, date);
        if (reason != Reason.NONE) return reason;
        if (!mayTransfer(bag.holder.role, note.index)) return Reason.NOTE_CERTIFICATE_INVALID;
      }
    }
    return Reason.NONE;
  }

  private isAnyExpired(packet: PacketView, nowSeconds: u64): bool {
    for (let i = 0; i < packet.count; i++) {
      if (!packet.open(i) || nowSeconds >= packet.note.body.expiry) return true;
    }
    return false;
  }

  private isAnyHolderListed(packet: PacketView): bool {
    for (let i = 0; i < packet.count; i++) {
      if (!packet.open(i)) return true;
      const note = packet.note;
      if (isListedAt(note.body.generator)) return true;
      note.rewind();
      while (note.next()) if (isListedAt(note.transfer.transferee)) return true;
    }
    return false;
  }

  /** The payer's over its offer, the generators' over the bodies, the holders' over transfers. */
  private checkSignatures(packet: PacketView, expected: Expected): i32 {
    if (!packet.offer.cose.verify(Purpose.OFFER, pointerOf(expected.payer.signingKey))) {
      return Reason.NOTE_SIGNATURE_WRONG;
    }
    const holder = packet.bag.holder;
    for (let i = 0; i < packet.count; i++) {
      const note = packet.note;
      if (!packet.open(i) || !packet.bag.open(note.bodyCose.kidPointer)) {
        return Reason.NOTE_MALFORMED;
      }
      if (!note.bodyCose.verify(Purpose.NOTE_BODY, pointerOf(holder.signingKey))) {
        return Reason.NOTE_SIGNATURE_WRONG;
      }
      note.rewind();
      while (note.next() && !note.isDraft) {
        if (!packet.bag.open(note.kid)) return Reason.NOTE_MALFORMED;
        if (!note.transferCose.verify(Purpose.TRANSFER, pointerOf(holder.signingKey))) {
          return Reason.NOTE_SIGNATURE_WRONG;
        }
      }
    }
    return Reason.NONE;
  }

  /**
   * Stored notes with the same body, other branches of it in the same packet, and own transfers in
   * notes that come back.
   */
  private checkDuplicates(packet: PacketView): i32 {
    let isMatched = false;
    let isDouble = false;
    for (let i = 0; i < packet.count; i++) {
      if (!packet.open(i)) return Reason.NOTE_MALFORMED;
      let cursor = journal.first(NOTE_STATE_KIND);
      while (cursor >= 0) {
        const key = journal.keyAt(cursor);
        cursor = journal.next(NOTE_STATE_KIND, cursor);
        if (!this.record.load(key)) continue;
        if (!same(this.record.noteId, packet.note.body.noteId, NOTE_ID_SIZE)) continue;
        // Nothing is being composed now: the outbox has room for the stored note.
        const length = journal.lengthOf(NOTE_KIND, key);
        if (length < 0 || length > NOTE_SIZE_LIMIT) continue;
        if (!journal.read(NOTE_KIND, key, 0, scratchAfter(0), length)) continue;
        if (!this.stored.parse(scratchAfter(0), length)) continue;
        if (!isSameBody(this.stored, packet.note)) continue;
        isMatched = noteMatch(isMatched);
        isDouble = isDouble || isDuplicated(this.stored, this.record, packet.note);
      }
      for (let k = 0; k < i; k++) {
        if (!this.stored.parse(packet.pointerAt(k), packet.lengthAt(k))) continue;
        if (!isSameBody(this.stored, packet.note)) continue;
        isMatched = noteMatch(isMatched);
        isDouble = isDouble || isDuplicated(this.stored, null, packet.note);
      }
      if (!isDouble && this.contradictsHistory(packet.note)) {
        isMatched = noteMatch(isMatched);
        isDouble = true;
      }
    }
    step(isMatched ? 1604 : 1600);
    return isDouble ? Reason.NOTE_DUPLICATED : Reason.NONE;
  }

  private contradictsHistory(note: NoteView): bool {
    const self = pointerOf(identity.certificate.id);
    let wasHere = false;
    note.rewind();
    while (note.next()) {
      const hop = note.transfer;
      if (
        wasHere &&
        this.history.contradicts(hop.parent, hop.sequence, hop.offset, hop.amount, hop.transferee)
      ) {
        return true;
      }
      wasHere = same(hop.transferee, self, ID_SIZE);
    }
    return false;
  }
}

const listedId = new StaticArray<u8>(ID_SIZE);

/** Whether the 8-byte id at `id` is on the bad id list. */
function isListedAt(id: usize): bool {
  memory.copy(pointerOf(listedId), id, ID_SIZE);
  return isListed(listedId);
}

function same(a: usize, b: usize, size: i32): bool {
  return memory.compare(a, b, <usize>size) == 0;
}

/** Whether the body names the issuer that the generator's certificate names. */
function isIssuer(generator: Certificate, note: NoteView): bool {
  const length = generator.organisationLength;
  if (length == 0 || length != note.body.issuerLength) return false;
  return same(generator.organisationPointer, note.body.issuer, length);
}

/** Whether the body names this generator's own bank, which redeems no other's notes. */
function isOwnIssue(note: NoteView): bool {
  const name = identity.certificate.organisation;
  if (name.length != note.body.issuerLength) return false;
  return same(pointerOf(name), note.body.issuer, name.length);
}

function isGenerator(): bool {
  return identity.certificate.role == Role.GENERATOR;
}

/** Generators sign the first transfer of a note and no other; later ones are holders'. */
function mayTransfer(role: u8, index: i32): bool {
  if (index == 0) return role == Role.GENERATOR;
  return role == Role.TRANSACTION || role == Role.TELLER;
}
