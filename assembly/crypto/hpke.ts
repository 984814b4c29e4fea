// SPDX-License-Identifier: Apache-2.0
// HPKE (RFC 9180) in base mode, single shot, with the one suite of Florin: DHKEM(X25519,
// HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305. Names follow sections 4 and 5 of the RFC.
import { wipe } from "./bytes";
import { openBox, sealBox, TAG_SIZE } from "./chacha20poly1305";
import { hmacSha256Begin, hmacSha256End, hmacSha256Update } from "./hmac";
import { x25519, x25519PublicKey } from "./x25519";

const ENC_SIZE: i32 = 32;
/** Bytes that a sealed message is longer than its plain text: the ephemeral key and the tag. */
export const HPKE_OVERHEAD: i32 = ENC_SIZE + TAG_SIZE;

const HASH_SIZE: i32 = 32;
const KEY_SIZE: i32 = 32;
const NONCE_SIZE: i32 = 12;

/** "HPKE-v1" */
const VERSION = memory.data<u8>([0x48, 0x50, 0x4b, 0x45, 0x2d, 0x76, 0x31]);
/** "KEM" and the number of DHKEM(X25519, HKDF-SHA256). */
const KEM_SUITE = memory.data<u8>([0x4b, 0x45, 0x4d, 0x00, 0x20]);
/** "HPKE" and the numbers of the three algorithms. */
const SUITE = memory.data<u8>([0x48, 0x50, 0x4b, 0x45, 0x00, 0x20, 0x00, 0x01, 0x00, 0x03]);
/**
 * The labels "eae_prk", "shared_secret", "psk_id_hash", "info_hash", "secret", "key",
 * "base_nonce".
 */
const EAE_PRK = memory.data<u8>([0x65, 0x61, 0x65, 0x5f, 0x70, 0x72, 0x6b]);
const SHARED_SECRET = memory.data<u8>([
  0x73, 0x68, 0x61, 0x72, 0x65, 0x64, 0x5f, 0x73, 0x65, 0x63, 0x72, 0x65, 0x74,
]);
const PSK_ID_HASH = memory.data<u8>([
  0x70, 0x73, 0x6b, 0x5f, 0x69, 0x64, 0x5f, 0x68, 0x61, 0x73, 0x68,
]);
const INFO_HASH = memory.data<u8>([0x69, 0x6e, 0x66, 0x6f, 0x5f, 0x68, 0x61, 0x73, 0x68]);
const SECRET = memory.data<u8>([0x73, 0x65, 0x63, 0x72, 0x65, 0x74]);
const KEY = memory.data<u8>([0x6b, 0x65, 0x79]);
const BASE_NONCE = memory.data<u8>([0x62, 0x61, 0x73, 0x65, 0x5f, 0x6e, 0x6f, 0x6e, 0x63, 0x65]);

/** enc and the recipient's key, as the KEM hashes them. */
const kemContext = memory.data(2 * 32, 8);
/** The mode (0, base), psk_id_hash and info_hash. */
const context = memory.data(1 + 2 * 32, 8);
const secret = memory.data(32, 8);
const key = memory.data(32, 8);
const nonce = memory.data(12, 8);
const block = memory.data(32, 8);
const frame = memory.data(2, 8);

/**
 * Seals `plain` to the recipient's public key: writes enc (32 bytes), cipher text and tag, that is
 * plainLength + HPKE_OVERHEAD bytes, to `output`, which must not overlap `plain`.
 * `ephemeralSecret` is 32 fresh random bytes; it is used once and wiped. False, and nothing of use
 * written, where the recipient's key has small order.
 */
export function hpkeSeal(
  output: usize,
  recipientKey: usize,
  info: usize,
  infoLength: i32,
  aad: usize,
  aadLength: i32,
  plain: usize,
  plainLength: i32,
  ephemeralSecret: usize,
): bool {
  x25519PublicKey(output, ephemeralSecret);
  memory.copy(kemContext, output, ENC_SIZE);
  memory.copy(kemContext + ENC_SIZE, recipientKey, KEY_SIZE);
  const agreed = x25519(secret, ephemeralSecret, recipientKey);
  wipe(ephemeralSecret, KEY_SIZE);
  if (agreed) {
    scheduleKeys(info, infoLength);
    sealBox(key, nonce, aad, aadLength, plain, plainLength, output + ENC_SIZE);
  }
  wipeKeys();
  return agreed;
}

