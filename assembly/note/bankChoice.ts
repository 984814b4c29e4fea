// SPDX-License-Identifier: Apache-2.0
// Notes on their way back to a bank and what it gives for them (docs/protocol.cddl section 8, 81):
// what nobody else takes goes first, then what expires first; what lives longest comes in return.
import { Bytes, pointerOf } from "../codec/bytes";
import { CoseSign1 } from "../codec/cose";
import { journal } from "../flash/journal";
import { scratchAfter } from "../session/buffers";
import {
  Choice,
  Directory,
  expiryOf,
  isReserved,
  isSpendable,
  keyOf,
  remainingOf,
  rowAt,
  transfersOf,
  unitOf,
} from "./directory";
import { NOTES_LIMIT, PACKET_NOTES_LIMIT } from "./limits";
import { BodyView } from "./note";
import { NOTE_KIND, NoteRecord } from "./noteRecord";

/** Which rows have been looked at, one byte each. */
const seen: usize = memory.data(NOTES_LIMIT);

/** Which notes are taken first. */
export namespace Order {
  /** On the way to a bank: those that only a bank takes, then by expiry, then by transfers. */
  export const OLDEST: bool = false;
  /** The other way round, and none that only a bank takes. */
  export const FRESHEST: bool = true;
}

/**
 * Chooses whole notes in an `Order`, and a part of the last one, for `most` minor units at most.
 * `issuer`: name of the bank whose notes alone are taken; empty for any. Returns what they come to.
 */
export function chooseInOrder(
  order: bool,
  directory: Directory,
  unit: u32,
  most: u64,
  nowSeconds: u64,
  issuer: Bytes,
  choice: Choice,
): u64 {
  let sum: u64 = 0;
  choice.count = 0;
  memory.fill(seen, 0, NOTES_LIMIT);
  while (sum < most && choice.count < PACKET_NOTES_LIMIT) {
    let best = -1;
    for (let i = 0; i < directory.count; i++) {
      const row = rowAt(i);
      if (load<u8>(seen + <usize>i) != 0 || unitOf(row) != unit || isReserved(row)) continue;
      if (!isSpendable(row, nowSeconds, order == Order.OLDEST)) continue;
      if (best < 0 || isOlder(row, rowAt(best), nowSeconds) != order) best = i;
    }
    if (best < 0) break;
    store<u8>(seen + <usize>best, 1);
    const row = rowAt(best);
    if (issuer.length > 0 && !isIssuedBy(keyOf(row), issuer)) continue;
    const value = min(remainingOf(row), most - sum);
    choice.keys[choice.count] = keyOf(row);
    choice.values[choice.count++] = value;
    sum += value;
  }
  return sum;
}

/** Whether the note in row `a` is to go back to a bank before that in row `b`. */
function isOlder(a: usize, b: usize, nowSeconds: u64): bool {
  const isOther = isSpendable(b, nowSeconds, false);
  if (isSpendable(a, nowSeconds, false) != isOther) return isOther;
  if (expiryOf(a) != expiryOf(b)) return expiryOf(a) < expiryOf(b);
  return transfersOf(a) > transfersOf(b);
}

/** Whether the body of the stored note under `key` names this issuer. */
function isIssuedBy(key: u32, issuer: Bytes): bool {
  const record = new NoteRecord();
  const cose = new CoseSign1();
  const body = new BodyView();
  // Nothing is being composed now: the outbox has room for the body.
  const place = scratchAfter(0);
  if (!record.load(key) || !journal.read(NOTE_KIND, key, 1, place, record.bodyLength)) return false;
  if (!cose.parse(place, record.bodyLength)) return false;
  if (!body.parse(cose.payloadPointer, cose.payloadLength)) return false;
  if (body.issuerLength != issuer.length) return false;
  return memory.compare(body.issuer, pointerOf(issuer), issuer.length) == 0;
}
