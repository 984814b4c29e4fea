// SPDX-License-Identifier: Apache-2.0
// A test-only image: exports the cryptography of the firmware for differential tests, the bench and
// counts of instructions. Callers put their bytes in the scratch buffer and pass pointers into it.
export { equalConstantTime, wipe } from "../crypto/bytes";
export { openBox, sealBox } from "../crypto/chacha20poly1305";
export { ed25519PublicKey } from "../crypto/ed25519";
export { fieldFromBytes, fieldToBytes } from "../crypto/encoding25519";
export { POINT_SIZE, pointDecode, pointEncode } from "../crypto/edwards25519";
export {
  fieldAdd,
  fieldMultiply,
  fieldSquare,
  fieldSubtract,
} from "../crypto/field25519";
export { hkdfExpand, hkdfExtract } from "../crypto/hkdf";
export { hmacSha256 } from "../crypto/hmac";
export { hpkeOpen, hpkeSeal } from "../crypto/hpke";
export { fieldInvert } from "../crypto/inverse25519";
export { poly1305Begin, poly1305End, poly1305Padded } from "../crypto/poly1305";
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
import { ed25519Sign as signParts, ed25519Verify as verifyParts } from "../crypto/ed25519";

const scratch = memory.data(24576, 16);

/** Address of the scratch buffer. */
export function buffer(): usize {
  return scratch;
}

/** Size of the scratch buffer in bytes. */
export function bufferSize(): i32 {
  return 24576;
}

/** `ed25519Sign` with every argument given: a host cannot leave out the optional ones. */
export function ed25519Sign(
  signature: usize,
  message: usize,
  length: i32,
  seed: usize,
  publicKey: usize,
  head: usize,
  headLength: i32,
): void {
  signParts(signature, message, length, seed, publicKey, head, headLength);
}

/** `ed25519Verify` with every argument given. */
export function ed25519Verify(
  signature: usize,
  message: usize,
  length: i32,
  publicKey: usize,
  head: usize,
  headLength: i32,
): bool {
  return verifyParts(signature, message, length, publicKey, head, headLength);
}
