// SPDX-License-Identifier: Apache-2.0
// Reading out tickets and the Tran Log (commands 8 and 9 of docs/protocol.cddl section 8): one item
// at a time; a cursor is a key of the journal.
import { Bytes } from "../codec/bytes";
import { journal } from "../flash/journal";
import { Item } from "../session/hostInterface";
import { loadTicket, TICKET_RECORD } from "../ticket/ticketHolder";
import { LOG_RECORD } from "./tranLog";

/** The ticket at or after `cursor`. */
export function exportTicket(cursor: u32): Item {
  const at = seek(TICKET_RECORD, cursor);
  if (at < 0) return new Item(null, -1);
  const ticket = loadTicket(journal.keyAt(at));
  const encoded: Bytes | null = ticket !== null ? ticket.encoded : null;
  return new Item(encoded, keyAfter(TICKET_RECORD, at));
}

/** The log entry at or after `cursor`. */
export function exportLog(cursor: u32): Item {
  const at = seek(LOG_RECORD, cursor);
  if (at < 0) return new Item(null, -1);
  return new Item(journal.load(LOG_RECORD, journal.keyAt(at)), keyAfter(LOG_RECORD, at));
}

/** The journal's place of the first record of a kind with a key of at least `cursor`; or -1. */
function seek(kind: u8, cursor: u32): i32 {
  let at = journal.first(kind);
  while (at >= 0 && journal.keyAt(at) < cursor) at = journal.next(kind, at);
  return at;
}

function keyAfter(kind: u8, at: i32): i64 {
  const next = journal.next(kind, at);
  return next < 0 ? -1 : i64(journal.keyAt(next));
}
