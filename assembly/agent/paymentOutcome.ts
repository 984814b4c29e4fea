// SPDX-License-Identifier: Apache-2.0
// How a money module says that a payment ended (steps 584, 586; docs/protocol.cddl section 5). An
// agent learns the outcome here and nowhere else (docs/protocol.md section 5).
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { AMOUNT_MAX } from "../ticket/conversion";

export namespace PaymentState {
  export const NONE: i32 = 0;
  export const ABORTED: i32 = 1;
  export const COMMITTED: i32 = 2;
  export const IN_DOUBT: i32 = 3;
  export const RUNNING: i32 = 4;
}

/** Bytes of a pay id, and of a transaction id. */
export const PAY_ID_SIZE: i32 = 16;
export const REASON_MAX: u64 = 255;

export class PaymentOutcome {
  payId!: Bytes;
  state: i32 = 0;
  reason: i32 = 0;
  amount: u64 = 0;
  /** Empty where no amount was agreed. */
  unit!: Bytes;
  /** SHA-256 of the modules' acknowledgement; zeros unless committed. */
  evidence!: Bytes;
  /** Told under the local key: the modules came to no key (TA/MM), or it is gone. */
  isBeforeKey: bool = false;
}

/** Reads [ payment-outcome ]; null where out of form. */
export function readOutcome(reader: CborReader): PaymentOutcome | null {
  const outcome = new PaymentOutcome();
  reader.arrayOf(6);
  outcome.payId = reader.bytesExact(PAY_ID_SIZE);
  outcome.state = i32(reader.uintAtMost(PaymentState.RUNNING));
  outcome.reason = i32(reader.uintAtMost(REASON_MAX));
  outcome.amount = reader.uintAtMost(AMOUNT_MAX);
  outcome.unit = reader.isNull() ? new StaticArray<u8>(0) : reader.text(3);
  outcome.evidence = reader.bytesExact(32);
  return reader.atEnd() ? outcome : null;
}
