// SPDX-License-Identifier: Apache-2.0
// Create Credential 180: an authority's agent makes the credential that its host has granted and
// delivers it (paragraph 58). What it may make, its certificate says; whom it makes it for, the
// session proves.
import { step } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { journal } from "../flash/journal";
import { composeHost, sendHost } from "../session/buffers";
import { Session } from "../session/session";
import { beginBatch } from "../ticket/batch";
import { readCard, readMerchant } from "../ticket/credential";
import { beginTicket, finishTicket, payloadWriter } from "../ticket/issue";
import { readTicket, Ticket, TicketType } from "../ticket/ticket";
import { mayIssue } from "../ticket/validation";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowMs } from "../trust/signedTime";
import { CredentialMessage } from "./acquireCredential";
import { PaymentState } from "./paymentOutcome";
import { LogEntry, LogKind, putLog } from "./tranLog";
import { LEAVE_OPEN_MS, Transaction } from "./transaction";

/** Events and commands at the authority's host (docs/protocol.cddl section 8). */
const REQUESTED: i32 = 71;
const CREATE: i32 = 72;
const CREATED: i32 = 73;

export class CreateCredential extends Transaction {
  private kind: i32 = 0;
  private ticket: Ticket | null = null;
  private startedMs: u64 = nowMs();

  constructor(session: Session) {
    super(session, session.peer.role);
  }

  hostId(): Bytes {
    return this.session.tag;
  }

  received(type: i32, body: CborReader): i32 {
    if (type == CredentialMessage.REQUEST && this.kind == 0) return this.requestCame(body);
    if (type == CredentialMessage.ACCEPTED && this.ticket !== null) {
      body.arrayOf(0);
      return body.atEnd() ? this.accepted() : Reason.MALFORMED;
    }
    return Reason.WRONG_STATE;
  }

  answered(_number: i32, body: CborReader): i32 {
    const isRefused = body.isNull();
    if (!isRefused) body.raw();
    if (!body.atEnd()) return Reason.MALFORMED;
    if (isRefused) {
      this.ownerAnswered();
      this.abort(Reason.OWNER_REFUSED);
      return Reason.NONE;
    }
    return this.create(body.viewPointer, body.viewLength);
  }

  rollBack(_reason: i32): void {
    step(238);
  }

  /** A card goes to a customer, a merchant credential to a merchant. */
  private requestCame(body: CborReader): i32 {
    body.arrayOf(1);
    const kind = i32(body.uintAtMost(TicketType.MERCHANT));
    if (!body.atEnd() || kind == 0) return Reason.MALFORMED;
    if (!mayIssue(identity.certificate, kind)) return Reason.TICKET_INVALID;
    const role = kind == TicketType.CARD ? Role.CUSTOMER : Role.MERCHANT;
    if (this.session.peer.role != role) return Reason.WRONG_ROLE;
    this.kind = kind;
    const writer = composeHost(REQUESTED, 3);
    writer.bytesFrom(this.session.tag);
    writer.bytesFrom(this.session.peer.id);
    writer.uint(u64(kind));
    this.waitForOwner(CREATE);
    sendHost();
    return Reason.NONE;
  }

  /** Checks the components that the host gave, signs the ticket and sends it. */
  private create(pointer: usize, length: i32): i32 {
    const own = identity.certificate;
    if (!this.mayCertify(pointer, length)) return Reason.TICKET_INVALID;
    this.ownerAnswered();
    const writer = payloadWriter();
    const peer = this.session.peer;
    if (!beginTicket(writer, own.organisation, own.expires, peer, this.kind)) {
      return Reason.NO_RANDOM;
    }
    writer.raw(pointer, length);
    const encoded = finishTicket(writer);
    const ticket = encoded !== null ? readTicket(encoded) : null;
    if (ticket === null) return Reason.TICKET_INVALID;
    this.ticket = ticket;
    const message = this.session.compose(CredentialMessage.CREDENTIAL);
    message.array(1);
    message.rawFrom(ticket.encoded);
    this.session.send(true);
    return Reason.NONE;
  }

  /** A bank issues cards of its own name alone. */
  private mayCertify(pointer: usize, length: i32): bool {
    if (this.kind == TicketType.MERCHANT) return readMerchant(pointer, length) !== null;
    const card = readCard(pointer, length);
    const name = identity.certificate.organisation;
    if (card === null || card.bank.length != name.length) return false;
    return memory.compare(pointerOf(card.bank), pointerOf(name), name.length) == 0;
  }

  /** The holder has it: the log entry is durable (Fig. 6A) before the holder may rely on it. */
  private accepted(): i32 {
    const ticket = this.ticket!;
    const peer = this.session.peer;
    const entry = new LogEntry();
    entry.startedMs = this.startedMs;
    entry.peerMs = this.session.peerTimeMs;
    entry.kind = LogKind.CREDENTIAL_ISSUED;
    entry.state = PaymentState.COMMITTED;
    entry.peer = peer.id;
    entry.ticketId = ticket.id;
    step(230);
    beginBatch();
    putLog(entry);
    if (!journal.commit(true)) return Reason.JOURNAL_FULL;
    this.isSettled = true;
    const message = this.session.compose(CredentialMessage.COMMITTED);
    message.array(0);
    this.session.send(false);
    step(232);
    const writer = composeHost(CREATED, 4);
    writer.bytesFrom(this.session.tag);
    writer.bytesFrom(ticket.encoded);
    writer.bytesFrom(peer.id);
    writer.bytesFrom(peer.signingKey);
    sendHost();
    step(234);
    this.linger(LEAVE_OPEN_MS);
    return Reason.NONE;
  }
}
