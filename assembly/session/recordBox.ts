// SPDX-License-Identifier: Apache-2.0
// The one form of encryption under a shared key, for all layers of Fig. 13 (docs/protocol.cddl
// section 3): ChaCha20-Poly1305, the record's counter as nonce, its place as associated data.
import { Bytes } from "../codec/bytes";
import { CborWriter } from "../codec/cborWriter";
import { openBox, sealBox, TAG_SIZE } from "../crypto/chacha20poly1305";

/** Layers: 436 between agents, 442 between modules, 438 and 440 between an agent and its module. */
export namespace Layer {
  export const AGENTS: u8 = 1;
  export const MODULES: u8 = 2;
  export const LOCAL: u8 = 3;
  export const PAYMENT: u8 = 4;
}

const AAD_SIZE: i32 = 48;
const aad: usize = memory.data(48);
const nonce: usize = memory.data(12, 4);

/** Where a record stands; sealed with it, so that it opens nowhere else. */
function describe(layer: u8, direction: u8, counter: u64, type: i32, id: Bytes): i32 {
  const writer = new CborWriter(aad, AAD_SIZE);
  writer.array(6);
  writer.uint(1);
  writer.uint(<u64>layer);
  writer.uint(<u64>direction);
  writer.uint(counter);
  writer.uint(<u64>type);
  writer.bytesFrom(id);
  assert(!writer.overflow);
  store<u32>(nonce, 0);
  store<u64>(nonce + 4, counter);
  return writer.length;
}

/** Seals `length` bytes in place, with 16 bytes of room behind them; returns the box's length. */
export function sealRecord(
  key: Bytes,
  layer: u8,
  direction: u8,
  counter: u64,
  type: i32,
  id: Bytes,
  plain: usize,
  length: i32,
): i32 {
  const aadLength = describe(layer, direction, counter, type, id);
  const keyAt = changetype<usize>(key);
  sealBox(keyAt, nonce, aad, aadLength, plain, length, plain);
  return length + TAG_SIZE;
}

/** Opens a box in place; false, and nothing changed, unless it was sealed for this very place. */
export function openRecord(
  key: Bytes,
  layer: u8,
  direction: u8,
  counter: u64,
  type: i32,
  id: Bytes,
  box: usize,
  length: i32,
): bool {
  if (length < TAG_SIZE) return false;
  const aadLength = describe(layer, direction, counter, type, id);
  return openBox(changetype<usize>(key), nonce, aad, aadLength, box, length, box);
}
