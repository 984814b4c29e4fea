// SPDX-License-Identifier: Apache-2.0
// A bank as a module's own side, seen from the parts that all money modules share. A transaction
// money module has no bank, and its image not the code to serve one: this class then stands in,
// and refuses. Tellers and generators supply toBank.ts.
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Session } from "../session/session";
import { NEVER } from "../session/timers";
import { Reason } from "../trust/reasons";
import { OwnSide, Payment } from "./payment";
import { PaymentRecord } from "./paymentRecord";

export class BankSide extends OwnSide {
  promptAmount(_payment: Payment): void {}
  askNewAmount(_payment: Payment, _reason: i32): void {}
  verifyAmount(_payment: Payment): void {}
  tellOutcome(_payment: Payment): void {}

  /** Tells how a payment stands by its record, or that it never came to a promise. */
  tellRecord(_payId: Bytes, _record: PaymentRecord | null): void {}

  /** A customer withdraws (40), or a teller wants new money (42). A reason; 0 where it goes on. */
  requestReceived(_session: Session, _type: i32, _body: CborReader): i32 {
    return Reason.WRONG_ROLE;
  }

  /** Tries again to serve those who wait for notes that another payment had taken. */
  serveWaiting(): void {}

  /** 83: the bank holds the amount, or refuses. False where no payment waits for it. */
  holdAnswered(_payId: Bytes, _isGranted: bool): bool {
    return false;
  }

  /** 88: the bank asks how a payment stands. */
  closeReceived(_payId: Bytes): void {}

  /** Tells again, if it is time, what the bank has not noted. */
  tick(): void {}

  /** Tells all that the bank has not noted; at boot and then from time to time. */
  repeat(): void {}

  /** When `tick` has something to do, on the timers' scale. */
  nextDeadline(): i64 {
    return NEVER;
  }
}

/** The bank of this module. */
export let bankSide: BankSide = new BankSide();

/** Sets the bank of this module, once, before any message. */
export function useBank(bank: BankSide): void {
  bankSide = bank;
}
