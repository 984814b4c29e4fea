// SPDX-License-Identifier: Apache-2.0
// A transaction money module that a thief has opened, for tests only: honest firmware, and two
// commands with which its host forges what flash remembers. Both work from the next boot on.
//   200 [ sequence, paid-out ]   all stored notes: so many parts, this sum, were paid out so far
//   201 [ draft, signature ]     another's note is this module's: its newest transfer and signature
import { Port } from "../board";
import { Bytes, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { journal } from "../flash/journal";
import { deviceModule } from "../money/deviceModule";
import { AMOUNT_LIMIT, NOTE_SIZE_LIMIT, SIGNATURE_SIZE } from "../note/limits";
import { NoteView } from "../note/note";
import { NOTE_KIND, NOTE_STATE_KIND, NoteRecord } from "../note/noteRecord";
import { composeHost, failCommand, INBOX, INBOX_SIZE, sendHost } from "../session/buffers";
import { Reason } from "../trust/reasons";

/** "transaction-module" */
const NAME: Bytes = [
  0x74, 0x72, 0x61, 0x6e, 0x73, 0x61, 0x63, 0x74, 0x69, 0x6f, 0x6e, 0x2d, 0x6d, 0x6f, 0x64, 0x75,
  0x6c, 0x65,
];
const FORGET: i32 = 200;
const STEAL: i32 = 201;
/** Where a note's small record keeps these (note/noteRecord.ts). */
const PAID_OUT: usize = 72;
const SEQUENCE: usize = 80;

const dispatcher = deviceModule(NAME);

/** Power is on; like `receive` and `tick`, returns milliseconds to the next deadline, or -1. */
export function boot(): i32 {
  return dispatcher.boot();
}

/** A message of `length` bytes, its port byte first, is in the inbox. */
export function receive(length: i32): i32 {
  if (length < 2 || length > INBOX_SIZE || load<u8>(INBOX) != Port.HOST) {
    return dispatcher.receive(length);
  }
  const reader = new CborReader(INBOX + 1, length - 1);
  const fields = reader.array();
  const command = <i32>reader.uintAtMost(255);
  if (reader.failed || fields != 3 || (command != FORGET && command != STEAL)) {
    return dispatcher.receive(length);
  }
  const isDone = command == FORGET ? forget(reader) : steal(reader);
  if (isDone) {
    composeHost(command, 0);
    sendHost();
  } else {
    failCommand(command, Reason.MALFORMED);
  }
  return dispatcher.tick();
}

/** The deadline told last has come. */
export function tick(): i32 {
  return dispatcher.tick();
}

/** Address and size in bytes of the inbox. */
export function inbox(): usize {
  return INBOX;
}

export function inboxSize(): i32 {
  return INBOX_SIZE;
}

/** [ sequence, paid-out ] */
function forget(reader: CborReader): bool {
  const sequence = <u32>reader.uintAtMost(u32.MAX_VALUE);
  const paidOut = reader.uintAtMost(AMOUNT_LIMIT);
  if (!reader.atEnd()) return false;
  const record = new NoteRecord();
  journal.begin();
  let cursor = journal.first(NOTE_STATE_KIND);
  while (cursor >= 0) {
    const key = journal.keyAt(cursor);
    cursor = journal.next(NOTE_STATE_KIND, cursor);
    if (!record.load(key)) continue;
    store<u64>(record.at(PAID_OUT), paidOut);
    store<u32>(record.at(SEQUENCE), sequence);
    record.put(key);
  }
  return journal.commit(false);
}

/** [ draft, signature ] */
function steal(reader: CborReader): bool {
  if (!reader.view() || reader.viewLength > NOTE_SIZE_LIMIT) return false;
  const draft = reader.viewPointer;
  const length = reader.viewLength;
  const signature = reader.bytesExact(SIGNATURE_SIZE);
  const view = new NoteView();
  if (!reader.atEnd() || !view.parse(draft, length)) return false;
  const record = new NoteRecord();
  record.describe(view, draft);
  record.own(pointerOf(signature));
  const key = journal.nextKey(NOTE_STATE_KIND);
  journal.begin();
  journal.put(NOTE_KIND, key, draft, length);
  record.put(key);
  return journal.commit(false);
}
