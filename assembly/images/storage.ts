// SPDX-License-Identifier: Apache-2.0
// Test-only image: the journal and the codec exported one by one, so that host tests can drive them
// through power cuts and hostile bytes. It never ships.
import { Bytes, bytesOf, pointerOf } from "../codec/bytes";
import { CborReader } from "../codec/cborReader";
import { CborWriter } from "../codec/cborWriter";
import { Major } from "../codec/cborHead";
import { CoseSign1, coseSign } from "../codec/cose";
import { journal } from "../flash/journal";

const BUFFER_SIZE: i32 = 16896;
const scratch = memory.data(BUFFER_SIZE, 8);

/** Address and size of the buffer that tests pass bytes in. */
export function buffer(): usize {
  return scratch;
}
export function bufferSize(): i32 {
  return BUFFER_SIZE;
}

export function open(): i32 {
  return journal.open();
}
export function damage(): i32 {
  return journal.damage;
}
export function begin(): void {
  journal.begin();
}
export function put(kind: i32, key: u32, value: usize, length: i32): void {
  journal.put(<u8>kind, key, value, length);
}
export function remove(kind: i32, key: u32): void {
  journal.remove(<u8>kind, key);
}
export function commit(sealed: bool): bool {
  return journal.commit(sealed);
}
export function commitReserved(sealed: bool, bytes: i32): bool {
  return journal.commitReserved(sealed, bytes);
}
export function cancel(): void {
  journal.cancel();
}
export function has(kind: i32, key: u32): bool {
  return journal.has(<u8>kind, key);
}
export function lengthOf(kind: i32, key: u32): i32 {
  return journal.lengthOf(<u8>kind, key);
}
export function read(kind: i32, key: u32, offset: i32, pointer: usize, length: i32): bool {
  return journal.read(<u8>kind, key, offset, pointer, length);
}
export function first(kind: i32): i32 {
  return journal.first(<u8>kind);
}
export function next(kind: i32, cursor: i32): i32 {
  return journal.next(<u8>kind, cursor);
}
export function keyAt(cursor: i32): u32 {
  return journal.keyAt(cursor);
}
export function nextKey(kind: i32): u32 {
  return journal.nextKey(<u8>kind);
}
export function freeBytes(): i32 {
  return journal.freeBytes();
}
export function reserve(bytes: i32): bool {
  return journal.reserve(bytes);
}
export function release(bytes: i32): void {
  journal.release(bytes);
}
export function bootCount(): u32 {
  return journal.bootCount();
}
export function erases(page: u32): u32 {
  return journal.erases(page);
}
export function wipe(): void {
  journal.wipe();
}
export function collect(): void {
  __collect();
}

/**
 * Signs `payload` for the purpose (bytes at `purpose`); `kid` is 0 or the address of 8 bytes.
 * Writes the object to `output` and returns its length.
 */
export function signObject(
  purpose: usize,
  purposeLength: i32,
  payload: usize,
  length: i32,
  kid: usize,
  seed: usize,
  publicKey: usize,
  output: usize,
): i32 {
  const name = bytesOf(purpose, purposeLength);
  const reference: Bytes | null = kid == 0 ? null : bytesOf(kid, 8);
  const object = coseSign(name, payload, length, reference, seed, publicKey);
  memory.copy(output, pointerOf(object), <usize>object.length);
  return object.length;
}

/** Parses and verifies an object: -1 = not the one form, 0 = signature wrong, 1 = right. */
export function verifyObject(
  purpose: usize,
  purposeLength: i32,
  object: usize,
  length: i32,
  publicKey: usize,
): i32 {
  const signed = new CoseSign1();
  if (!signed.parse(object, length)) return -1;
  return signed.verify(bytesOf(purpose, purposeLength), publicKey) ? 1 : 0;
}

/** Whether the bytes are exactly one deterministic CBOR item. */
export function cborWellFormed(pointer: usize, length: i32): bool {
  return new CborReader(pointer, length).wellFormed();
}

/**
 * Reads one item by the typed methods and writes it anew at `output`; returns the length written,
 * or -1 where reader or writer fails.
 */
export function cborCopy(pointer: usize, length: i32, output: usize, capacity: i32): i32 {
  const reader = new CborReader(pointer, length);
  const writer = new CborWriter(output, capacity);
  copyItem(reader, writer, 0);
  return reader.atEnd() && !writer.overflow ? writer.length : -1;
}

function copyItem(reader: CborReader, writer: CborWriter, depth: i32): void {
  const major = reader.peekMajor();
  if (major == Major.UNSIGNED) {
    writer.uint(reader.u64());
  } else if (major == Major.NEGATIVE) {
    writer.int(reader.int());
  } else if (major == Major.BYTES) {
    // Written as a string of unknown length, so that the moving of its content is tested too.
    reader.view();
    const mark = writer.beginBytes();
    writer.raw(reader.viewPointer, reader.viewLength);
    writer.endBytes(mark);
  } else if (major == Major.TEXT) {
    writer.textFrom(reader.text(i32.MAX_VALUE));
  } else if (major == Major.SIMPLE) {
    if (reader.isNull()) writer.nil();
    else writer.boolean(reader.bool());
  } else if (depth == 8) {
    reader.skip();
  } else {
    copyItems(reader, writer, major, depth + 1);
  }
}

function copyItems(reader: CborReader, writer: CborWriter, major: i32, depth: i32): void {
  let count = major == Major.MAP ? reader.map() : reader.array();
  if (major == Major.MAP) {
    writer.map(max(count, 0));
    count *= 2;
  } else {
    writer.array(max(count, 0));
  }
  for (; count > 0 && !reader.failed; count--) copyItem(reader, writer, depth);
}
