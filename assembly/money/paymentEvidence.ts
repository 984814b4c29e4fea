// SPDX-License-Identifier: Apache-2.0
// What proves a payment to another device: the payee's Ready-to-Commit and the transfers released to
// it, by which a card issuer posts a sale that its merchant withholds (docs/protocol.md section 6).
// The log keeps the former and the transfers' dates; the same key makes the same signatures again.
//
// Behind the parts of a payer's log entry: the date of each part's transfer u64, Ready-to-Commit.
import { Bytes, bytesOf, pointerOf } from "../codec/bytes";
import { CborWriter } from "../codec/cborWriter";
import { Purpose } from "../codec/purpose";
import { journal } from "../flash/journal";
import { PAY_ID_SIZE, SIGNATURE_SIZE } from "../note/limits";
import { encodeTransfer, TRANSFER_SIZE_LIMIT, TransferView } from "../note/transfer";
import { Item } from "../session/hostInterface";
import { identity } from "../trust/identity";
import { Payment } from "./payment";
import { encodeReleased, READY_SIZE_LIMIT } from "./statements";
import { HEAD_SIZE, LOG_KIND, NO_EVIDENCE, PART_SIZE } from "./tranLog";

const DATE_SIZE: i32 = 8;
/** A transfer of the greatest length and its signature, each with its head. */
const SIGNED_SIZE: i32 = TRANSFER_SIZE_LIMIT + 2 + SIGNATURE_SIZE + 2;
const RELEASED_OVERHEAD: i32 = 24;

const count = memory.data(1, 8);

/** Bytes of evidence, at most, about a payment of so many parts. */
export function evidenceSize(parts: i32): i32 {
  return parts * DATE_SIZE + READY_SIZE_LIMIT;
}

/** For the log: what proves `payment`, which this module pays; `ready` was found to be right. */
export function evidenceOf(payment: Payment, ready: usize, length: i32): Bytes {
  if (payment.hasCounter || payment.transactionId.length == 0) return NO_EVIDENCE;
  const outgoing = payment.outgoing!;
  const view = new TransferView();
  const dates = outgoing.count * DATE_SIZE;
  const evidence = new StaticArray<u8>(dates + length);
  const start = pointerOf(evidence);
  for (let i = 0; i < outgoing.count; i++) {
    const draft = outgoing.draft(i);
    view.parse(pointerOf(draft), draft.length);
    store<u64>(start + <usize>(i * DATE_SIZE), view.date);
  }
  memory.copy(start + <usize>dates, ready, length);
  return evidence;
}

/** For export 6: the proven payment with the smallest log key from `cursor` on. */
export function paidItem(cursor: u32): Item {
  const slot = findProven(journal.first(LOG_KIND), cursor);
  // A module that does not open signs nothing any more.
  if (slot < 0 || !journal.isOpen) return new Item(null, -1);
  const entry = journal.load(LOG_KIND, journal.keyAt(slot));
  if (entry == null) return new Item(null, -1);
  const following = findProven(journal.next(LOG_KIND, slot), 0);
  return new Item(paidOf(entry), following < 0 ? -1 : <i64>journal.keyAt(following));
}

function findProven(slot: i32, cursor: u32): i32 {
  for (; slot >= 0; slot = journal.next(LOG_KIND, slot)) {
    const key = journal.keyAt(slot);
    if (key < cursor || !journal.read(LOG_KIND, key, 3, count, 1)) continue;
    if (journal.lengthOf(LOG_KIND, key) > evidenceAt(<i32>load<u8>(count))) break;
  }
  return slot;
}

function evidenceAt(parts: i32): i32 {
  return HEAD_SIZE + parts * PART_SIZE;
}

/** [ COSE<ready>, [+ bstr transfer], released ] of a log entry; null where no key can be read. */
function paidOf(entry: Bytes): Bytes | null {
  const start = pointerOf(entry);
  const parts = <i32>load<u8>(start, 3);
  const dates = evidenceAt(parts);
  const ready = dates + parts * DATE_SIZE;
  const size = READY_SIZE_LIMIT + parts * SIGNED_SIZE + RELEASED_OVERHEAD;
  const writer = new CborWriter(pointerOf(new StaticArray<u8>(size)), size);
  const signatures = new StaticArray<u8>(parts * SIGNATURE_SIZE);
  writer.array(3);
  writer.raw(start + <usize>ready, entry.length - ready);
  writer.array(parts);
  for (let i = 0; i < parts; i++) {
    const part = start + <usize>(HEAD_SIZE + i * PART_SIZE);
    const transfer = encodeTransfer(
      part + 16,
      <u64>load<u32>(part, 64),
      load<u64>(part, 48),
      load<u64>(part, 56),
      start + 40,
      load<u64>(start + <usize>(dates + i * DATE_SIZE)),
      start + 24,
    );
    const place = pointerOf(signatures) + <usize>(i * SIGNATURE_SIZE);
    const payload = pointerOf(transfer);
    if (!identity.signature(Purpose.TRANSFER, payload, transfer.length, place)) return null;
    writer.bytesFrom(transfer);
  }
  writer.rawFrom(encodeReleased(bytesOf(start + 24, PAY_ID_SIZE), signatures));
  return writer.taken();
}
