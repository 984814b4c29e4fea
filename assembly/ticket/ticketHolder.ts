// SPDX-License-Identifier: Apache-2.0
// Ticket Holder 148: keeps tickets in the journal and finds them again (steps 450, 754, 758, 786).
// Tickets stay in flash; one at a time is read. A receipt whose transaction has not committed is no
// ticket yet: the record of that transaction has it. A full holder drops its oldest receipt for a
// new ticket: who wants to keep all receipts exports them (docs/rules.md, "Receipts").
import { Bytes, bytesOf, equalAt, pointerOf } from "../codec/bytes";
import { journal } from "../flash/journal";
import { addRecord, beginBatch, recordWriter } from "./batch";
import { cardOf, UNIT_SIZE } from "./credential";
import { readTicket, Ticket, TICKET_ID_SIZE, TicketType } from "./ticket";

/** Journal kind of tickets. */
export const TICKET_RECORD: u8 = 20;
/** Most tickets kept. */
export const TICKETS_MAX: i32 = 32;

// A record begins with what searches ask for, so that they load no whole ticket: type (1 byte), id
// (16), and, of a card, unit (3), first second of validity and expiry (8 each, little-endian).
const TYPE_AT: usize = 0;
const ID_AT: usize = 1;
const UNIT_AT: usize = ID_AT + usize(TICKET_ID_SIZE);
const FROM_AT: usize = UNIT_AT + usize(UNIT_SIZE);
const UNTIL_AT: usize = FROM_AT + 8;
/** Bytes in front of the encoded ticket. */
export const TICKET_HEAD_SIZE: i32 = i32(UNTIL_AT) + 8;

const head = memory.data(TICKET_HEAD_SIZE, 8);

/** Fills `head` from the record under `key`. */
function readHead(key: u32): bool {
  return journal.read(TICKET_RECORD, key, 0, head, TICKET_HEAD_SIZE);
}

/** The ticket under a key of the journal; null where there is none. */
export function loadTicket(key: u32): Ticket | null {
  const length = journal.lengthOf(TICKET_RECORD, key) - TICKET_HEAD_SIZE;
  if (length <= 0) return null;
  const encoded = new StaticArray<u8>(length);
  const pointer = pointerOf(encoded);
  if (!journal.read(TICKET_RECORD, key, TICKET_HEAD_SIZE, pointer, length)) return null;
  return readTicket(encoded);
}

/** True if another ticket may be kept, if need be in the place of the oldest receipt. */
export function hasRoomForTicket(): bool {
  return !isFull() || firstOfType(TicketType.RECEIPT) >= 0;
}

function isFull(): bool {
  let count = 0;
  for (let at = journal.first(TICKET_RECORD); at >= 0; at = journal.next(TICKET_RECORD, at))
    ++count;
  return count >= TICKETS_MAX;
}

/** The ticket with this id; null where there is none. */
export function findTicket(id: Bytes): Ticket | null {
  if (id.length != TICKET_ID_SIZE) return null;
  for (let at = journal.first(TICKET_RECORD); at >= 0; at = journal.next(TICKET_RECORD, at)) {
    const key = journal.keyAt(at);
    if (readHead(key) && equalAt(id, head + ID_AT)) return loadTicket(key);
  }
  return null;
}

/** Key of the oldest ticket of this type, since keys ascend with time; -1 where there is none. */
function firstOfType(type: i32): i64 {
  for (let at = journal.first(TICKET_RECORD); at >= 0; at = journal.next(TICKET_RECORD, at)) {
    const key = journal.keyAt(at);
    if (readHead(key) && load<u8>(head + TYPE_AT) == u8(type)) return i64(key);
  }
  return -1;
}

/** The own merchant credential; null where there is none. */
export function ownMerchantCredential(): Ticket | null {
  const key = firstOfType(TicketType.MERCHANT);
  return key >= 0 ? loadTicket(u32(key)) : null;
}

/** Ids of the cards of this unit that are valid at `seconds` (step 754). */
export function usableCards(unit: Bytes, seconds: u64): Array<Bytes> {
  const ids: Bytes[] = [];
  for (let at = journal.first(TICKET_RECORD); at >= 0; at = journal.next(TICKET_RECORD, at)) {
    if (!readHead(journal.keyAt(at)) || load<u8>(head + TYPE_AT) != u8(TicketType.CARD)) continue;
    if (!equalAt(unit, head + UNIT_AT)) continue;
    if (seconds < load<u64>(head + FROM_AT) || seconds >= load<u64>(head + UNTIL_AT)) continue;
    ids.push(bytesOf(head + ID_AT, TICKET_ID_SIZE));
  }
  return ids;
}

/**
 * Begins a batch of the journal with this ticket in it, or an empty one for null. A merchant has
 * one credential: a new one takes the place of the old. In a full holder any other ticket takes
 * that of the oldest receipt, in the same append.
 */
export function beginWithTicket(ticket: Ticket | null): void {
  const isMerchant = ticket !== null && ticket.type == TicketType.MERCHANT;
  const former = isMerchant ? firstOfType(TicketType.MERCHANT) : -1;
  const dropped = former < 0 && isFull() ? firstOfType(TicketType.RECEIPT) : -1;
  beginBatch();
  if (ticket === null) return;
  if (dropped >= 0) journal.remove(TICKET_RECORD, u32(dropped));
  const card = cardOf(ticket);
  const writer = recordWriter(TICKET_HEAD_SIZE);
  writer.rawFrom(ticket.encoded);
  const key = former >= 0 ? u32(former) : journal.nextKey(TICKET_RECORD);
  const start = addRecord(TICKET_RECORD, key, TICKET_HEAD_SIZE, writer);
  memory.fill(start, 0, TICKET_HEAD_SIZE);
  store<u8>(start + TYPE_AT, u8(ticket.type));
  memory.copy(start + ID_AT, pointerOf(ticket.id), TICKET_ID_SIZE);
  if (card !== null) {
    memory.copy(start + UNIT_AT, pointerOf(card.unit), UNIT_SIZE);
    store<u64>(start + FROM_AT, card.validFrom);
    store<u64>(start + UNTIL_AT, card.expires);
  }
}
