// SPDX-License-Identifier: Apache-2.0
// Sealing to a public key: HPKE (RFC 9180) base mode, single shot, with DHKEM(X25519, HKDF-SHA256),
// HKDF-SHA256 and ChaCha20-Poly1305. box = encapsulated key (32 bytes), ciphertext, tag (16).
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";

// Section 7: KEM 0x0020, KDF 0x0001, AEAD 0x0003.
const KEM_SUITE = Uint8Array.of(0x4b, 0x45, 0x4d, 0x00, 0x20);
const SUITE = Uint8Array.of(0x48, 0x50, 0x4b, 0x45, 0x00, 0x20, 0x00, 0x01, 0x00, 0x03);
const BASE_MODE = 0;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

const ascii = (text: string) => new TextEncoder().encode(text);

function labeledExtract(
  suite: Uint8Array,
  salt: Uint8Array,
  label: string,
  ikm: Uint8Array,
): Uint8Array {
  return extract(sha256, concatBytes(ascii("HPKE-v1"), suite, ascii(label), ikm), salt);
}

function labeledExpand(
  suite: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const head = Uint8Array.of(length >> 8, length & 0xff);
  const labeled = concatBytes(head, ascii("HPKE-v1"), suite, ascii(label), info);
  return expand(sha256, prk, labeled, length);
}

/** Section 4.1, ExtractAndExpand over the Diffie-Hellman result and both public keys. */
function sharedSecret(dh: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Uint8Array {
  const prk = labeledExtract(KEM_SUITE, new Uint8Array(), "eae_prk", dh);
  return labeledExpand(KEM_SUITE, prk, "shared_secret", concatBytes(enc, recipient), KEY_BYTES);
}

/** Section 5.1, KeySchedule in base mode: no pre-shared key. The one message has sequence 0. */
function keySchedule(secret: Uint8Array, info: Uint8Array): { key: Uint8Array; nonce: Uint8Array } {
  const nothing = new Uint8Array();
  const context = concatBytes(
    Uint8Array.of(BASE_MODE),
    labeledExtract(SUITE, nothing, "psk_id_hash", nothing),
    labeledExtract(SUITE, nothing, "info_hash", info),
  );
  const prk = labeledExtract(SUITE, secret, "secret", nothing);
  return {
    key: labeledExpand(SUITE, prk, "key", context, KEY_BYTES),
    nonce: labeledExpand(SUITE, prk, "base_nonce", context, NONCE_BYTES),
  };
}

/**
 * Seals `plain` to an X25519 public key.
 * @param ephemeralSecret 32 fresh random bytes, used for this box only
 * @throws {Error} when the recipient's key is a point of small order
 */
export function sealToKey(
  recipient: Uint8Array,
  info: string,
  associatedData: Uint8Array,
  plain: Uint8Array,
  ephemeralSecret: Uint8Array,
): Uint8Array {
  const enc = x25519.getPublicKey(ephemeralSecret);
  const secret = sharedSecret(x25519.getSharedSecret(ephemeralSecret, recipient), enc, recipient);
  const { key, nonce } = keySchedule(secret, ascii(info));
  return concatBytes(enc, chacha20poly1305(key, nonce, associatedData).encrypt(plain));
}

/** Opens a box with the X25519 secret; undefined when it was not sealed to this key and data. */
export function openSealed(
  secretKey: Uint8Array,
  info: string,
  associatedData: Uint8Array,
  box: Uint8Array,
): Uint8Array | undefined {
  try {
    const enc = box.subarray(0, KEY_BYTES);
    const dh = x25519.getSharedSecret(secretKey, enc);
    const secret = sharedSecret(dh, enc, x25519.getPublicKey(secretKey));
    const { key, nonce } = keySchedule(secret, ascii(info));
    return chacha20poly1305(key, nonce, associatedData).decrypt(box.subarray(KEY_BYTES));
  } catch {
    // The library throws for a short box, a key of small order and a wrong tag alike.
    return undefined;
  }
}
