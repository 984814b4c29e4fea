// SPDX-License-Identifier: Apache-2.0
// To Bank: a teller's or generator's talk with its bank, whose ledger is the own side (docs/
// protocol.cddl section 8, 82-88; docs/protocol.md section 6, Ledger). It serves requests (40): the
// bank holds, the notes go, the bank settles and notes.
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { Found } from "../note/directory";
import { ID_SIZE } from "../note/limits";
import { packUnit, writeUnit } from "../note/note";
import { composeHost, sendHost } from "../session/buffers";
import { Path } from "../session/path";
import { Session } from "../session/session";
import { SessionManager } from "../session/sessionManager";
import { NEVER, timerMs } from "../session/timers";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { abort } from "./abort";
import { tellCommand } from "./commands";
import { isForTeller, isPaying, ModuleMessage, RequestKind } from "./messages";
import { shortageReason } from "./noteChoice";
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
import { readRequest, writeRequest } from "./toTeller";

const HOLD_WANTED: i32 = 82;
const SETTLE: i32 = 84;
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

/** The bank as the own side of a payment, and what is asked of its module (40). */
export abstract class ToBank extends NotingSide {
  private repeatAt: i64 = NEVER;
  /** Journal key of the payment that was told again last; 0 begins with the first one. */
  private repeatedKey: u32 = 0;

  constructor() {
    super();
    this.kind = OwnSideKind.BANK;
  }

  /** By what sessions this module asks others; once, before any message. */
  connect(_sessions: SessionManager, _peers: Path): void {}

  /** Command 81: the bank wants something of a generator. A reason; 0 where it is answered. */
  commanded(_body: CborReader): i32 {
    return Reason.UNKNOWN_COMMAND;
  }

  /**
   * Command 90: the note with this newest transfer is in the bank's books as redeemed. A reason; 0
   * where it is forgotten.
   */
  reconciled(_hash: Bytes): i32 {
    return Reason.UNKNOWN_COMMAND;
  }

  opened(_payment: Payment): void {}

  received(_payment: Payment, _type: i32, _body: CborReader): bool {
    return false;
  }

  /** The bank holds, and this module pays: takes the notes to go. A number of `Found`. */
  protected abstract takeNotes(payment: Payment): i32;

  /** Tells the bank how a payment ended, and the host whose command it was. */
  tellOutcome(payment: Payment): void {
    if (payment.state == PaymentState.COMMITTED) this.repeatAt = timerMs() + REPEAT_MS;
    const session = payment.session;
    const peer = session == null ? NO_PEER : session.peer.id;
    if (payment.payId.length > 0) {
      settle(payment.payId, payment.state, payment.kind, payment.amount, payment.unit, peer);
    }
    if (payment.commandId.length > 0) tellCommand(payment.commandId);
  }

  tellRecord(payId: Bytes, record: PaymentRecord | null): void {
    if (record == null) {
      settle(payId, PaymentState.ABORTED, RequestKind.NONE, 0, NO_UNIT, NO_PEER);
      return;
    }
    const unit = packUnit(record.unit);
    settle(payId, record.state, record.kind, record.amount, unit, record.peer);
    this.repeatAt = timerMs() + REPEAT_MS;
  }

  /**
   * A customer's module, or a teller, asks for something (40): its bank is asked to hold first, so
   * that it may fill the stock meanwhile. A reason; 0 where it goes on.
   */
  requestReceived(session: Session, type: i32, body: CborReader): i32 {
    if (type != ModuleMessage.BANK_REQUEST) return Reason.NONE;
    const payment = new Payment(PaymentRole.PAYER, this);
    body.arrayOf(4);
    if (!readRequest(body, payment)) return Reason.MALFORMED;
    if (isTeller() != isForTeller(payment.kind)) return Reason.WRONG_ROLE;
    if (isPaying(payment.kind)) payment.role = PaymentRole.PAYEE;
    payment.payId = session.payId(0);
    if (PaymentRecord.find(payment.payId) != null) return Reason.ALREADY_DONE;
    if (!payments.add(payment)) return Reason.TOO_MANY_SESSIONS;
    payment.session = session;
    payment.stage = Stage.HOLD_WANTED;
    const writer = composeHost(HOLD_WANTED, 7);
    writer.bytesFrom(session.tag);
    writer.bytesFrom(payment.payId);
    writer.bytesFrom(session.peer.id);
    writeRequest(writer, payment);
    sendHost();
    return Reason.NONE;
  }

  /** Tries again to serve those who wait for notes that another payment had taken. */
  serveWaiting(): void {
    for (let i = 0; i < payments.capacity; i++) {
      const payment = payments.at(i);
      if (payment != null && payment.stage == Stage.NOTES_SHORT) this.accept(payment);
    }
  }

  /** 83: the bank holds the amount, or refuses. */
  holdAnswered(payId: Bytes, isGranted: bool): bool {
    const payment = payments.ofPayId(payId);
    if (payment == null || payment.stage != Stage.HOLD_WANTED) return false;
    if (isGranted) this.accept(payment);
    else abort.begin(payment, Reason.ACCOUNT_REFUSED);
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

  /** The bank holds: has the notes ready, then accepts (41). */
  private accept(payment: Payment): void {
    const found = payment.isPayer ? this.takeNotes(payment) : Found.CHOSEN;
    if (found == Found.RESERVED) {
      // Until then the customer's module hears that the work goes on (par. 76).
      payment.stage = Stage.NOTES_SHORT;
    } else if (found != Found.CHOSEN) {
      abort.begin(payment, shortageReason(found));
    } else {
      payment.stage = payment.isPayer ? Stage.ACCEPTANCE_WANTED : Stage.PACKET_WANTED;
      const session = payment.session!;
      const writer = session.compose(ModuleMessage.BANK_ACCEPTED);
      writer.array(1);
      writer.bytesFrom(payment.payId);
      session.send(true);
    }
  }
}

function isTeller(): bool {
  return identity.certificate.role == Role.TELLER;
}

function settle(payId: Bytes, state: u8, kind: u8, amount: u64, unit: u32, peer: Bytes): void {
  const writer = composeHost(SETTLE, 6);
  writer.bytesFrom(payId);
  writer.uint(<u64>state);
  writer.uint(<u64>kind);
  writer.uint(amount);
  writeUnit(writer, unit);
  writer.bytesFrom(peer);
  sendHost();
}
