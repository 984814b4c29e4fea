// SPDX-License-Identifier: Apache-2.0
// A test-only image: exports the cryptography of the firmware for differential tests, the bench and
// counts of instructions. Callers put their bytes in the scratch buffer and pass pointers into it.
export { equalConstantTime, wipe } from "../crypto/bytes";
export { openBox, sealBox } from "../crypto/chacha20poly1305";
export { ed25519PublicKey, ed25519Sign, ed25519Verify } from "../crypto/ed25519";
export { hkdfExpand, hkdfExtract } from "../crypto/hkdf";
export { hmacSha256 } from "../crypto/hmac";
export { hpkeOpen, hpkeSeal } from "../crypto/hpke";
export { scalarMultiplyAdd, scalarReduce } from "../crypto/scalar25519";
export {
  SHA256_STATE_SIZE,
  sha256,
  sha256Begin,
  sha256End,
  sha256Update,
} from "../crypto/sha256";
export {
  SHA512_STATE_SIZE,
  sha512,
  sha512Begin,
  sha512End,
  sha512Update,
} from "../crypto/sha512";
export { x25519, x25519PublicKey } from "../crypto/x25519";

import "../board";

const scratch = memory.data(24576, 16);

/** Address of the scratch buffer. */
export function buffer(): usize {
  return scratch;
}

/** Size of the scratch buffer in bytes. */
export function bufferSize(): i32 {
  return 24576;
}
