// SPDX-License-Identifier: Apache-2.0
// To Bank: a teller's or generator's talk with its bank, whose ledger is the own side (docs/
// protocol.cddl section 8, 82-88; docs/protocol.md section 6, Ledger). It serves one request, 40 of
// a teller or 42 of a generator: the bank holds, the notes go, the bank settles and notes.
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { AMOUNT_LIMIT, ID_SIZE } from "../note/limits";
import { packUnit, readUnit } from "../note/note";
import { composeHost, sendHost } from "../session/buffers";
import { Path } from "../session/path";
import { Session } from "../session/session";
import { SessionManager } from "../session/sessionManager";
import { NEVER, timerMs } from "../session/timers";
import { Reason } from "../trust/reasons";
import { abort } from "./abort";
import { tellCommand } from "./commands";
import { ModuleMessage } from "./messages";
import { writeUnit } from "./moneyHolder";
import { NotingSide, Payment, Stage } from "./payment";
import {
  firstPayment,
  nextPayment,
  OwnSideKind,
  PaymentRecord,
  PaymentRole,
  PaymentState,
} from "./paymentRecord";
import { payments } from "./payments";

const HOLD_WANTED: i32 = 82;
const SETTLE: i32 = 84;
const ACCOUNT_LIMIT: i32 = 64;
/** What the bank did not note is told again after this. */
const REPEAT_MS: i64 = 10000;
/**
 * Told at a time; the rest follows in events of their own, since the heap is collected in
 * between.
 */
const REPEATED_AT_ONCE: i32 = 8;
const NO_PEER: Bytes = new StaticArray<u8>(ID_SIZE);
/** "XXX", the ISO 4217 code for no currency: the unit of a payment that there never was. */
const NO_UNIT: u32 = 0x585858;

/** The bank as the own side of a payment, and the request by which its money leaves. */
export abstract class ToBank extends NotingSide {
  /** Type of the request that is served, and of its acceptance. */
  private request: i32;
  private acceptance: i32;
  private repeatAt: i64 = NEVER;
  /** Journal key of the payment that was told again last; 0 begins with the first one. */
  private repeatedKey: u32 = 0;

  constructor(request: i32, acceptance: i32) {
    super();
    this.kind = OwnSideKind.BANK;
    this.request = request;
    this.acceptance = acceptance;
  }

  /** Where money comes from by sessions that this module begins; once, before any message. */
  connect(_sessions: SessionManager, _peers: Path): void {}

  /** Command 86: the bank wants more money in stock. A reason; 0 where it is answered. */
  restock(_body: CborReader): i32 {
    return Reason.UNKNOWN_COMMAND;
  }

  opened(_payment: Payment): void {}

  received(_payment: Payment, _type: i32, _body: CborReader): bool {
    return false;
  }

  /** Before the bank holds: has the notes ready. False where the payment waits, or was ended. */
  protected abstract takeNotes(payment: Payment): bool;
  /** After the bank holds: whether the notes are there to go. */
  protected abstract makeNotes(payment: Payment): bool;

  /** Tells the bank how a payment ended, and the host whose command it was. */
  tellOutcome(payment: Payment): void {
    if (payment.state == PaymentState.COMMITTED) this.repeatAt = timerMs() + REPEAT_MS;
    const session = payment.session;
    const peer = session == null ? NO_PEER : session.peer.id;
    if (payment.payId.length > 0) {
      settle(payment.payId, payment.state, payment.amount, payment.unit, peer);
    }
    if (payment.commandId.length > 0) tellCommand(payment.commandId);
  }

  tellRecord(payId: Bytes, record: PaymentRecord | null): void {
    if (record == null) {
      settle(payId, PaymentState.ABORTED, 0, NO_UNIT, NO_PEER);
      return;
    }
    settle(payId, record.state, record.amount, packUnit(record.unit), record.peer);
    this.repeatAt = timerMs() + REPEAT_MS;
  }

