// SPDX-License-Identifier: Apache-2.0
// The hash over all that went back and forth in a handshake, M1 to M3 as sent: what is sealed and
// the keys hang on it (docs/protocol.cddl section 3; protocol rule 2).
import { Bytes, pointerOf } from "../codec/bytes";
import { wipe } from "../crypto/bytes";
import { SHA256_STATE_SIZE, sha256Begin, sha256End, sha256Update } from "../crypto/sha256";

const hashState: usize = memory.data(SHA256_STATE_SIZE, 8);
const lengthBytes: usize = memory.data(4, 4);

export class Transcript {
  private state: Bytes = new StaticArray<u8>(SHA256_STATE_SIZE);

  constructor() {
    sha256Begin(pointerOf(this.state));
  }

  /** Adds L(message) and the message, so that no two transcripts run into one another. */
  extend(pointer: usize, length: i32): void {
    store<u32>(lengthBytes, bswap<u32>(<u32>length));
    sha256Update(pointerOf(this.state), lengthBytes, 4);
    sha256Update(pointerOf(this.state), pointer, length);
  }

  /** Writes the hash of what was added so far, 32 bytes; more can be added after it. */
  hash(output: usize): void {
    memory.copy(hashState, pointerOf(this.state), SHA256_STATE_SIZE);
    sha256End(hashState, output);
  }

  wipe(): void {
    wipe(pointerOf(this.state), SHA256_STATE_SIZE);
  }
}
