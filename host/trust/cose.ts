// SPDX-License-Identifier: Apache-2.0
// Signed objects as the host reads and writes them: untagged COSE_Sign1 (RFC 9052 section 4.2)
// with Ed25519 (RFC 8032) and the purpose as external_aad. docs/protocol.cddl lists the purposes.
import { ed25519 } from "@noble/curves/ed25519.js";
import { decodeCbor, encodeCbor, equalBytes } from "./cbor.ts";

/** Protected header { 1: -8 }, algorithm EdDSA: the only one (no negotiation). */
const PROTECTED_HEADER = Uint8Array.of(0xa1, 0x01, 0x27);
/** Header parameter 4 is kid (RFC 9052 table 3): the reference of the signer's certificate. */
const KEY_ID_LABEL = 4;
const KEY_ID_BYTES = 8;
const SIGNATURE_BYTES = 64;

/** The parts of a signed object whose form is right; its signature is not checked yet. */
export interface SignedObject {
  readonly keyId: Uint8Array | undefined;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** What is signed: Sig_structure of RFC 9052 section 4.4. */
export function signedBytes(purpose: string, payload: Uint8Array): Uint8Array {
  const externalData = new TextEncoder().encode(purpose);
  return encodeCbor(["Signature1", PROTECTED_HEADER, externalData, payload]);
}

/** Joins payload and signature to a COSE_Sign1. `keyId` is 8 bytes or left out. */
export function assembleSigned(
  payload: Uint8Array,
  signature: Uint8Array,
  keyId?: Uint8Array,
): Uint8Array {
  const headers = new Map(keyId === undefined ? [] : [[KEY_ID_LABEL, keyId]]);
  return encodeCbor([PROTECTED_HEADER, headers, payload, signature]);
}

/** Signs `payload` for one purpose. `seed` is the 32-byte Ed25519 secret. */
export function signObject(
  purpose: string,
  payload: Uint8Array,
  seed: Uint8Array,
  keyId?: Uint8Array,
): Uint8Array {
  return assembleSigned(payload, ed25519.sign(signedBytes(purpose, payload), seed), keyId);
}

/** Reads a COSE_Sign1; undefined when it is not exactly the one form that Florin writes. */
export function parseSigned(bytes: Uint8Array): SignedObject | undefined {
  const item = decodeCbor(bytes);
  if (!Array.isArray(item) || item.length !== 4) return undefined;
  const [header, unprotected, payload, signature] = item as unknown[];
  if (!(header instanceof Uint8Array) || !equalBytes(header, PROTECTED_HEADER)) return undefined;
  if (!(unprotected instanceof Map) || unprotected.size > 1) return undefined;
  if (!(payload instanceof Uint8Array)) return undefined;
  if (!(signature instanceof Uint8Array) || signature.length !== SIGNATURE_BYTES) return undefined;
  if (unprotected.size === 0) return { keyId: undefined, payload, signature };
  const keyId: unknown = unprotected.get(KEY_ID_LABEL);
  if (!(keyId instanceof Uint8Array) || keyId.length !== KEY_ID_BYTES) return undefined;
  return { keyId, payload, signature };
}

/** Checks the signature for this purpose, by the strict rules of RFC 8032 section 5.1.7. */
export function verifySigned(
  object: SignedObject,
  purpose: string,
  publicKey: Uint8Array,
): boolean {
  try {
    const message = signedBytes(purpose, object.payload);
    return ed25519.verify(object.signature, message, publicKey, { zip215: false });
  } catch {
    // The library throws for a public key that is no point; that is simply not a valid signature.
    return false;
  }
}
