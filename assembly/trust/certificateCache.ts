// SPDX-License-Identifier: Apache-2.0
// Remembers which certificates were found to be signed by which key, so that their signatures are
// not computed again for every note and session. Sixteen entries, the oldest is replaced.
import { sha256Begin, sha256End, sha256Update, SHA256_STATE_SIZE } from "../crypto/sha256";

const ENTRIES: i32 = 16;
const HASH_SIZE: i32 = 32;

// An entry is SHA-256(certificate hash, issuer's key): the same bytes under another key, or other
// bytes under the same key, do not match. Zeros match nothing.
const table: usize = memory.data(ENTRIES * HASH_SIZE);
const state: usize = memory.data(SHA256_STATE_SIZE, 8);
const candidate: usize = memory.data(HASH_SIZE);
let next: i32 = 0;

function makeEntry(certificateHash: usize, issuerKey: usize): void {
  sha256Begin(state);
  sha256Update(state, certificateHash, HASH_SIZE);
  sha256Update(state, issuerKey, HASH_SIZE);
  sha256End(state, candidate);
}

/** Whether this certificate (32-byte hash) was verified under this 32-byte key before. */
export function isRemembered(certificateHash: usize, issuerKey: usize): bool {
  makeEntry(certificateHash, issuerKey);
  for (let index = 0; index < ENTRIES; index++) {
    if (memory.compare(table + index * HASH_SIZE, candidate, HASH_SIZE) == 0) return true;
  }
  return false;
}

/** Notes that the certificate's signature was verified under this key. */
export function remember(certificateHash: usize, issuerKey: usize): void {
  makeEntry(certificateHash, issuerKey);
  memory.copy(table + next * HASH_SIZE, candidate, HASH_SIZE);
  next = (next + 1) % ENTRIES;
}
