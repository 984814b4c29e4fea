// SPDX-License-Identifier: Apache-2.0
// Pay/Exchange (Fig. 12) between two transaction devices: from the open session to the amount that
// both agents agree to. Modules of banks have no part in it: their ledgers know the amount.
import { step } from "../board";
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Found } from "../note/directory";
import { AMOUNT_LIMIT } from "../note/limits";
import { readUnit } from "../note/note";
import { Reason } from "../trust/reasons";
import { abort } from "./abort";
import { ModuleMessage } from "./messages";
import { directory, writeUnit } from "./moneyHolder";
import { isAmountExpected } from "./payExchange";
import { Payment, Stage } from "./payment";
import { transferNotes } from "./transferNotes";

const RANDOM_SIZE: i32 = 32;

export class AmountAgreement {
  /** Payer: the session is open; passes R(1) on (548-550). */
  opened(payment: Payment): void {
    step(548);
    this.sendRandom(payment, ModuleMessage.R1, true);
  }

  /** Payee: R(1) came; answers with R(2), and key (TA/MM) is made of both (552-554). */
  random1Received(payment: Payment, body: CborReader): void {
    const theirs = readRandom(body);
    if (payment.stage != Stage.OPENING || theirs == null || payment.tunnel == null) {
      abort.begin(payment, theirs == null ? Reason.MALFORMED : Reason.WRONG_STATE);
      return;
    }
    // R(2) still goes by Fig. 15: the payer's module has no key yet.
    this.sendRandom(payment, ModuleMessage.R2, false);
    step(552);
    if (!useKey(payment, theirs)) {
      abort.begin(payment, Reason.NOT_PAIRED);
      return;
    }
    payment.stage = Stage.STATEMENT_WANTED;
  }

  /** Payer: R(2) came; makes the key. Whether its agent is to be asked (556). */
  random2Received(payment: Payment, body: CborReader): bool {
    const theirs = readRandom(body);
    if (payment.stage != Stage.OPENING || theirs == null || payment.tunnel == null) {
      abort.begin(payment, theirs == null ? Reason.MALFORMED : Reason.WRONG_STATE);
      return false;
    }
    step(556);
    if (!useKey(payment, theirs)) {
      abort.begin(payment, Reason.NOT_PAIRED);
      return false;
    }
    payment.stage = Stage.AMOUNT_WANTED;
    return true;
  }

  /**
   * Payer: its agent gives the amount (566); states it to the payee if the notes cover it. A reason
   * to ask for another amount (572), 0 for none.
   */
  amountGiven(payment: Payment, amount: u64, unit: u32): i32 {
    if (payment.stage != Stage.AMOUNT_WANTED) return Reason.NONE;
    step(566);
    payment.amount = amount;
    payment.unit = unit;
    this.forgetChoice(payment);
    step(568);
    const found = amount == 0 ? Found.INSUFFICIENT : transferNotes.choose(payment);
    step(570);
    if (found != Found.CHOSEN) {
      const isTooMany = found == Found.TOO_MANY_NOTES;
      return isTooMany ? Reason.PACKET_TOO_LARGE : Reason.INSUFFICIENT_FUNDS;
    }
    payment.stage = Stage.ACCEPTANCE_WANTED;
    step(600);
    const writer = payment.session!.compose(ModuleMessage.AMOUNT);
    writer.array(2);
    writer.uint(amount);
    writeUnit(writer, unit);
    step(602);
    payment.session!.send(true);
    return Reason.NONE;
  }

  /** Payee: the payer states the amount (600). Whether the own agent is to be asked (604). */
  amountReceived(payment: Payment, body: CborReader): bool {
    body.arrayOf(2);
    payment.amount = body.uintAtMost(AMOUNT_LIMIT);
    payment.unit = readUnit(body);
    if (payment.stage != Stage.STATEMENT_WANTED || !body.atEnd() || payment.amount == 0) {
      abort.begin(payment, body.atEnd() ? Reason.WRONG_STATE : Reason.MALFORMED);
      return false;
    }
    payment.stage = Stage.VERDICT_WANTED;
    return true;
  }

  /** Payee: its agent judged the amount (618). */
  verdictGiven(payment: Payment, isCorrect: bool): void {
    if (payment.stage != Stage.VERDICT_WANTED) return;
    const session = payment.session!;
    step(618);
    if (isCorrect) {
      payment.stage = Stage.PACKET_WANTED;
      step(624);
      session.compose(ModuleMessage.AMOUNT_RIGHT).array(0);
      step(626);
    } else {
      payment.stage = Stage.STATEMENT_WANTED;
      step(620);
      session.compose(ModuleMessage.WRONG_AMOUNT).array(0);
      step(622);
    }
    session.send(true);
  }

  /** Payer: the payee expects another amount (622). Whether the own agent is asked (572). */
  wrongAmountReceived(payment: Payment, body: CborReader): bool {
    if (!isAmountExpected(payment, body)) return false;
    this.forgetChoice(payment);
    payment.stage = Stage.AMOUNT_WANTED;
    return true;
  }

  /** Payer: its agent gives no new amount (580). */
  abortOrdered(payment: Payment, reason: i32): void {
    step(582);
    abort.begin(payment, reason == 0 ? Reason.OWNER_REFUSED : reason);
  }

  private sendRandom(payment: Payment, type: i32, isAwaited: bool): void {
    const session = payment.session!;
    const writer = session.compose(type);
    writer.array(1);
    writer.bytesFrom(payment.ownRandom);
    step(isAwaited ? 550 : 554);
    session.send(isAwaited);
  }

  private forgetChoice(payment: Payment): void {
    const outgoing = payment.outgoing;
    if (outgoing != null) directory.reserve(outgoing.choice, false);
    payment.outgoing = null;
  }
}

function readRandom(body: CborReader): Bytes | null {
  body.arrayOf(1);
  const bytes = body.bytesExact(RANDOM_SIZE);
  return body.atEnd() ? bytes : null;
}

/** Makes key (TA/MM) of R(1) xor R(2). */
function useKey(payment: Payment, theirs: Bytes): bool {
  const mixed = new StaticArray<u8>(RANDOM_SIZE);
  for (let i = 0; i < RANDOM_SIZE; i++) mixed[i] = payment.ownRandom[i] ^ theirs[i];
  return payment.tunnel!.useKey(mixed);
}

/** The one of this module. */
export const amountAgreement: AmountAgreement = new AmountAgreement();