  /** A customer withdraws (40), or a teller wants new money (42). A reason; 0 where it goes on. */
  requestReceived(session: Session, type: i32, body: CborReader): i32 {
    const isIssue = type == ModuleMessage.ISSUE;
    if (!isIssue && type != ModuleMessage.WITHDRAW) return Reason.NONE;
    body.arrayOf(isIssue ? 2 : 3);
    const payment = new Payment(PaymentRole.PAYER, this);
    payment.amount = body.uintAtMost(AMOUNT_LIMIT);
    payment.unit = readUnit(body);
    if (!isIssue) payment.account = body.text(ACCOUNT_LIMIT);
    if (!body.atEnd() || payment.amount == 0) return Reason.MALFORMED;
    if (type != this.request) return Reason.WRONG_ROLE;
    payment.payId = session.payId(0);
    if (PaymentRecord.find(payment.payId) != null) return Reason.ALREADY_DONE;
    if (!payments.add(payment)) return Reason.TOO_MANY_SESSIONS;
    payment.session = session;
    this.askHold(payment);
    return Reason.NONE;
  }

  /** Tries again to serve those who wait for notes that another payment had taken. */
  serveWaiting(): void {
    for (let i = 0; i < payments.capacity; i++) {
      const payment = payments.at(i);
      if (payment != null && payment.stage == Stage.NOTES_SHORT) this.askHold(payment);
    }
  }

  /** 83: the bank holds the amount, or refuses. */
  holdAnswered(payId: Bytes, isGranted: bool): bool {
    const payment = payments.ofPayId(payId);
    if (payment == null || payment.stage != Stage.HOLD_WANTED) return false;
    if (!isGranted) {
      abort.begin(payment, Reason.ACCOUNT_REFUSED);
      return true;
    }
    payment.stage = Stage.ACCEPTANCE_WANTED;
    if (!this.makeNotes(payment)) {
      abort.begin(payment, Reason.NO_RANDOM);
      return true;
    }
    const session = payment.session!;
    const writer = session.compose(this.acceptance);
    writer.array(1);
    writer.bytesFrom(payId);
    session.send(true);
    return true;
  }

  /** 88: the bank asks how a payment stands; what runs is ended (docs/protocol.md rule 4.4). */
  closeReceived(payId: Bytes): void {
    const payment = payments.ofPayId(payId);
    if (payment != null && !payment.isOver) {
      abort.begin(payment, Reason.HOST_REFUSED);
      payments.remove(payment);
    } else {
      this.tellRecord(payId, PaymentRecord.find(payId));
    }
  }

  /** Tells again what the bank has not noted. */
  tick(): void {
    if (timerMs() < this.repeatAt) return;
    this.repeat();
  }

  /** Tells all that the bank has not noted; at boot and then from time to time. */
  repeat(): void {
    this.repeatAt = NEVER;
    const record = new PaymentRecord();
    let count = 0;
    for (let cursor = firstPayment(); cursor >= 0; cursor = nextPayment(cursor)) {
      if (!record.load(cursor) || record.key <= this.repeatedKey) continue;
      if (record.ownSide != OwnSideKind.BANK || record.isNoted) continue;
      if (record.state == PaymentState.IN_DOUBT) continue;
      if (count++ == REPEATED_AT_ONCE) {
        this.repeatAt = timerMs();
        return;
      }
      this.tellRecord(record.payId, record);
      this.repeatedKey = record.key;
    }
    this.repeatedKey = 0;
  }

  nextDeadline(): i64 {
    return this.repeatAt;
  }

  /** Has the notes ready, then asks the bank to hold the amount (82). */
  private askHold(payment: Payment): void {
    if (!this.takeNotes(payment)) return;
    payment.stage = Stage.HOLD_WANTED;
    const session = payment.session!;
    const writer = composeHost(HOLD_WANTED, 6);
    writer.bytesFrom(session.tag);
    writer.bytesFrom(payment.payId);
    writer.bytesFrom(session.peer.id);
    writer.uint(payment.amount);
    writeUnit(writer, payment.unit);
    if (payment.account.length == 0) writer.nil();
    else writer.textFrom(payment.account);
    sendHost();
  }
}

function settle(payId: Bytes, state: u8, amount: u64, unit: u32, peer: Bytes): void {
  const writer = composeHost(SETTLE, 5);
  writer.bytesFrom(payId);
  writer.uint(<u64>state);
  writer.uint(amount);
  writeUnit(writer, unit);
  writer.bytesFrom(peer);
  sendHost();
}
