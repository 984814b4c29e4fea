// SPDX-License-Identifier: Apache-2.0
// What became of the owner's last commands, so that a repeated one is answered and not done again
// (docs/protocol.md section 1: the link may repeat `pay 10` after a reboot). To Host 160.
import { Bytes } from "../codec/bytes";
import { CborWriter } from "../codec/cborWriter";
import { journal } from "../flash/journal";
import { composeHost, sendHost } from "../session/buffers";
import { findTicket } from "../ticket/ticketHolder";
import { arrayWriter, findRecord, loadRecord, makeRoom, putRecord } from "./records";
import { writeOrNull } from "./tranLog";

const COMMAND_RECORD: u8 = 24;
/** Results kept; the oldest makes room. */
const RESULTS_MAX: i32 = 16;
const FINISHED: i32 = 29;

/** Bytes of a command id. */
export const COMMAND_ID_SIZE: i32 = 16;
const NO_ID: Bytes = [];

/** How a command ended, or how it stands: the content of message 29. */
export class CommandResult {
  /** Payment-state of docs/protocol.cddl section 5. */
  state: i32 = 0;
  reason: i32 = 0;
  /** The card network's response code where it refused the card. */
  code: Bytes | null = null;
  transactionId: Bytes | null = null;
  payId: Bytes | null = null;
  ticketId: Bytes | null = null;

  constructor(public commandId: Bytes) {}

  /** Tells the host [ 29, ... ]; `ticket` is looked up where it is not given. */
  tell(ticket: Bytes | null): void {
    let encoded = ticket;
    const ticketId = this.ticketId;
    if (encoded === null && ticketId !== null) {
      const kept = findTicket(ticketId);
      if (kept !== null) encoded = kept.encoded;
    }
    const writer = composeHost(FINISHED, 7);
    writer.bytesFrom(this.commandId);
    writer.uint(u64(this.state));
    writer.uint(u64(this.reason));
    writeCode(writer, this.code);
    writeOrNull(writer, this.transactionId);
    writeOrNull(writer, this.payId);
    writeOrNull(writer, encoded);
    sendHost();
  }
}

function writeCode(writer: CborWriter, code: Bytes | null): void {
  if (code !== null && code.length > 0) writer.textFrom(code);
  else writer.nil();
}

/** Adds the result to the open batch of the journal. */
export function putResult(result: CommandResult): void {
  makeRoom(COMMAND_RECORD, RESULTS_MAX);
  const writer = arrayWriter();
  writer.array(6);
  writer.uint(u64(result.state));
  writer.uint(u64(result.reason));
  writeCode(writer, result.code);
  writeOrNull(writer, result.transactionId);
  writeOrNull(writer, result.payId);
  writeOrNull(writer, result.ticketId);
  const key = journal.nextKey(COMMAND_RECORD);
  putRecord(COMMAND_RECORD, key, result.commandId, NO_ID, writer);
}

/** The result of a command that ended; null where it is not (or no longer) known. */
export function findResult(commandId: Bytes): CommandResult | null {
  const key = findRecord(COMMAND_RECORD, 0, commandId);
  const record = key >= 0 ? loadRecord(COMMAND_RECORD, u32(key)) : null;
  if (record === null) return null;
  const reader = record.reader;
  reader.arrayOf(6);
  const result = new CommandResult(commandId);
  result.state = i32(reader.u64());
  result.reason = i32(reader.u64());
  if (!reader.isNull()) result.code = reader.text(2);
  if (!reader.isNull()) result.transactionId = reader.bytes();
  if (!reader.isNull()) result.payId = reader.bytes();
  if (!reader.isNull()) result.ticketId = reader.bytes();
  return result;
}
