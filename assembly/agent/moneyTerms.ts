// SPDX-License-Identifier: Apache-2.0
// What a payment is about (`terms` of docs/protocol.cddl section 5): the amount, and in an exchange
// what the other side pays for it. All amounts in minor units.
import { Bytes, bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { AMOUNT_MAX } from "../ticket/conversion";
import { readUnit } from "../ticket/credential";

const ROUNDING_MAX: u64 = 2;
const EMPTY: Bytes = [];

export class MoneyTerms {
  /** What the payer pays, or in an exchange the side that decides. */
  amount: u64 = 0;
  unit: Bytes = EMPTY;
  /** What the other side of an exchange pays; the unit is empty in every other payment. */
  counterAmount: u64 = 0;
  counterUnit: Bytes = EMPTY;
  /** How the counter amount was rounded from the owners' rate: 0 exact, 1 down, 2 up. */
  rounding: i32 = 0;

  get isExchange(): bool {
    return this.counterUnit.length > 0;
  }

  /** Reads the elements of terms; false where they are none, or not those of an exchange. */
  read(reader: CborReader, isExchange: bool): bool {
    this.amount = reader.uintAtMost(AMOUNT_MAX);
    this.unit = readUnit(reader);
    if (isExchange) this.readCounter(reader);
    if (reader.failed || this.amount == 0) return false;
    if (!isExchange) return true;
    return this.counterAmount > 0 && !bytesEqual(this.unit, this.counterUnit);
  }

  /** Reads [ terms ]. */
  readArray(reader: CborReader, isExchange: bool): bool {
    reader.arrayOf(isExchange ? 5 : 2);
    return this.read(reader, isExchange) && reader.atEnd();
  }

  /** Writes [ terms ]. */
  writeArray(writer: CborWriter): void {
    writer.array(this.isExchange ? 5 : 2);
    writer.uint(this.amount);
    writer.textFrom(this.unit);
    if (!this.isExchange) return;
    writer.uint(this.counterAmount);
    writer.textFrom(this.counterUnit);
    writer.uint(u64(this.rounding));
  }

  private readCounter(reader: CborReader): void {
    this.counterAmount = reader.uintAtMost(AMOUNT_MAX);
    this.counterUnit = readUnit(reader);
    this.rounding = i32(reader.uintAtMost(ROUNDING_MAX));
  }
}
