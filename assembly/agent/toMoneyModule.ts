// SPDX-License-Identifier: Apache-2.0
// To Money Module 150: the agent's orders to the money module of its own device, under the local
// key of this boot (docs/protocol.cddl section 5), and what the module says back.
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { LocalChannel, LocalOwner } from "../session/localChannel";
import { PaymentChannel, PaymentTerms } from "../session/paymentChannel";
import { AMOUNT_MAX } from "../ticket/conversion";
import { UNIT_SIZE } from "../ticket/credential";
import { PaymentOutcome, readOutcome } from "./paymentOutcome";

/** Messages under the local key. */
export namespace LocalType {
  export const FUNDS_QUERY: i32 = 1;
  export const FUNDS: i32 = 2;
  export const MAKE_PAYMENT: i32 = 3;
  export const RECEIVE_PAYMENT: i32 = 4;
  export const CLOSE: i32 = 5;
  export const OUTCOME: i32 = 6;
  export const NOTED: i32 = 7;
}

/** Type of the outcome on the channel of a payment (584, 586). */
const PAYMENT_OUTCOME: i32 = 7;
/** Payments at a time: a top-up may run beside a purchase. */
const PAYMENTS_MAX: i32 = 2;

/** Who hears what the money module says: the agent. */
export abstract class MoneyModuleListener {
  /** A new local key: the module, or this agent, was started. */
  abstract moduleReady(): void;
  abstract fundsTold(unit: Bytes, amount: u64): void;
  /** True if the outcome is dealt with: the module may then forget it. */
  abstract outcomeTold(outcome: PaymentOutcome): bool;
  /** A prompt on the channel of one payment. */
  abstract moduleSaid(payId: Bytes, type: i32, body: CborReader): void;
  /** A message of the module for the other module, through the agents' session (648, 684). */
  abstract toPeerModule(sessionTag: Bytes, pointer: usize, length: i32): void;
}

class ToMoneyModule extends LocalOwner {
  channel: LocalChannel = changetype<LocalChannel>(0);
  private listener: MoneyModuleListener = changetype<MoneyModuleListener>(0);

  /** Called once, before the first message. */
  connect(listener: MoneyModuleListener): void {
    this.listener = listener;
    this.channel = new LocalChannel(true, this, PAYMENTS_MAX);
  }

  /**
   * Whether the money module can be spoken to; where not, a key is asked for, for the next time.
   */
  reach(): bool {
    if (!this.channel.ready) this.renew();
    return this.channel.ready;
  }

  /** Agrees on a new local key: the host may have lost what made the last one. */
  renew(): void {
    this.channel.renew();
  }

  /** Begins an order; exactly one item is to be written. */
  compose(type: i32): CborWriter {
    return this.channel.compose(type);
  }

  send(): void {
    this.channel.send();
  }

  /** Asks what the module could pay in `unit` (724). */
  askFunds(unit: Bytes): void {
    const writer = this.compose(LocalType.FUNDS_QUERY);
    writer.array(1);
    writer.textFrom(unit);
    this.send();
  }

  /** Asks the module to end the payment and tell its outcome. Unheard, it is asked at its boot. */
  close(payId: Bytes): void {
    this.tell(LocalType.CLOSE, payId);
  }

  /** Makes the channel (TA/MM) of a payment; null where both places are taken. */
  open(terms: PaymentTerms, mixed: usize): PaymentChannel | null {
    return this.channel.openPayment(terms, mixed);
  }

  /** Ends the channel of a payment whose session is over. */
  forget(channel: PaymentChannel): void {
    this.channel.closePayment(channel);
  }

  localReady(): void {
    this.listener.moduleReady();
  }

  localReceived(type: i32, body: CborReader): void {
    if (type == LocalType.OUTCOME) {
      this.outcomeCame(body, true);
    } else if (type == LocalType.FUNDS) {
      body.arrayOf(2);
      const unit = body.text(UNIT_SIZE);
      const amount = body.uintAtMost(AMOUNT_MAX);
      if (body.atEnd()) this.listener.fundsTold(unit, amount);
    }
  }

  paymentReceived(channel: PaymentChannel, type: i32, body: CborReader): void {
    if (type == PAYMENT_OUTCOME) this.outcomeCame(body, false);
    else this.listener.moduleSaid(channel.payId, type, body);
  }

  moduleMessageReceived(sessionTag: Bytes, pointer: usize, length: i32): void {
    this.listener.toPeerModule(sessionTag, pointer, length);
  }

  private outcomeCame(body: CborReader, isBeforeKey: bool): void {
    const outcome = readOutcome(body);
    if (outcome === null) return;
    outcome.isBeforeKey = isBeforeKey;
    if (this.listener.outcomeTold(outcome)) this.tell(LocalType.NOTED, outcome.payId);
  }

  private tell(type: i32, payId: Bytes): void {
    const writer = this.compose(type);
    writer.array(1);
    writer.bytesFrom(payId);
    this.send();
  }
}

export const toMoneyModule: ToMoneyModule = new ToMoneyModule();
