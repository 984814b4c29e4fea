// SPDX-License-Identifier: Apache-2.0
// The transfer tree of par. 133 (Fig. 20 steps 1602-1604): two histories of one note body are laid
// beside each other; where they part, the two transfers must not overlap. What overlaps was paid
// twice by the module that signed both.
import { NoteView } from "./note";
import { NoteRecord } from "./noteRecord";

/** Whether both notes are branches of one body. */
export function isSameBody(a: NoteView, b: NoteView): bool {
  const length = a.bodyCose.payloadLength;
  if (length != b.bodyCose.payloadLength) return false;
  return memory.compare(a.bodyCose.payloadPointer, b.bodyCose.payloadPointer, length) == 0;
}

/**
 * Whether the received history is one that no honest modules can have made beside the other one.
 * Both views are of notes with the same body. `record` is that of a stored note; null where the
 * other one came in the same packet, so that neither can go on from the other.
 */
export function isDuplicated(
  stored: NoteView,
  record: NoteRecord | null,
  received: NoteView,
): bool {
  stored.rewind();
  received.rewind();
  while (true) {
    const storedGoesOn = stored.next();
    const receivedGoesOn = received.next();
    // The received note ends on the stored one's path: what it pays was received here before.
    if (!receivedGoesOn) return true;
    // The stored note ends first: the received one goes on with a part that this module paid out.
    if (!storedGoesOn) return record == null || exceedsPaidOut(record, received);
    if (isSamePayload(stored, received)) continue;
    return overlaps(stored, received);
  }
}

function isSamePayload(a: NoteView, b: NoteView): bool {
  if (a.payloadLength != b.payloadLength) return false;
  return memory.compare(a.payloadPointer, b.payloadPointer, a.payloadLength) == 0;
}

/** Two different transfers from one parent: the same number, or parts that overlap, convict. */
function overlaps(a: NoteView, b: NoteView): bool {
  const one = a.transfer;
  const other = b.transfer;
  if (one.sequence == other.sequence) return true;
  return one.offset < other.offset + other.amount && other.offset < one.offset + one.amount;
}

/** An own transfer that this module has no trace of having made. */
function exceedsPaidOut(record: NoteRecord, received: NoteView): bool {
  const own = received.transfer;
  return own.sequence > <u64>record.sequence || own.offset + own.amount > record.paidOut;
}
