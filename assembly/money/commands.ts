// SPDX-License-Identifier: Apache-2.0
// Commands of the owner's host that start money (protocol rule 1): each is remembered by its id, so
// that a repeated command tells how it stands and never pays twice.
import { Bytes } from "../codec/bytes";
import { journal } from "../flash/journal";
import { composeHost, sendHost } from "../session/buffers";
import { PaymentState } from "./paymentRecord";

const COMMAND_KIND: u8 = 14;
/** Commands remembered; the oldest finished one gives way. */
const COMMANDS_LIMIT: i32 = 16;
const COMMAND_ID_SIZE: i32 = 16;
const FINISHED: i32 = 29;

// A record: command id (16), pay id (16), state, reason.
const RECORD_SIZE: i32 = 34;
const record = memory.data(40, 8);
const state = memory.data(1, 8);

/** Journal key of the command, left in `record` too; 0 where it is not remembered. */
function find(commandId: Bytes): u32 {
  let cursor = journal.first(COMMAND_KIND);
  while (cursor >= 0) {
    const key = journal.keyAt(cursor);
    if (journal.read(COMMAND_KIND, key, 0, record, RECORD_SIZE)) {
      if (memory.compare(record, changetype<usize>(commandId), COMMAND_ID_SIZE) == 0) return key;
    }
    cursor = journal.next(COMMAND_KIND, cursor);
  }
  return 0;
}

/** Whether the command was given before. */
export function isKnownCommand(commandId: Bytes): bool {
  return find(commandId) != 0;
}

/** Remembers a new command as running; false where the journal has no room. */
export function rememberCommand(commandId: Bytes): bool {
  const key = journal.nextKey(COMMAND_KIND);
  memory.fill(record, 0, RECORD_SIZE);
  memory.copy(record, changetype<usize>(commandId), COMMAND_ID_SIZE);
  store<u8>(record, PaymentState.RUNNING, 32);
  journal.begin();
  journal.put(COMMAND_KIND, key, record, RECORD_SIZE);
  removeOldest();
  return journal.commit(false);
}

/**
 * Adds to the open batch that the oldest finished command is forgotten, where there are too many.
 * One in doubt stays: forgotten and repeated, it would withdraw a second time.
 */
function removeOldest(): void {
  let count = 0;
  let oldest: u32 = 0;
  for (let at = journal.first(COMMAND_KIND); at >= 0; at = journal.next(COMMAND_KIND, at)) {
    const key = journal.keyAt(at);
    count++;
    if (oldest != 0 || !journal.read(COMMAND_KIND, key, 32, state, 1)) continue;
    const isOver =
      load<u8>(state) == PaymentState.ABORTED || load<u8>(state) == PaymentState.COMMITTED;
    if (isOver) oldest = key;
  }
  if (count >= COMMANDS_LIMIT && oldest != 0) journal.remove(COMMAND_KIND, oldest);
}

/** Adds a command's new state to the journal's open batch; `value` must live until its commit. */
export function putCommand(commandId: Bytes, payId: Bytes, state: u8, reason: i32): void {
  const key = find(commandId);
  if (key == 0) return;
  const value = new StaticArray<u8>(RECORD_SIZE);
  const start = changetype<usize>(value);
  memory.copy(start, changetype<usize>(commandId), COMMAND_ID_SIZE);
  memory.copy(start + 16, changetype<usize>(payId), payId.length);
  store<u8>(start, state, 32);
  store<u8>(start, <u8>reason, 33);
  journal.putBytes(COMMAND_KIND, key, value);
}

/** At boot: what was running is over. A payment that was promised or made has its own record. */
export function endRunningCommands(reason: i32): void {
  journal.begin();
  let cursor = journal.first(COMMAND_KIND);
  while (cursor >= 0) {
    const key = journal.keyAt(cursor);
    const value = journal.load(COMMAND_KIND, key);
    if (value != null && value.length == RECORD_SIZE && value[32] == PaymentState.RUNNING) {
      value[32] = PaymentState.ABORTED;
      value[33] = <u8>reason;
      journal.putBytes(COMMAND_KIND, key, value);
    }
    cursor = journal.next(COMMAND_KIND, cursor);
  }
  journal.commit(false);
}

/** Tells the host how a command stands (29); false where it is not remembered. */
export function tellCommand(commandId: Bytes): bool {
  if (find(commandId) == 0) return false;
  const state = load<u8>(record, 32);
  const hasPayId = state == PaymentState.COMMITTED || state == PaymentState.IN_DOUBT;
  const writer = composeHost(FINISHED, 7);
  writer.bytes(record, COMMAND_ID_SIZE);
  writer.uint(<u64>state);
  writer.uint(<u64>load<u8>(record, 33));
  writer.nil();
  writer.nil();
  if (hasPayId) writer.bytes(record + 16, 16);
  else writer.nil();
  writer.nil();
  return sendHost();
}
