// SPDX-License-Identifier: Apache-2.0
// Money Holder of Fig. 12 (step 628): the notes this module holds, and what they come to.
import { CborWriter } from "../codec/cborWriter";
import { Directory } from "../note/directory";
import { packUnit, writeUnit } from "../note/note";
import { Notes } from "../note/notes";
import { nowSeconds } from "../trust/signedTime";
import {
  firstPayment,
  nextPayment,
  PaymentRecord,
  PaymentState,
  RecordedPromises,
} from "./paymentRecord";

/** What the notes are worth; see Directory. */
export const directory: Directory = new Directory();
/** The stored notes; see Notes. */
export const notes: Notes = new Notes(directory, new RecordedPromises());

/** Minor units of `unit` that this module can pay now. */
export function spendable(unit: u32): u64 {
  return directory.funds(unit, nowSeconds()).spendable;
}

/**
 * Minor units of `unit` that wait for a payer's acknowledgement: what was received, or what was
 * promised for it.
 */
function inDoubt(unit: u32, isPromised: bool): u64 {
  let sum: u64 = 0;
  const record = new PaymentRecord();
  for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
    if (!record.load(cursor) || record.state != PaymentState.IN_DOUBT) continue;
    if (isPromised) {
      if (record.counterUnit == unit) sum += record.counterAmount;
    } else if (packUnit(record.unit) == unit) {
      sum += record.amount;
    }
  }
  return sum;
}

/** Units told in one balance. */
const UNITS_LIMIT: i32 = 16;

/** Units that this module holds anything of, as numbers; see packUnit. */
class Units {
  count: i32 = 0;
  values: StaticArray<u32> = new StaticArray<u32>(UNITS_LIMIT);

  add(unit: u32): void {
    for (let i = 0; i < this.count; i++) if (this.values[i] == unit) return;
    if (this.count < UNITS_LIMIT) this.values[this.count++] = unit;
  }
}

/**
 * Writes [* [ unit, spendable, in-doubt, refresh, promised ] ], one entry per unit (command 80).
 */
export function writeBalance(writer: CborWriter): void {
  const units = new Units();
  for (let i = 0; i < directory.count; i++) units.add(directory.unitAt(i));
  const record = new PaymentRecord();
  for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
    if (!record.load(cursor) || record.state != PaymentState.IN_DOUBT) continue;
    units.add(packUnit(record.unit));
    if (record.counterAmount > 0) units.add(record.counterUnit);
  }
  writer.array(units.count);
  for (let i = 0; i < units.count; i++) {
    const unit = units.values[i];
    const funds = directory.funds(unit, nowSeconds());
    writer.array(5);
    writeUnit(writer, unit);
    writer.uint(funds.spendable);
    writer.uint(inDoubt(unit, false));
    writer.uint(funds.refresh);
    writer.uint(inDoubt(unit, true));
  }
}
