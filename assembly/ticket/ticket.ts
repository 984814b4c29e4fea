// SPDX-License-Identifier: Apache-2.0
// The ticket of Fig. 2 in its six sections: Identifier, Components, Issuer Signature, Issuer
// Certificate, Transfer History, Sender Signatures (paragraphs 39-46, docs/protocol.cddl section
// 7). Sections 1 to 3 are one signed object. Here is form alone; validation.ts decides on truth.
import { Bytes, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CoseSign1 } from "../codec/cose";
import { sha256 } from "../crypto/sha256";

export namespace TicketType {
  export const CARD: i32 = 1;
  export const MERCHANT: i32 = 2;
  export const RECEIPT: i32 = 3;
}

/** Largest encoded ticket: a receipt takes about 900 bytes, each transfer 500 more. */
export const TICKET_SIZE_MAX: i32 = 2560;
/** Most entries of a transfer history; the array head of a prefix stays one byte. */
export const TRANSFERS_MAX: i32 = 3;
/** Bytes of a ticket id. */
export const TICKET_ID_SIZE: i32 = 16;
/** Most bytes of a name (of a bank, merchant or customer). */
export const NAME_MAX: i32 = 48;

const EMPTY: Bytes = [];

/** One transfer of a ticket; pointers into the ticket's bytes. */
export class TransferEntry {
  receiver!: Bytes;
  sender!: Bytes;
  chainPointer: usize = 0;
  chainLength: i32 = 0;
  seconds: u64 = 0;
  /** The entry's own encoded bytes. */
  pointer: usize = 0;
  length: i32 = 0;
  /** The sender's signature, 64 bytes. */
  signature: usize = 0;
}

/** A ticket that is well formed. It keeps its bytes; every pointer is into them. */
export class Ticket {
  /** Section 3 over sections 1 and 2. */
  signed: CoseSign1 = new CoseSign1();
  issuerName: Bytes = EMPTY;
  /** Expiry of the issuer's merchant or authority credential. */
  issuerExpires: u64 = 0;
  receiver: Bytes = EMPTY;
  receiverExpires: u64 = 0;
  type: i32 = 0;
  id: Bytes = EMPTY;
  componentsPointer: usize = 0;
  componentsLength: i32 = 0;
  /** The whole signed object. */
  signedPointer: usize = 0;
  signedLength: i32 = 0;
  chainPointer: usize = 0;
  chainLength: i32 = 0;
  transfers: StaticArray<TransferEntry> = [];

  constructor(public encoded: Bytes) {}

  /** Who holds the ticket: the receiver of the last transfer, or else of section 1. */
  get holder(): Bytes {
    const count = this.transfers.length;
    return count > 0 ? this.transfers[count - 1].receiver : this.receiver;
  }

  /** SHA-256 of the signed payload: the receipt hash of a mandate. */
  payloadHash(): Bytes {
    const hash = new StaticArray<u8>(32);
    sha256(this.signed.payloadPointer, this.signed.payloadLength, pointerOf(hash));
    return hash;
  }
}

/** Reads a ticket from its bytes (which it keeps, uncopied); null where they are out of form. */
export function readTicket(encoded: Bytes): Ticket | null {
  if (encoded.length > TICKET_SIZE_MAX) return null;
  const ticket = new Ticket(encoded);
  const reader = new CborReader(pointerOf(encoded), encoded.length);
  if (!reader.arrayOf(4) || !reader.raw()) return null;
  ticket.signedPointer = reader.viewPointer;
  ticket.signedLength = reader.viewLength;
  if (!reader.raw()) return null;
  ticket.chainPointer = reader.viewPointer;
  ticket.chainLength = reader.viewLength;
  if (!readHistory(ticket, reader)) return null;
  if (!reader.atEnd() || !readSigned(ticket)) return null;
  return ticket;
}

/** Reads a ticket from a range that will not last, such as the inbox. */
export function copyTicket(pointer: usize, length: i32): Ticket | null {
  if (length <= 0 || length > TICKET_SIZE_MAX) return null;
  return readTicket(bytesOf(pointer, length));
}

/** Sections 1 and 2 out of the signed object. */
function readSigned(ticket: Ticket): bool {
  const signed = ticket.signed;
  if (!signed.parse(ticket.signedPointer, ticket.signedLength)) return false;
  const reader = new CborReader(signed.payloadPointer, signed.payloadLength);
  reader.arrayOf(2);
  reader.arrayOf(6);
  ticket.issuerName = reader.text(NAME_MAX);
  ticket.issuerExpires = reader.u64();
  ticket.receiver = reader.bytesExact(8);
  ticket.receiverExpires = reader.u64();
  ticket.type = i32(reader.uintAtMost(TicketType.RECEIPT));
  ticket.id = reader.bytesExact(TICKET_ID_SIZE);
  if (!reader.raw()) return false;
  ticket.componentsPointer = reader.viewPointer;
  ticket.componentsLength = reader.viewLength;
  return reader.atEnd() && !reader.failed && ticket.type > 0 && ticket.issuerName.length > 0;
}

/** Sections 5 and 6: as many signatures as transfers. */
function readHistory(ticket: Ticket, reader: CborReader): bool {
  const count = reader.array();
  if (reader.failed || count < 0 || count > TRANSFERS_MAX) return false;
  const transfers = new StaticArray<TransferEntry>(count);
  for (let i = 0; i < count; ++i) {
    if (!reader.raw()) return false;
    const entry = readEntry(reader.viewPointer, reader.viewLength);
    if (!entry) return false;
    transfers[i] = entry;
  }
  if (!reader.arrayOf(count)) return false;
  for (let i = 0; i < count; ++i) {
    if (!reader.view() || reader.viewLength != 64) return false;
    transfers[i].signature = reader.viewPointer;
  }
  ticket.transfers = transfers;
  return true;
}

function readEntry(pointer: usize, length: i32): TransferEntry | null {
  const entry = new TransferEntry();
  entry.pointer = pointer;
  entry.length = length;
  const reader = new CborReader(pointer, length);
  reader.arrayOf(4);
  entry.receiver = reader.bytesExact(8);
  entry.sender = reader.bytesExact(8);
  if (!reader.raw()) return null;
  entry.chainPointer = reader.viewPointer;
  entry.chainLength = reader.viewLength;
  entry.seconds = reader.u64();
  return reader.atEnd() && !reader.failed ? entry : null;
}