/**
 * Opens what `hpkeSeal` made: writes boxLength - HPKE_OVERHEAD bytes to `output`, which may be
 * box + 32 but overlaps `box` in no other way. `recipientKey` is the public key of
 * `recipientSecret`. False, and nothing written, where the box is too short or not genuine.
 */
export function hpkeOpen(
  output: usize,
  recipientSecret: usize,
  recipientKey: usize,
  info: usize,
  infoLength: i32,
  aad: usize,
  aadLength: i32,
  box: usize,
  boxLength: i32,
): bool {
  if (boxLength < HPKE_OVERHEAD) return false;
  memory.copy(kemContext, box, ENC_SIZE);
  memory.copy(kemContext + ENC_SIZE, recipientKey, KEY_SIZE);
  let opened = x25519(secret, recipientSecret, box);
  if (opened) {
    scheduleKeys(info, infoLength);
    const sealed = box + ENC_SIZE;
    opened = openBox(key, nonce, aad, aadLength, sealed, boxLength - ENC_SIZE, output);
  }
  wipeKeys();
  return opened;
}

/** Sections 4.1 and 5.1: from the agreed secret to key and nonce. */
function scheduleKeys(info: usize, infoLength: i32): void {
  labeledExtract(secret, 0, 0, KEM_SUITE, 5, EAE_PRK, 7, secret, HASH_SIZE);
  labeledExpand(secret, KEM_SUITE, 5, SHARED_SECRET, 13, kemContext, 64, secret, HASH_SIZE);
  store<u8>(context, 0);
  labeledExtract(context + 1, 0, 0, SUITE, 10, PSK_ID_HASH, 11, 0, 0);
  labeledExtract(context + 33, 0, 0, SUITE, 10, INFO_HASH, 9, info, infoLength);
  labeledExtract(secret, secret, HASH_SIZE, SUITE, 10, SECRET, 6, 0, 0);
  labeledExpand(secret, SUITE, 10, KEY, 3, context, 65, key, KEY_SIZE);
  labeledExpand(secret, SUITE, 10, BASE_NONCE, 10, context, 65, nonce, NONCE_SIZE);
}

/** Section 4, LabeledExtract; output is 32 bytes and may be salt or input. */
function labeledExtract(
  output: usize,
  salt: usize,
  saltLength: i32,
  suite: usize,
  suiteLength: i32,
  label: usize,
  labelLength: i32,
  input: usize,
  inputLength: i32,
): void {
  hmacSha256Begin(salt, saltLength);
  hmacSha256Update(VERSION, 7);
  hmacSha256Update(suite, suiteLength);
  hmacSha256Update(label, labelLength);
  hmacSha256Update(input, inputLength);
  hmacSha256End(output);
}

/** Section 4, LabeledExpand, for at most 32 bytes, so one block of HKDF; output may be prk. */
function labeledExpand(
  prk: usize,
  suite: usize,
  suiteLength: i32,
  label: usize,
  labelLength: i32,
  info: usize,
  infoLength: i32,
  output: usize,
  outputLength: i32,
): void {
  hmacSha256Begin(prk, HASH_SIZE);
  store<u16>(frame, bswap<u16>(<u16>outputLength));
  hmacSha256Update(frame, 2);
  hmacSha256Update(VERSION, 7);
  hmacSha256Update(suite, suiteLength);
  hmacSha256Update(label, labelLength);
  hmacSha256Update(info, infoLength);
  store<u8>(frame, 1);
  hmacSha256Update(frame, 1);
  hmacSha256End(block);
  memory.copy(output, block, outputLength);
  wipe(block, HASH_SIZE);
  wipe(frame, 2);
}

function wipeKeys(): void {
  wipe(kemContext, 64);
  wipe(context, 65);
  wipe(secret, HASH_SIZE);
  wipe(key, KEY_SIZE);
  wipe(nonce, NONCE_SIZE);
}
