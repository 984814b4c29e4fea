// SPDX-License-Identifier: Apache-2.0
// Signed objects: untagged COSE_Sign1 (RFC 9052) with Ed25519 (RFC 8032), as the head of
// docs/protocol.cddl defines them. The purpose is the external_aad, so that a signature given for
// one kind of object is worth nothing on another.
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { array, bytes, decodeStrict, encoded, equal, Refusal, ensure } from "./strict.ts";

const PROTECTED = Uint8Array.of(0xa1, 0x01, 0x27); // { 1 (alg): -8 (EdDSA) }
const KID = 4;

/** `COSE<payload>` taken apart, its signature not yet verified. */
export interface SignedObject {
  /** The reference of the signer's certificate, where the object names it. */
  readonly kid: Uint8Array | null;
  /** The payload's bytes, which the signature and the hashes of notes and tickets cover. */
  readonly payload: Uint8Array;
  /** The payload decoded. */
  readonly body: unknown;
  readonly signature: Uint8Array;
}

/** Takes a decoded `COSE<payload>` apart; the payload must be deterministic CBOR too. */
export function readSigned(value: unknown, where: string): SignedObject {
  const [head, unprotected, content, signature] = array(value, where, 4);
  const algorithm = bytes(head, `the protected header of ${where}`);
  ensure(equal(algorithm, PROTECTED), `the protected header of ${where} is not h'a10127'`);
  const payload = bytes(content, `the payload of ${where}`);
  return {
    kid: readKid(unprotected, where),
    payload,
    body: decodeStrict(payload, `the payload of ${where}`),
    signature: bytes(signature, `the signature of ${where}`, 64),
  };
}

function readKid(value: unknown, where: string): Uint8Array | null {
  ensure(value instanceof Map, `the unprotected header of ${where} is not a map`);
  if (value.size === 0) return null;
  const alone = value.size === 1 && value.has(KID);
  ensure(alone, `the unprotected header of ${where} holds more than a kid`);
  return bytes(value.get(KID), `the kid of ${where}`, 8);
}

/** `reference`: the first 8 bytes of the SHA-256 of a whole encoded certificate. */
export function reference(certificate: Uint8Array): Uint8Array {
  return sha256(certificate).subarray(0, 8);
}

/**
 * Refuses unless `signature` is that of `key` over `payload` for this purpose.
 * Strict RFC 8032 verification: points and scalars in their canonical encoding only.
 */
export function verifySignature(
  purpose: string,
  payload: Uint8Array,
  signature: Uint8Array,
  key: Uint8Array,
  where: string,
): void {
  const aad = new TextEncoder().encode(purpose);
  const covered = encoded(["Signature1", PROTECTED, aad, payload]);
  const right = ed25519.verify(signature, covered, key, { zip215: false });
  if (!right) throw new Refusal(`the signature of ${where} for ${purpose} is wrong`);
}
