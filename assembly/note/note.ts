// SPDX-License-Identifier: Apache-2.0
// A note as it travels and is stored: the body that a generator signed, the signed transfers, and
// the newest transfer whose signature is held back or kept apart (docs/protocol.cddl, `draft`).
import { bytesOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { CoseSign1 } from "../codec/cose";
import { ACCOUNT_LIMIT, AMOUNT_LIMIT, ID_SIZE, NOTE_ID_SIZE, TRANSFERS_HARD_LIMIT } from "./limits";
import { TransferView, viewExactly } from "./transfer";

/** Longest issuer's name of a body, in bytes. */
const NAME_LIMIT: i32 = 48;
/** Kinds of body. */
const CURRENCY: u8 = 1;
const CREDIT: u8 = 2;

/** One reader for bodies and drafts, so that parsing a packet leaves no garbage. */
const shared: CborReader = new CborReader(0, 0);

/** Reads three ASCII capitals and gives them as a number, the first letter highest; 0 = failed. */
export function readUnit(reader: CborReader): u32 {
  let isCode = reader.viewText(3) && reader.viewLength == 3;
  for (let i: usize = 0; isCode && i < 3; i++) {
    const letter = load<u8>(reader.viewPointer + i);
    isCode = letter >= 0x41 && letter <= 0x5a;
  }
  if (isCode) return packUnit(reader.viewPointer);
  reader.failed = true;
  return 0;
}

/** The three letters at `pointer` as a number. */
export function packUnit(pointer: usize): u32 {
  const first = <u32>load<u8>(pointer);
  return (first << 16) | ((<u32>load<u8>(pointer, 1)) << 8) | <u32>load<u8>(pointer, 2);
}

/** Writes a unit's three letters. */
export function unpackUnit(unit: u32, pointer: usize): void {
  store<u8>(pointer, <u8>(unit >> 16));
  store<u8>(pointer, <u8>(unit >> 8), 1);
  store<u8>(pointer, <u8>unit, 2);
}

const letters = memory.data(4);

/** Writes a unit's three letters. */
export function writeUnit(writer: CborWriter, unit: u32): void {
  unpackUnit(unit, letters);
  writer.textFrom(bytesOf(letters, 3));
}

/** A note body's payload as it lies in memory. */
export class BodyView {
  /** 1 currency, 2 credit. */
  kind: u8 = 0;
  issuer: usize = 0;
  issuerLength: i32 = 0;
  unit: u32 = 0;
  noteId: usize = 0;
  amount: u64 = 0;
  /** Seconds since 1970. */
  issued: u64 = 0;
  expiry: u64 = 0;
  /** Id of the generator that made and signed it. */
  generator: usize = 0;

  /** Reads an encoded body. False when its form is wrong or a number is out of range. */
  parse(pointer: usize, length: i32): bool {
    const reader = shared;
    reader.restart(pointer, length);
    if (!reader.arrayOf(9)) return false;
    this.kind = <u8>reader.uintAtMost(CREDIT);
    if (!reader.viewText(NAME_LIMIT)) return false;
    this.issuer = reader.viewPointer;
    this.issuerLength = reader.viewLength;
    this.unit = readUnit(reader);
    this.noteId = viewExactly(reader, NOTE_ID_SIZE);
    this.amount = reader.uintAtMost(AMOUNT_LIMIT);
    this.issued = reader.uintAtMost(AMOUNT_LIMIT);
    this.expiry = reader.uintAtMost(AMOUNT_LIMIT);
    this.generator = viewExactly(reader, ID_SIZE);
    // Currency has no account, credit has one: a body can be read in one way only.
    const isCurrency = reader.isNull();
    if (!isCurrency && (!reader.viewText(ACCOUNT_LIMIT) || reader.viewLength == 0)) return false;
    if (reader.failed || !reader.atEnd() || this.kind != (isCurrency ? CURRENCY : CREDIT)) {
      return false;
    }
    return this.issuerLength > 0 && this.amount > 0 && this.issued < this.expiry;
  }
}

/** A draft as it lies in memory: where its parts are, and a cursor over its transfers. */
export class NoteView {
  body: BodyView = new BodyView();
  /** The body's signed object. */
  bodyCose: CoseSign1 = new CoseSign1();
  bodyPointer: usize = 0;
  bodyLength: i32 = 0;
  /** The signed transfers, one after the other, without the array's head. */
  transfersPointer: usize = 0;
  transfersLength: i32 = 0;
  transferCount: i32 = 0;
  /** The newest transfer's payload, and the reference of its signer's certificate (8 bytes). */
  draftPointer: usize = 0;
  draftLength: i32 = 0;
  draftKid: usize = 0;

  /** Cursor: the transfer that `next` came to, its payload and its signer's reference. */
  transfer: TransferView = new TransferView();
  transferCose: CoseSign1 = new CoseSign1();
  payloadPointer: usize = 0;
  payloadLength: i32 = 0;
  kid: usize = 0;
  /** Index of the transfer under the cursor, from 0; the newest one has `transferCount`. */
  index: i32 = -1;
  private cursor: usize = 0;

  /**
   * Reads one draft. Signatures are not checked here; false for a wrong form of its outer parts.
   */
  parse(pointer: usize, length: i32): bool {
    const reader = shared;
    reader.restart(pointer, length);
    if (!reader.arrayOf(4) || !reader.raw()) return false;
    this.bodyPointer = reader.viewPointer;
    this.bodyLength = reader.viewLength;
    const count = reader.array();
    if (count < 0 || count > TRANSFERS_HARD_LIMIT) return false;
    this.transferCount = count;
    this.transfersPointer = reader.itemStart;
    for (let i = 0; i < count; i++) if (!reader.raw()) return false;
    this.transfersLength = <i32>(reader.itemStart - this.transfersPointer);
    if (!reader.view()) return false;
    this.draftPointer = reader.viewPointer;
    this.draftLength = reader.viewLength;
    this.draftKid = viewExactly(reader, ID_SIZE);
    if (reader.failed || !reader.atEnd()) return false;
    this.rewind();
    const cose = this.bodyCose;
    if (!cose.parse(this.bodyPointer, this.bodyLength) || cose.kidPointer == 0) return false;
    return this.body.parse(cose.payloadPointer, cose.payloadLength);
  }

  /** Puts the cursor before the first transfer. */
  rewind(): void {
    this.cursor = this.transfersPointer;
    this.index = -1;
  }

  /** Whether the transfer under the cursor is the newest one, whose signature is not here. */
  get isDraft(): bool {
    return this.index == this.transferCount;
  }

  /** Goes on to the next transfer, the newest last; false past the end or at a malformed one. */
  next(): bool {
    if (this.index >= this.transferCount) return false;
    this.index++;
    if (this.isDraft) {
      this.payloadPointer = this.draftPointer;
      this.payloadLength = this.draftLength;
      this.kid = this.draftKid;
    } else {
      const reader = shared;
      const end = this.transfersPointer + <usize>this.transfersLength;
      reader.restart(this.cursor, <i32>(end - this.cursor));
      if (!reader.raw()) return false;
      this.cursor = reader.itemStart;
      const cose = this.transferCose;
      if (!cose.parse(reader.viewPointer, reader.viewLength)) return false;
      this.payloadPointer = cose.payloadPointer;
      this.payloadLength = cose.payloadLength;
      this.kid = cose.kidPointer;
      if (this.kid == 0) return false;
    }
    return this.transfer.parse(this.payloadPointer, this.payloadLength);
  }
}
