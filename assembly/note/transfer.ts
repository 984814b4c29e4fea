// SPDX-License-Identifier: Apache-2.0
// A transfer: one link in a note's history, signed by the holder of its parent (docs/protocol.cddl
// section 6; par. 128-130 of the patent's Transfer Notes, Fig. 20 step 1568).
import { Bytes } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { AMOUNT_LIMIT, HASH_SIZE, ID_SIZE, PAY_ID_SIZE, SECONDS_PER_HOUR } from "./limits";

/** Bytes that the longest encoded transfer takes: heads and values of its seven elements. */
export const TRANSFER_SIZE_LIMIT: i32 = 112;

const buffer: usize = memory.data(TRANSFER_SIZE_LIMIT, 8);

/** One reader for all transfers: a packet holds dozens, and must leave no garbage. */
const shared: CborReader = new CborReader(0, 0);

/** Reads a byte string of exactly `size` bytes and gives its address, or 0 (reader failed). */
export function viewExactly(reader: CborReader, size: i32): usize {
  if (!reader.view()) return 0;
  if (reader.viewLength != size) {
    reader.failed = true;
    return 0;
  }
  return reader.viewPointer;
}

/** A transfer's payload as it lies in memory; the pointers are into the parsed range. */
export class TransferView {
  /** SHA-256 of the parent's payload, 32 bytes. */
  parent: usize = 0;
  /** Counts the transfers made from one parent, from 1. */
  sequence: u64 = 0;
  /** Sum released earlier from the same parent, in minor units. */
  offset: u64 = 0;
  /** Minor units, more than 0. */
  amount: u64 = 0;
  /** Id of the module that holds the amount by this transfer, 8 bytes. */
  transferee: usize = 0;
  /** Seconds since 1970, a whole hour. */
  date: u64 = 0;
  payId: usize = 0;

  /** Reads an encoded transfer. False when its form is wrong or a number is out of range. */
  parse(pointer: usize, length: i32): bool {
    const reader = shared;
    reader.restart(pointer, length);
    if (!reader.arrayOf(7)) return false;
    this.parent = viewExactly(reader, HASH_SIZE);
    this.sequence = reader.uintAtMost(u32.MAX_VALUE);
    this.offset = reader.uintAtMost(AMOUNT_LIMIT);
    this.amount = reader.uintAtMost(AMOUNT_LIMIT);
    this.transferee = viewExactly(reader, ID_SIZE);
    this.date = reader.uintAtMost(AMOUNT_LIMIT);
    this.payId = viewExactly(reader, PAY_ID_SIZE);
    if (reader.failed || !reader.atEnd()) return false;
    // Dates are rounded so that a note's history tells its later holders less (W15).
    return this.amount > 0 && this.date % SECONDS_PER_HOUR == 0;
  }

  /**
   * True when this transfer fits a parent of `parentAmount` minor units: it lies within it, and the
   * first one, and only it, starts at 0 (amounts are more than 0, so each later one starts higher).
   */
  fits(parentAmount: u64): bool {
    if (this.sequence == 0 || this.offset < this.sequence - 1) return false;
    if ((this.sequence == 1) != (this.offset == 0)) return false;
    return this.offset <= parentAmount && this.amount <= parentAmount - this.offset;
  }
}

/** Encodes a transfer's payload. `parent`, `transferee`, `payId`: 32, 8 and 16 bytes. */
export function encodeTransfer(
  parent: usize,
  sequence: u64,
  offset: u64,
  amount: u64,
  transferee: usize,
  date: u64,
  payId: usize,
): Bytes {
  const writer = new CborWriter(buffer, TRANSFER_SIZE_LIMIT);
  writer.array(7);
  writer.bytes(parent, HASH_SIZE);
  writer.uint(sequence);
  writer.uint(offset);
  writer.uint(amount);
  writer.bytes(transferee, ID_SIZE);
  writer.uint(date - (date % SECONDS_PER_HOUR));
  writer.bytes(payId, PAY_ID_SIZE);
  return writer.taken();
}
