// SPDX-License-Identifier: Apache-2.0
// The payments that run now. Provisional state and reserved notes belong to a slot each: three in a
// bank's module, one elsewhere (docs/protocol.md section 5).
import { Bytes } from "../codec/bytes";
import { Path } from "../session/path";
import { Session } from "../session/session";
import { Reason } from "../trust/reasons";
import { Payment } from "./payment";

const SLOTS: i32 = 3;

export class Payments {
  /** Slots in use at most; a bank's module has three. */
  capacity: i32 = 1;
  private slots: StaticArray<Payment | null> = new StaticArray<Payment | null>(SLOTS);

  /** Takes a slot; payments that are over give theirs up. False where all are running. */
  add(payment: Payment): bool {
    this.sweep();
    for (let i = 0; i < this.capacity; i++) {
      if (this.slots[i] != null) continue;
      this.slots[i] = payment;
      return true;
    }
    return false;
  }

  /** Ends what is left of payments that are over: their sessions only waited for `done`. */
  sweep(): void {
    for (let i = 0; i < this.capacity; i++) {
      const payment = this.slots[i];
      if (payment != null && payment.isOver) this.remove(payment);
    }
  }

  /** Gives a slot up, with its session and key; nothing secret of the payment is left. */
  remove(payment: Payment): void {
    for (let i = 0; i < this.capacity; i++) {
      if (this.slots[i] === payment) this.slots[i] = null;
    }
    const session = payment.session;
    if (session != null) session.close(Reason.NONE, false);
    const tunnel = payment.tunnel;
    if (tunnel != null) tunnel.end();
    payment.forgetRandom();
  }

  /** The payment in slot `index`, or null; for loops up to `capacity`. */
  at(index: i32): Payment | null {
    return this.slots[index];
  }

  ofSession(session: Session): Payment | null {
    for (let i = 0; i < this.capacity; i++) {
      const payment = this.slots[i];
      if (payment != null && payment.session === session) return payment;
    }
    return null;
  }

  /** The payment whose session is to come, or came, by `path`. */
  ofPath(path: Path): Payment | null {
    for (let i = 0; i < this.capacity; i++) {
      const payment = this.slots[i];
      if (payment != null && payment.tunnel === path) return payment;
    }
    return null;
  }

  /** The payment of this agents' session. */
  ofTag(sessionTag: Bytes): Payment | null {
    for (let i = 0; i < this.capacity; i++) {
      const payment = this.slots[i];
      if (payment == null) continue;
      const tunnel = payment.tunnel;
      if (tunnel != null && tunnel.isOf(sessionTag)) return payment;
    }
    return null;
  }

  ofPayId(payId: Bytes): Payment | null {
    for (let i = 0; i < this.capacity; i++) {
      const payment = this.slots[i];
      if (payment != null && payment.is(payId)) return payment;
    }
    return null;
  }
}

/** The running payments of this module. */
export const payments: Payments = new Payments();
