// SPDX-License-Identifier: Apache-2.0
// Pay/Exchange (Fig. 12) between two transaction devices: from the open session to the amount that
// both agents agree to. Who opens states it, whether to pay it or, in a requested payment, to be
// paid (paragraph 128). Modules of banks have no part in it: their ledgers know the amount.
import { step } from "../board";
import { pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { Found } from "../note/directory";
import { AMOUNT_LIMIT } from "../note/limits";
import { readUnit, writeUnit } from "../note/note";
import { Manner } from "../session/manner";
import { Reason } from "../trust/reasons";
import { abort } from "./abort";
import { ModuleMessage } from "./messages";
import { directory } from "./moneyHolder";
import { isAmountExpected, payExchange } from "./payExchange";
import { chooseNotes, shortageReason } from "./noteChoice";
import { Payment, Stage } from "./payment";

const RANDOM_SIZE: usize = 32;
/** Exact, down, up. */
const ROUNDING_LIMIT: u64 = 2;

export class AmountAgreement {
  /** Who opens: the session is there; passes R(1) on (548-550). */
  opened(payment: Payment): void {
    step(548);
    this.sendRandom(payment, ModuleMessage.R1, true);
  }

  /** The other one: R(1) came; answers with R(2), and key (TA/MM) is made of both (552-554). */
  random1Received(payment: Payment, body: CborReader): void {
    const theirs = readRandom(body);
    if (payment.stage != Stage.OPENING || theirs == 0 || payment.tunnel == null) {
      abort.begin(payment, theirs == 0 ? Reason.MALFORMED : Reason.WRONG_STATE);
      return;
    }
    // R(2) still goes by Fig. 15: the other module has no key yet.
    this.sendRandom(payment, ModuleMessage.R2, false);
    step(552);
    if (!useKey(payment, theirs)) {
      abort.begin(payment, Reason.NOT_PAIRED);
      return;
    }
    payment.stage = Stage.STATEMENT_WANTED;
  }

  /** Who opens: R(2) came; makes the key. Whether its agent is to be asked (556). */
  random2Received(payment: Payment, body: CborReader): bool {
    const theirs = readRandom(body);
    if (payment.stage != Stage.OPENING || theirs == 0 || payment.tunnel == null) {
      abort.begin(payment, theirs == 0 ? Reason.MALFORMED : Reason.WRONG_STATE);
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
   * Who opens: its agent gives the amount (566); states it to the other module, if it is to pay and
   * its notes cover it. A reason to ask for another amount (572), 0 for none.
   */
  amountGiven(payment: Payment, body: CborReader): i32 {
    if (payment.stage != Stage.AMOUNT_WANTED || !readTerms(payment, body)) return Reason.NONE;
    step(566);
    this.forgetChoice(payment);
    const reason = payment.isPayer ? takeNotes(payment) : Reason.NONE;
    if (reason != Reason.NONE) return reason;
    payment.stage = Stage.ACCEPTANCE_WANTED;
    step(600);
    writeTerms(payment, payment.session!.compose(ModuleMessage.AMOUNT));
    step(602);
    payment.session!.send(true);
    return Reason.NONE;
  }

  /** The other one: the amount is stated (600). Whether the own agent is to be asked (604). */
  amountReceived(payment: Payment, body: CborReader): bool {
    const isExpected = payment.stage == Stage.STATEMENT_WANTED;
    if (!isExpected || !readTerms(payment, body)) {
      abort.begin(payment, isExpected ? Reason.MALFORMED : Reason.WRONG_STATE);
      return false;
    }
    payment.stage = Stage.VERDICT_WANTED;
    return true;
  }

  /** The other one: its agent judged the amount (618). */
  verdictGiven(payment: Payment, isCorrect: bool): void {
    if (payment.stage != Stage.VERDICT_WANTED) return;
    step(618);
    if (!isCorrect) {
      payment.stage = Stage.STATEMENT_WANTED;
      step(620);
      this.sendWord(payment, ModuleMessage.WRONG_AMOUNT);
    } else if (payment.manner != Manner.PAYMENT) {
      this.payAsked(payment);
    } else {
      payment.stage = Stage.PACKET_WANTED;
      step(624);
      this.sendWord(payment, ModuleMessage.AMOUNT_RIGHT);
    }
  }

  /**
   * Who opens: the other one expects another amount (622). Whether the own agent is asked (572).
   */
  wrongAmountReceived(payment: Payment, body: CborReader): bool {
    if (!isAmountExpected(payment, body)) return false;
    this.forgetChoice(payment);
    payment.stage = Stage.AMOUNT_WANTED;
    return true;
  }

  /** An agent gives no new amount (580), or does not agree to any. */
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

  /**
   * Who is asked to pay, or to exchange: its notes are its word that the amount is right (paragraph
   * 128; docs/protocol.md section 4).
   */
  private payAsked(payment: Payment): void {
    const reason = takeNotes(payment);
    if (reason != Reason.NONE) {
      abort.begin(payment, reason);
      return;
    }
    step(628);
    payExchange.sendNotes(payment);
  }

  private sendWord(payment: Payment, type: i32): void {
    const session = payment.session!;
    session.compose(type).array(0);
    step(type == ModuleMessage.AMOUNT_RIGHT ? 626 : 622);
    session.send(true);
  }

  private forgetChoice(payment: Payment): void {
    const outgoing = payment.outgoing;
    if (outgoing != null) directory.reserve(outgoing.choice, false);
    payment.outgoing = null;
  }
}

/** 568, 570: do the own notes cover the amount? They are then kept for it. A reason if not. */
function takeNotes(payment: Payment): i32 {
  step(568);
  const found = chooseNotes(payment);
  step(570);
  return found == Found.CHOSEN ? Reason.NONE : shortageReason(found);
}

/** Reads [ terms ] (docs/protocol.cddl section 5); false where it is none of this payment. */
function readTerms(payment: Payment, body: CborReader): bool {
  const isExchange = payment.manner == Manner.EXCHANGE;
  body.arrayOf(isExchange ? 5 : 2);
  payment.amount = body.uintAtMost(AMOUNT_LIMIT);
  payment.unit = readUnit(body);
  if (isExchange) {
    payment.counterAmount = body.uintAtMost(AMOUNT_LIMIT);
    payment.counterUnit = readUnit(body);
    payment.rounding = <u8>body.uintAtMost(ROUNDING_LIMIT);
    if (payment.counterAmount == 0 || payment.counterUnit == payment.unit) return false;
  }
  return body.atEnd() && payment.amount > 0;
}

/** Writes the array of the payment's terms. */
export function writeTerms(payment: Payment, writer: CborWriter): void {
  const isExchange = payment.manner == Manner.EXCHANGE;
  writer.array(isExchange ? 5 : 2);
  writer.uint(payment.amount);
  writeUnit(writer, payment.unit);
  if (!isExchange) return;
  writer.uint(payment.counterAmount);
  writeUnit(writer, payment.counterUnit);
  writer.uint(payment.rounding);
}

/** The address of R(1) or R(2) in the inbox, which the end of the event wipes; 0 for none. */
function readRandom(body: CborReader): usize {
  body.arrayOf(1);
  body.view();
  return body.atEnd() && body.viewLength == RANDOM_SIZE ? body.viewPointer : 0;
}

/** Makes key (TA/MM) of R(1) xor R(2), mixed in the inbox; the own number has served. */
function useKey(payment: Payment, theirs: usize): bool {
  const own = pointerOf(payment.ownRandom);
  for (let i: usize = 0; i < RANDOM_SIZE; i++) {
    store<u8>(theirs + i, load<u8>(theirs + i) ^ load<u8>(own + i));
  }
  payment.forgetRandom();
  return payment.tunnel!.useKey(theirs);
}

/** The one of this module. */
export const amountAgreement: AmountAgreement = new AmountAgreement();
