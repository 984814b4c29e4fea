// SPDX-License-Identifier: Apache-2.0
// To Teller: the owner's command to withdraw from a bank (81, step 748), and a teller's to take new
// money from a generator (86), both over a bare session that the host connected (docs/protocol.cddl
// section 6, 40-43). The notes then come as in any payment.
import { bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { AMOUNT_LIMIT } from "../note/limits";
import { readUnit } from "../note/note";
import { Path } from "../session/path";
import { SessionManager } from "../session/sessionManager";
import { Reason } from "../trust/reasons";
import { abort } from "./abort";
import { isKnownCommand, rememberCommand, tellCommand } from "./commands";
import { ModuleMessage } from "./messages";
import { writeUnit } from "./moneyHolder";
import { OwnSide, Payment, Stage } from "./payment";
import { PaymentRole } from "./paymentRecord";
import { payments } from "./payments";

const COMMAND_ID_SIZE: i32 = 16;
const ACCOUNT_LIMIT: i32 = 64;

export class ToTeller {
  private sessions: SessionManager;
  private path: Path;

  constructor(sessions: SessionManager, path: Path) {
    this.sessions = sessions;
    this.path = path;
  }

  /**
   * The command [ command-id, amount, unit, ? account ]. A reason against it; 0 where it is
   * answered by `finished` (29), now with how it stands and again when it is over.
   */
  commanded(body: CborReader, hasAccount: bool, ownSide: OwnSide): i32 {
    const commandId = body.bytesExact(COMMAND_ID_SIZE);
    const payment = new Payment(PaymentRole.PAYEE, ownSide);
    payment.commandId = commandId;
    payment.amount = body.uintAtMost(AMOUNT_LIMIT);
    payment.unit = readUnit(body);
    if (hasAccount) payment.account = body.text(ACCOUNT_LIMIT);
    const isNamed = payment.account.length > 0;
    if (!body.atEnd() || payment.amount == 0 || isNamed != hasAccount) return Reason.MALFORMED;
    if (isKnownCommand(commandId)) {
      tellCommand(commandId);
      return Reason.NONE;
    }
    if (!payments.add(payment)) return Reason.TOO_MANY_SESSIONS;
    if (!rememberCommand(commandId)) {
      payments.remove(payment);
      return Reason.JOURNAL_FULL;
    }
    tellCommand(commandId);
    const session = this.sessions.start(this.path);
    payment.session = session;
    if (session == null) abort.begin(payment, this.sessions.reason);
    return Reason.NONE;
  }
}

/** The session is open: asks for the money (40 or 42). */
export function requestMoney(payment: Payment): void {
  const session = payment.session!;
  payment.payId = session.payId(0);
  payment.stage = Stage.REQUEST_SENT;
  const isWithdrawal = payment.account.length > 0;
  const writer = session.compose(isWithdrawal ? ModuleMessage.WITHDRAW : ModuleMessage.ISSUE);
  writer.array(isWithdrawal ? 3 : 2);
  writer.uint(payment.amount);
  writeUnit(writer, payment.unit);
  if (isWithdrawal) writer.textFrom(payment.account);
  session.send(true);
}

/**
 * A message to who asked: that the bank's module accepts (41, 43). The amount is then right (24),
 * and the packet may come. False for another type.
 */
export function acceptanceReceived(payment: Payment, type: i32, body: CborReader): bool {
  const isAcceptance =
    type == ModuleMessage.WITHDRAW_ACCEPTED || type == ModuleMessage.ISSUE_ACCEPTED;
  if (payment.isPayer || !isAcceptance) return false;
  body.arrayOf(1);
  const payId = body.bytesExact(payment.payId.length);
  const isFitting = body.atEnd() && bytesEqual(payId, payment.payId);
  if (payment.stage != Stage.REQUEST_SENT || !isFitting) {
    abort.begin(payment, isFitting ? Reason.WRONG_STATE : Reason.MALFORMED);
    return true;
  }
  payment.stage = Stage.PACKET_WANTED;
  payment.session!.compose(ModuleMessage.AMOUNT_RIGHT).array(0);
  payment.session!.send(true);
  return true;
}

/** The owner's host as the own side: it gave the amount and reads the outcome. */
export class CommandSide extends OwnSide {
  opened(payment: Payment): void {
    requestMoney(payment);
  }

  received(payment: Payment, type: i32, body: CborReader): bool {
    return acceptanceReceived(payment, type, body);
  }

  tellOutcome(payment: Payment): void {
    tellCommand(payment.commandId);
  }
}

/** Answers command 30 [ command-id ]; a reason against it, 0 where it is answered. */
export function tellStatus(body: CborReader): i32 {
  const commandId = body.bytesExact(COMMAND_ID_SIZE);
  if (!body.atEnd()) return Reason.MALFORMED;
  return tellCommand(commandId) ? Reason.NONE : Reason.UNKNOWN_TRANSACTION;
}
