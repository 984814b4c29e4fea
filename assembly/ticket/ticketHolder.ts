// SPDX-License-Identifier: Apache-2.0
// Ticket Holder 148: keeps tickets in the journal and finds them again (steps 450, 754, 758, 786).
// Tickets stay in flash; one at a time is read. A receipt whose transaction has not committed is no
// ticket yet: the record of that transaction has it.
import { Bytes, bytesEqual } from "../codec/bytes";
import { CborWriter } from "../codec/cborWriter";
import { journal } from "../flash/journal";
import { cardOf, merchantOf } from "./credential";
import { readTicket, Ticket, TicketType } from "./ticket";

/** Journal kind of tickets; the value is the encoded ticket. */
export const TICKET_RECORD: u8 = 20;
/** Most tickets kept. */
export const TICKETS_MAX: i32 = 32;

/** Tickets kept now. */
export function ticketCount(): i32 {
  let count = 0;
  for (let at = journal.first(TICKET_RECORD); at >= 0; at = journal.next(TICKET_RECORD, at)) ++count;
  return count;
}

/** True if another ticket may be kept. */
export function hasRoomForTicket(): bool {
  return ticketCount() < TICKETS_MAX;
}

/** The ticket at a cursor of the journal; null where it cannot be read. */
function ticketAt(cursor: i32): Ticket | null {
  const encoded = journal.load(TICKET_RECORD, journal.keyAt(cursor));
  return encoded !== null ? readTicket(encoded) : null;
}

/** The ticket with this id; null where there is none. */
export function findTicket(id: Bytes): Ticket | null {
  for (let at = journal.first(TICKET_RECORD); at >= 0; at = journal.next(TICKET_RECORD, at)) {
    const ticket = ticketAt(at);
    if (ticket !== null && bytesEqual(ticket.id, id)) return ticket;
  }
  return null;
}

/** The own merchant credential; null where there is none. */
export function ownMerchantCredential(): Ticket | null {
  for (let at = journal.first(TICKET_RECORD); at >= 0; at = journal.next(TICKET_RECORD, at)) {
    const ticket = ticketAt(at);
    if (ticket !== null && merchantOf(ticket) !== null) return ticket;
  }
  return null;
}

/** Writes an array of the ids of the cards of this unit that are valid now; returns their number. */
export function writeUsableCards(writer: CborWriter, unit: Bytes, seconds: u64): i32 {
  const ids = new Array<Bytes>();
  for (let at = journal.first(TICKET_RECORD); at >= 0; at = journal.next(TICKET_RECORD, at)) {
    const ticket = ticketAt(at);
    if (ticket === null) continue;
    const card = cardOf(ticket);
    if (card === null || !bytesEqual(card.unit, unit)) continue;
    if (seconds >= card.validFrom && seconds <= card.expires) ids.push(ticket.id);
  }
  writer.array(ids.length);
  for (let i = 0; i < ids.length; ++i) writer.bytesFrom(ids[i]);
  return ids.length;
}

/**
 * Adds a ticket to the open batch of the journal. A merchant has one credential: a new one takes the
 * place of the old.
 */
export function putTicket(ticket: Ticket): void {
  if (ticket.type == TicketType.MERCHANT) {
    for (let at = journal.first(TICKET_RECORD); at >= 0; at = journal.next(TICKET_RECORD, at)) {
      const other = ticketAt(at);
      if (other !== null && other.type == TicketType.MERCHANT) {
        journal.remove(TICKET_RECORD, journal.keyAt(at));
      }
    }
  }
  journal.putBytes(TICKET_RECORD, journal.nextKey(TICKET_RECORD), ticket.encoded);
}
