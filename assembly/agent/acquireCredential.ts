// SPDX-License-Identifier: Apache-2.0
// Acquire Credential 166, 177: a customer's or merchant's agent asks an authority for a credential
// (paragraph 56). The credential is provisional until the authority says that it has committed.
import { step } from "../board";
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { journal } from "../flash/journal";
import { Session } from "../session/session";
import { beginBatch } from "../ticket/batch";
import { Ticket, TicketType } from "../ticket/ticket";
import { beginWithTicket, hasRoomForTicket } from "../ticket/ticketHolder";
import { cardReason, merchantReason } from "../ticket/validation";
import { identity } from "../trust/identity";
import { Reason } from "../trust/reasons";
import { Role } from "../trust/roles";
import { nowMs, nowSeconds } from "../trust/signedTime";
import { ticketIn } from "./checkCredential";
import { CommandResult, putResult } from "./commandMemory";
import { PaymentState } from "./paymentOutcome";
import { LogEntry, LogKind, putLog } from "./tranLog";
import { Transaction } from "./transaction";

/** Messages between the agents (docs/protocol.cddl section 4). */
export namespace CredentialMessage {
  export const REQUEST: i32 = 30;
  export const CREDENTIAL: i32 = 31;
  export const ACCEPTED: i32 = 32;
  export const COMMITTED: i32 = 33;
}

export class AcquireCredential extends Transaction {
  private ticket: Ticket | null = null;
  private startedMs: u64 = 0;

  /** `kind`: the ticket type, card or merchant. */
  constructor(
    session: Session,
    private commandId: Bytes,
    private kind: i32,
  ) {
    super(session, Role.AUTHORITY);
  }

  hostId(): Bytes {
    return this.commandId;
  }

  opened(): void {
    this.startedMs = nowMs();
    const writer = this.session.compose(CredentialMessage.REQUEST);
    writer.array(1);
    writer.uint(u64(this.kind));
    this.session.send(true);
  }

  received(type: i32, body: CborReader): i32 {
    if (type == CredentialMessage.CREDENTIAL && this.ticket === null) {
      return this.credentialCame(body);
    }
    if (type == CredentialMessage.COMMITTED && this.ticket !== null) {
      body.arrayOf(0);
      return body.atEnd() ? this.committed() : Reason.MALFORMED;
    }
    return Reason.WRONG_STATE;
  }

  rollBack(reason: i32): void {
    const result = new CommandResult(this.commandId);
    result.state = PaymentState.ABORTED;
    result.reason = reason;
    beginBatch();
    putResult(result);
    journal.commit(false);
    step(238);
    result.tell(null);
  }

  private credentialCame(body: CborReader): i32 {
    const ticket = ticketIn(body);
    if (ticket === null || ticket.type != this.kind) return Reason.TICKET_INVALID;
    const own = identity.certificate.id;
    const isCard = this.kind == TicketType.CARD;
    const reason = isCard
      ? cardReason(ticket, own, nowSeconds())
      : merchantReason(ticket, own, nowSeconds());
    if (reason != Reason.NONE) return reason;
    // It comes from its issuer, made for this very certificate: it was never handed on.
    const isNew =
      ticket.transfers.length == 0 && ticket.receiverExpires == identity.certificate.expires;
    if (!isNew) return Reason.TICKET_INVALID;
    if (!hasRoomForTicket()) return Reason.JOURNAL_FULL;
    this.ticket = ticket;
    const writer = this.session.compose(CredentialMessage.ACCEPTED);
    writer.array(0);
    this.session.send(true);
    return Reason.NONE;
  }

  /** Fig. 6A */
  private committed(): i32 {
    const ticket = this.ticket!;
    const result = new CommandResult(this.commandId);
    result.state = PaymentState.COMMITTED;
    result.ticketId = ticket.id;
    const entry = new LogEntry();
    entry.startedMs = this.startedMs;
    entry.peerMs = this.session.peerTimeMs;
    entry.kind = LogKind.CREDENTIAL_RECEIVED;
    entry.state = PaymentState.COMMITTED;
    entry.peer = this.session.peer.id;
    entry.ticketId = ticket.id;
    step(230);
    beginWithTicket(ticket);
    putLog(entry);
    putResult(result);
    if (!journal.commit(true)) return Reason.JOURNAL_FULL;
    step(232);
    result.tell(ticket.encoded);
    step(234);
    this.isSettled = true;
    this.end(Reason.NONE);
    return Reason.NONE;
  }
}
