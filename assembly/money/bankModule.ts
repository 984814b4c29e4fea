// SPDX-License-Identifier: Apache-2.0
// The money module of a bank put together, teller or generator (Fig. 5): its own side is the bank,
// it has no trusted agent, and it serves requests that come in bare sessions.
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { HASH_SIZE, PAY_ID_SIZE } from "../note/limits";
import { composeHost, sendHost } from "../session/buffers";
import { Dispatcher } from "../session/dispatcher";
import { NetworkPath } from "../session/networkPath";
import { NoOwnHalf } from "../session/ownHalf";
import { Label } from "../session/path";
import { Session } from "../session/session";
import { SessionManager } from "../session/sessionManager";
import { Reason } from "../trust/reasons";
import { ModuleSessions } from "./moduleSessions";
import { MoneyHost } from "./moneyHost";
import { payments } from "./payments";
import { Resume } from "./resume";
import { ToBank } from "./toBank";

/** Payments, and so sessions, at a time. */
const SESSIONS: i32 = 3;

/** Commands of a bank's modules by number. */
namespace Command {
  export const BANK: i32 = 81;
  export const HOLD: i32 = 83;
  export const NOTED: i32 = 85;
  export const CLOSE: i32 = 88;
  export const RECONCILED: i32 = 90;
}

/** Sessions in which customers' modules, or tellers, ask something of this one. */
class BankSessions extends ModuleSessions {
  private bank: ToBank;

  constructor(resume: Resume, bank: ToBank) {
    super(resume);
    this.bank = bank;
  }

  protected requestReceived(session: Session, type: i32, body: CborReader): void {
    if (session.label != Label.BARE || session.initiator) return;
    const reason = this.bank.requestReceived(session, type, body);
    if (reason != Reason.NONE) session.close(reason, true);
  }

  protected settled(): void {
    this.bank.serveWaiting();
  }
}

/** The bank's host, which holds, settles and notes. */
class BankHost extends MoneyHost {
  private bank: ToBank;

  constructor(name: Bytes, role: u8, resume: Resume, peers: NetworkPath, bank: ToBank) {
    super(name, role, resume, peers);
    this.bank = bank;
  }

  started(): void {
    super.started();
    this.bank.repeat();
  }

  tick(): void {
    this.bank.tick();
  }

  nextDeadline(): i64 {
    return this.bank.nextDeadline();
  }

  protected ownCommand(number: i32, fields: i32, body: CborReader): i32 {
    if (number == Command.BANK && fields == 5) return this.bank.commanded(body);
    if (number == Command.HOLD && fields == 2) return this.holdAnswered(body);
    if (number == Command.NOTED && fields == 1) return this.noted(body);
    if (number == Command.RECONCILED && fields == 1) return this.reconciled(body);
    if (number == Command.CLOSE && fields == 1) return this.close(body);
    return Reason.UNKNOWN_COMMAND;
  }

  private holdAnswered(body: CborReader): i32 {
    const payId = body.bytesExact(PAY_ID_SIZE);
    const isGranted = body.bool();
    if (!body.atEnd()) return Reason.MALFORMED;
    return this.bank.holdAnswered(payId, isGranted) ? Reason.NONE : Reason.UNKNOWN_TRANSACTION;
  }

  private noted(body: CborReader): i32 {
    const payId = body.bytesExact(PAY_ID_SIZE);
    if (!body.atEnd()) return Reason.MALFORMED;
    if (!this.resume.noted(payId)) return Reason.IN_DOUBT;
    composeHost(Command.NOTED, 0);
    sendHost();
    return Reason.NONE;
  }

  private reconciled(body: CborReader): i32 {
    const hash = body.bytesExact(HASH_SIZE);
    if (!body.atEnd()) return Reason.MALFORMED;
    const reason = this.bank.reconciled(hash);
    if (reason != Reason.NONE) return reason;
    composeHost(Command.RECONCILED, 0);
    sendHost();
    return Reason.NONE;
  }

  private close(body: CborReader): i32 {
    const payId = body.bytesExact(PAY_ID_SIZE);
    if (!body.atEnd()) return Reason.MALFORMED;
    this.bank.closeReceived(payId);
    return Reason.NONE;
  }
}

/** Makes the module called `name`, which must be certified in `role`; `bank` is its own side. */
export function bankModule(name: Bytes, role: u8, bank: ToBank): Dispatcher {
  payments.capacity = SESSIONS;
  const peers = new NetworkPath();
  const resume = new Resume(bank);
  const sessions = new SessionManager(new BankSessions(resume, bank), SESSIONS);
  resume.connect(sessions);
  bank.connect(sessions, peers);
  const host = new BankHost(name, role, resume, peers, bank);
  return new Dispatcher(host, sessions, new NoOwnHalf(), peers);
}
