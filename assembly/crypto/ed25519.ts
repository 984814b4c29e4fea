// SPDX-License-Identifier: Apache-2.0
// Ed25519 signatures (RFC 8032, section 5.1). Signing is constant time; verification is strict:
// one valid signature per message and nonce, so that a signature can be named by its bytes.
import { wipe } from "./bytes";
import { baseMultiply } from "./comb25519";
import { POINT_SIZE, pointDecode, pointEncode, pointIsSmallOrder } from "./edwards25519";
import { scalarIsCanonical, scalarMultiplyAdd, scalarReduce } from "./scalar25519";
import { SHA512_STATE_SIZE, sha512, sha512Begin, sha512End, sha512Update } from "./sha512";
import { verifyMultiply } from "./verify25519";

/** The hashed seed: the secret scalar and the prefix of section 5.1.5, 32 bytes each. */
const expanded = memory.data(64, 8);
const hashState = memory.data(SHA512_STATE_SIZE, 8);
const digest = memory.data(64, 8);
const nonce = memory.data(32, 8);
const challenge = memory.data(32, 8);
const point = memory.data(POINT_SIZE, 8);

/** output = the 32-byte public key of the 32-byte seed (section 5.1.5). */
export function ed25519PublicKey(output: usize, seed: usize): void {
  expandSeed(seed);
  baseMultiply(point, expanded);
  pointEncode(output, point);
  wipe(expanded, 64);
  wipe(point, POINT_SIZE);
}

/**
 * signature = the 64-byte signature of section 5.1.6. `publicKey` must belong to `seed`: the caller
 * keeps the pair together, since two keys under one seed would reveal it. Where a `head` is given,
 * what is signed is head and message joined; a long message need not be copied behind its head.
 */
export function ed25519Sign(
  signature: usize,
  message: usize,
  length: i32,
  seed: usize,
  publicKey: usize,
  head: usize = 0,
  headLength: i32 = 0,
): void {
  expandSeed(seed);
  sha512Begin(hashState);
  sha512Update(hashState, expanded + 32, 32);
  sha512Update(hashState, head, headLength);
  sha512Update(hashState, message, length);
  sha512End(hashState, digest);
  scalarReduce(nonce, digest);
  wipe(digest, 64);
  baseMultiply(point, nonce);
  pointEncode(signature, point);
  computeChallenge(signature, publicKey, message, length, head, headLength);
  scalarMultiplyAdd(signature + 32, challenge, expanded, nonce);
  wipe(expanded, 64);
  wipe(challenge, 32);
  wipe(nonce, 32);
  wipe(point, POINT_SIZE);
}

/**
 * Tells whether the signature is valid for the message under `publicKey`: S below L, both points
 * canonical and not of small order, and S B = R + k A exactly, without the cofactor. `head` as in
 * `ed25519Sign`.
 */
export function ed25519Verify(
  signature: usize,
  message: usize,
  length: i32,
  publicKey: usize,
  head: usize = 0,
  headLength: i32 = 0,
): bool {
  if (!scalarIsCanonical(signature + 32)) return false;
  if (!pointDecode(point, publicKey) || pointIsSmallOrder(point)) return false;
  computeChallenge(signature, publicKey, message, length, head, headLength);
  // R is computed and encoded, never decoded: only its canonical encoding can be equal.
  verifyMultiply(point, signature + 32, challenge);
  if (pointIsSmallOrder(point)) return false;
  pointEncode(digest, point);
  return memory.compare(digest, signature, 32) == 0;
}

function expandSeed(seed: usize): void {
  sha512(seed, 32, expanded);
  store<u8>(expanded, load<u8>(expanded) & 248);
  store<u8>(expanded, (load<u8>(expanded, 31) & 127) | 64, 31);
}

/** challenge = SHA-512(R, A, head, message) modulo L; `signature` begins with R. */
function computeChallenge(
  signature: usize,
  publicKey: usize,
  message: usize,
  length: i32,
  head: usize,
  headLength: i32,
): void {
  sha512Begin(hashState);
  sha512Update(hashState, signature, 32);
  sha512Update(hashState, publicKey, 32);
  sha512Update(hashState, head, headLength);
  sha512Update(hashState, message, length);
  sha512End(hashState, digest);
  scalarReduce(challenge, digest);
  wipe(digest, 64);
}
