// SPDX-License-Identifier: Apache-2.0
// To Teller: the host's command to ask something of a bank's module (81, step 748), by an owner of
// a teller, by a teller's bank of a generator, over a bare session that the host connected
// (docs/protocol.cddl section 6, 40 and 41). The notes then go as in any payment.
import { step } from "../board";
import { bytesEqual } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { Found } from "../note/directory";
import { ACCOUNT_LIMIT, AMOUNT_LIMIT } from "../note/limits";
import { readUnit, writeUnit } from "../note/note";
import { Path } from "../session/path";
import { SessionManager } from "../session/sessionManager";
import { Reason } from "../trust/reasons";
import { abort } from "./abort";
import { isKnownCommand, rememberCommand, tellCommand } from "./commands";
import { isForTeller, isPaying, ModuleMessage, RequestKind } from "./messages";
import { chooseNotes, shortageReason } from "./noteChoice";
import { payExchange } from "./payExchange";
import { OwnSide, Payment, Stage } from "./payment";
import { PaymentRole } from "./paymentRecord";
import { payments } from "./payments";
import { isTransactionModule } from "./transferNotes";

const COMMAND_ID_SIZE: i32 = 16;

export class ToTeller {
  private sessions: SessionManager;
  private path: Path;

  constructor(sessions: SessionManager, path: Path) {
    this.sessions = sessions;
    this.path = path;
  }

  /**
   * The command [ command-id, request ]. A reason against it; 0 where it is answered by `finished`
   * (29), now with how it stands and again when it is over.
   */
  commanded(body: CborReader, ownSide: OwnSide): i32 {
    const commandId = body.bytesExact(COMMAND_ID_SIZE);
    const payment = new Payment(PaymentRole.PAYEE, ownSide);
    payment.commandId = commandId;
    if (!readRequest(body, payment)) return Reason.MALFORMED;
    // Owners ask tellers, and tellers ask generators.
    if (isTransactionModule() != isForTeller(payment.kind)) return Reason.MALFORMED;
    if (isPaying(payment.kind)) payment.role = PaymentRole.PAYER;
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
    if (payment.kind == RequestKind.WITHDRAW) step(748);
    const session = this.sessions.start(this.path);
    payment.session = session;
    if (session == null) abort.begin(payment, this.sessions.reason);
    return Reason.NONE;
  }
}

/**
 * Reads the rest of `body`, request-kind, amount, unit and account, into the payment; false where
 * its form is wrong. An account is there exactly where a customer's money is meant.
 */
export function readRequest(body: CborReader, payment: Payment): bool {
  payment.kind = <u8>body.uintAtMost(RequestKind.LAST);
  payment.amount = body.uintAtMost(AMOUNT_LIMIT);
  payment.unit = readUnit(body);
  const isWithoutAccount = body.isNull();
  if (!isWithoutAccount) payment.account = body.text(ACCOUNT_LIMIT);
  if (!body.atEnd() || payment.kind == RequestKind.NONE || payment.amount == 0) return false;
  if (payment.kind == RequestKind.REFRESH) {
    payment.counterUnit = payment.unit;
    payment.counterAmount = payment.amount;
  }
  const needsAccount = isForTeller(payment.kind) && !payment.hasCounter;
  return needsAccount ? payment.account.length > 0 : isWithoutAccount;
}

/** Writes request-kind, amount, unit and account. */
export function writeRequest(writer: CborWriter, payment: Payment): void {
  writer.uint(<u64>payment.kind);
  writer.uint(payment.amount);
  writeUnit(writer, payment.unit);
  if (payment.account.length == 0) writer.nil();
  else writer.textFrom(payment.account);
}

/** The session is open: has the notes ready where this module pays, then asks (40). */
export function sendRequest(payment: Payment): void {
  const session = payment.session!;
  payment.payId = session.payId(0);
  const isPaying = payment.isPayer || payment.hasCounter;
  const found = isPaying ? chooseNotes(payment) : Found.CHOSEN;
  if (found != Found.CHOSEN) {
    abort.begin(payment, shortageReason(found));
    return;
  }
  payment.stage = Stage.REQUEST_SENT;
  const writer = session.compose(ModuleMessage.BANK_REQUEST);
  writer.array(4);
  writeRequest(writer, payment);
  session.send(true);
}

/**
 * A message to who asked: that the bank's module accepts (41). The amount is right then: the packet
 * goes, or may come (24). False for another type.
 */
export function acceptanceReceived(payment: Payment, type: i32, body: CborReader): bool {
  if (payment.commandId.length == 0 || type != ModuleMessage.BANK_ACCEPTED) return false;
  body.arrayOf(1);
  const payId = body.bytesExact(payment.payId.length);
  const isFitting = body.atEnd() && bytesEqual(payId, payment.payId);
  if (payment.stage != Stage.REQUEST_SENT || !isFitting) {
    abort.begin(payment, isFitting ? Reason.WRONG_STATE : Reason.MALFORMED);
    return true;
  }
  if (payment.isPayer || payment.hasCounter) {
    payExchange.sendNotes(payment);
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
    sendRequest(payment);
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
