// SPDX-License-Identifier: Apache-2.0
// Certificates that the stored notes refer to, kept once each, so that a note can be passed on with
// everything its next holder needs (docs/protocol.md section 3: certificates once per packet).
//
// A record: reference of the certificate (8), reference of its server's certificate (8, zeros for a
// server's own), the certificate. Its key is the number in the first four bytes of the reference,
// or one of the next few where another certificate has taken that.
import { journal } from "../flash/journal";
import { NOTE_KIND, NOTE_STATE_KIND } from "./noteRecord";
import { NoteView } from "./note";
import { ID_SIZE, NOTE_SIZE_LIMIT } from "./limits";

export const CERTIFICATE_KIND: u8 = 11;
/** Bytes before the certificate in a record. */
export const CERTIFICATE_OFFSET: i32 = 16;
/** Keys tried for one reference; references are hashes, so that more never collide by chance. */
const PROBES: u32 = 4;
/** Most certificates that one sweep keeps track of. */
const SWEEP_LIMIT: i32 = 160;
/** Most certificates removed in one append, which takes 96 changes. */
const REMOVED_AT_ONCE: i32 = 64;

const head: usize = memory.data(16, 8);

/** Journal key of the certificate with the 8-byte reference at `reference`, or -1. */
export function findCertificate(reference: usize): i64 {
  const first = load<u32>(reference);
  for (let i: u32 = 0; i < PROBES; i++) {
    const key = first + i;
    if (!journal.read(CERTIFICATE_KIND, key, 0, head, ID_SIZE)) continue;
    if (load<u64>(head) == load<u64>(reference)) return <i64>key;
  }
  return -1;
}

/** Reference (as 8 bytes in a number) of the server of the certificate under `key`; 0 for none. */
export function serverReference(key: u32): u64 {
  return journal.read(CERTIFICATE_KIND, key, ID_SIZE, head, ID_SIZE) ? load<u64>(head) : 0;
}

/**
 * Keeps a certificate, in an append of its own, unless it is there. `reference` and `server` are
 * the 8 bytes of each reference as numbers. False when the journal has no room.
 */
export function keepCertificate(pointer: usize, length: i32, reference: u64, server: u64): bool {
  store<u64>(head, reference);
  if (findCertificate(head) >= 0) return true;
  const record = new StaticArray<u8>(CERTIFICATE_OFFSET + length);
  const start = changetype<usize>(record);
  store<u64>(start, reference);
  store<u64>(start, server, ID_SIZE);
  memory.copy(start + <usize>CERTIFICATE_OFFSET, pointer, length);
  for (let i: u32 = 0; i < PROBES; i++) {
    const key = <u32>reference + i;
    if (journal.has(CERTIFICATE_KIND, key)) continue;
    journal.begin();
    journal.put(CERTIFICATE_KIND, key, start, record.length);
    return journal.commit(false);
  }
  return false;
}

/** A set of references, as 8-byte numbers. */
export class References {
  count: i32 = 0;
  values: StaticArray<u64>;

  constructor(limit: i32) {
    this.values = new StaticArray<u64>(limit);
  }

  has(reference: u64): bool {
    for (let i = 0; i < this.count; i++) if (this.values[i] == reference) return true;
    return false;
  }

  /** Adds a reference unless it is there; false when the set is full. */
  add(reference: u64): bool {
    if (this.has(reference)) return true;
    if (this.count == this.values.length) return false;
    this.values[this.count++] = reference;
    return true;
  }
}

/** Adds the references of every signer of a note's body and transfers. */
export function addSigners(view: NoteView, references: References): bool {
  if (!references.add(load<u64>(view.bodyCose.kidPointer))) return false;
  view.rewind();
  while (view.next()) if (!references.add(load<u64>(view.kid))) return false;
  return true;
}

/**
 * Removes certificates that no stored note refers to, at boot and when a packet's find no room: in
 * between they pile up, with each peer whose money came and went. `scratch`: room for a note.
 */
export function sweepCertificates(scratch: usize): void {
  const used = new References(SWEEP_LIMIT);
  const view = new NoteView();
  let cursor = journal.first(NOTE_STATE_KIND);
  while (cursor >= 0) {
    const key = journal.keyAt(cursor);
    const length = journal.lengthOf(NOTE_KIND, key);
    // Rather too many certificates than one too few: where anything is odd, nothing is removed.
    if (length < 0 || length > NOTE_SIZE_LIMIT) return;
    if (!journal.read(NOTE_KIND, key, 0, scratch, length)) return;
    if (!view.parse(scratch, length)) return;
    if (!addSigners(view, used)) return;
    cursor = journal.next(NOTE_STATE_KIND, cursor);
  }
  addServers(used);
  removeUnused(used);
}

/** Adds the servers of the certificates in the set. */
function addServers(used: References): void {
  const holders = used.count;
  const reference = memory.data(8, 8);
  for (let i = 0; i < holders; i++) {
    store<u64>(reference, used.values[i]);
    const key = findCertificate(reference);
    if (key >= 0) used.add(serverReference(<u32>key));
  }
}

function removeUnused(used: References): void {
  journal.begin();
  let count = 0;
  let cursor = journal.first(CERTIFICATE_KIND);
  while (cursor >= 0 && count < REMOVED_AT_ONCE) {
    const key = journal.keyAt(cursor);
    if (journal.read(CERTIFICATE_KIND, key, 0, head, ID_SIZE) && !used.has(load<u64>(head))) {
      journal.remove(CERTIFICATE_KIND, key);
      count++;
    }
    cursor = journal.next(CERTIFICATE_KIND, cursor);
  }
  // Nothing depends on it: what was not removed now is removed another time.
  journal.commit(false);
}
