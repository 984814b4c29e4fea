// SPDX-License-Identifier: Apache-2.0
// Whether a merchant's money module has what a customer wants to buy (Fig. 7, steps 724-748): the
// module is asked, its host may have it topped up once, and then what the module says counts.
import { step } from "../board";
import { Bytes, bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { composeHost, sendHost } from "../session/buffers";
import { Reason } from "../trust/reasons";
import { toMoneyModule } from "./toMoneyModule";
import { Transaction } from "./transaction";

/** Question and answer at the merchant's host (docs/protocol.cddl section 8). */
const FUNDS_SHORT: i32 = 43;
export const FUNDS_ANSWER: i32 = 44;

export class MerchantFunds {
  /** The own module is to say what it has. */
  private isAsked: bool = false;
  /** The host has said that the module has enough by now. */
  private isToppedUp: bool = false;
  /** The own module had enough for this transaction and for those promised before. */
  private isCovered: bool = false;

  /** `amount`: electronic money in minor units of `unit` that the transaction is to pay. */
  constructor(
    private transaction: Transaction,
    private amount: u64,
    private unit: Bytes,
  ) {}

  /** 724 */
  query(): void {
    this.isAsked = true;
    step(724);
    this.transaction.waitForOwner(0);
    toMoneyModule.askFunds(this.unit);
  }

  /** What of `unit` is promised to this transaction and still among the funds that are told. */
  promised(unit: Bytes): u64 {
    const payment = this.transaction.payment;
    const isTaken = payment !== null && payment.isAmountGiven;
    return this.isCovered && !isTaken && bytesEqual(unit, this.unit) ? this.amount : 0;
  }

  /** 726: the own module told what it has in `unit`; true where that is enough. */
  told(unit: Bytes, available: u64): bool {
    if (!this.isAsked || !bytesEqual(unit, this.unit)) return false;
    step(726);
    this.isAsked = false;
    this.isCovered = available >= this.amount;
    if (this.isCovered) return true;
    if (this.isToppedUp) this.transaction.abort(Reason.INSUFFICIENT_FUNDS);
    else this.askHost(available);
    return false;
  }

  /** 732-748: the top-up is finished, or there is none. 0 or the reason against the answer. */
  answered(body: CborReader): i32 {
    const isAvailable = body.bool();
    if (!body.atEnd()) return Reason.MALFORMED;
    this.transaction.ownerAnswered();
    if (isAvailable) {
      this.isToppedUp = true;
      this.query();
    } else {
      step(746);
      this.transaction.abort(Reason.INSUFFICIENT_FUNDS);
    }
    return Reason.NONE;
  }

  /** 728: another device of the merchant, or its bank, may help out. */
  private askHost(available: u64): void {
    step(728);
    const writer = composeHost(FUNDS_SHORT, 3);
    writer.bytesFrom(this.transaction.hostId());
    writer.uint(this.amount - available);
    writer.textFrom(this.unit);
    this.transaction.waitForOwner(FUNDS_ANSWER);
    sendHost();
  }
}
