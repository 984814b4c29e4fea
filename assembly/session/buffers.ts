// SPDX-License-Identifier: Apache-2.0
// The two message buffers of an image (Message Interface 136, External Interface 138). The host
// writes each message into the inbox; every outgoing message is composed in the outbox.
//
// A body is composed at a fixed place with room around it, so that each layer that wraps it
// (Fig. 13) writes its head in front and its tag behind without moving anything.
import { Port, send } from "../board";
import { Major, storeHead } from "../codec/cborHead";
import { CborWriter } from "../codec/cborWriter";

/** Size of the inbox: one port byte and the longest body. */
export const INBOX_SIZE: i32 = 6928;
/** Longest body of a session's message; with all layers around it, it stays within every inbox. */
export const BODY_LIMIT: i32 = 6400;
/** Longest body that is composed: a module's message with its own record around it fits, too. */
const COMPOSED_LIMIT: i32 = 6528;

const OUTBOX_HEADROOM: i32 = 320;
const OUTBOX_TAILROOM: i32 = 64;

const outboxArea: usize = memory.data(6912, 8);
const head: usize = memory.data(64, 8);
const bytesHead: usize = memory.data(16, 8);

/** Address of the inbox. */
export const INBOX: usize = memory.data(6928, 8);

let composition: CborWriter = new CborWriter(0, 0);

/** Begins a new body in the outbox; what was composed before and not sent is forgotten. */
export function composeBody(): CborWriter {
  composition = new CborWriter(outboxArea + <usize>OUTBOX_HEADROOM, COMPOSED_LIMIT);
  return composition;
}

/** The body being composed. */
export function composedBody(): CborWriter {
  return composition;
}

/** The end of the outbox, for what must not lie where the body is composed. */
export function scratchAfter(offset: i32): usize {
  assert(offset >= 0 && offset <= COMPOSED_LIMIT + OUTBOX_TAILROOM);
  return outboxArea + <usize>(OUTBOX_HEADROOM + offset);
}

/** A writer for a head that `putInFront` then moves to its place. */
export function beginHead(): CborWriter {
  return new CborWriter(head, 64);
}

/** Writes the head of a byte string whose `length` bytes are in their place already. */
export function writeBytesHead(writer: CborWriter, length: i32): void {
  writer.raw(bytesHead, storeHead(bytesHead, Major.BYTES, <u64>length));
}

/** Copies a finished head to just before `pointer` in the outbox; returns its address. */
export function putInFront(pointer: usize, writer: CborWriter): usize {
  const start = pointer - <usize>writer.length;
  assert(!writer.overflow && start >= outboxArea);
  memory.copy(start, writer.pointer, writer.length);
  return start;
}

/** Begins a message to the owner's host: an array of `number` and `fields` more items. */
export function composeHost(number: i32, fields: i32): CborWriter {
  const writer = composeBody();
  writer.array(fields + 1);
  writer.uint(<u64>number);
  return writer;
}

/** Sends what was composed for the host; false, and nothing sent, where it did not fit. */
export function sendHost(): bool {
  return sendBody(Port.HOST);
}

/** Sends what was composed, as it is, to a port; false, and nothing sent, where it did not fit. */
export function sendBody(port: u8): bool {
  if (composition.overflow) return false;
  send(<i32>port, composition.pointer, composition.length);
  return true;
}

/** Tells the host that a command failed: [ 0, command, reason ]. */
export function failCommand(command: i32, reason: i32): void {
  const writer = composeHost(0, 2);
  writer.uint(<u64>command);
  writer.uint(<u64>reason);
  sendHost();
}
