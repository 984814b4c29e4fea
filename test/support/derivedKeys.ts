// SPDX-License-Identifier: Apache-2.0
// From secrets to keys, as docs/protocol.cddl sections 3 and 5 say it, a second time and with each
// value between them, so that a test can look for all of them (RFC 5869, 8032, 9180).
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { encodeCbor } from "../../host/trust/cbor.ts";

const LABEL_NAMES = ["", "agent", "module", "pair", "bare"];
const NOTHING = new Uint8Array(0);

const ascii = (text: string) => new TextEncoder().encode(text);

/** L(x) x of each part, one behind the other. */
function prefixed(...parts: Uint8Array[]): Uint8Array {
  return concatBytes(
    ...parts.flatMap((part) => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, part.length);
      return [length, part];
    }),
  );
}

/** The hashes that bind M3 and the keys to what went before. */
export const hashOf = (...messages: Uint8Array[]) => sha256(prefixed(...messages));

export const xor = (a: Uint8Array, b: Uint8Array) => a.map((byte, index) => byte ^ b[index]!);

/** What the keys of a session are made of. `point`: the Diffie-Hellman value of both ephemerals. */
export interface SessionParts {
  label: number;
  idA: Uint8Array;
  idB: Uint8Array;
  messages: Uint8Array[];
  randomA: Uint8Array;
  randomB: Uint8Array;
  point: Uint8Array;
  mixIn: Uint8Array | null;
}

/** prk, then the keys 1 to 3: A to B, B to A, exporter. */
export function sessionKeys(parts: SessionParts): { prk: Uint8Array; keys: Uint8Array[] } {
  const { label, idA, idB, messages, randomA, randomB, point, mixIn } = parts;
  const material = concatBytes(xor(randomA, randomB), point, mixIn ?? NOTHING);
  const prk = extract(sha256, material, hashOf(...messages));
  const name = ascii(`florin/${LABEL_NAMES[label]}`);
  const keys = [1, 2, 3].map((n) =>
    expand(sha256, prk, concatBytes(name, idA, idB, Uint8Array.of(n)), 32),
  );
  return { prk, keys };
}

/** prk, then the local keys 1 to 3: agent to module, module to agent, for the keys (TA/MM). */
export function localKeys(pairing: Uint8Array, agentNonce: Uint8Array, moduleNonce: Uint8Array) {
  const prk = extract(sha256, pairing, concatBytes(agentNonce, moduleNonce));
  const name = ascii("florin/local");
  const keys = [1, 2, 3].map((n) => expand(sha256, prk, concatBytes(name, Uint8Array.of(n)), 32));
  return { prk, keys };
}

/** prk, then the keys (TA/MM) 1 and 2: agent to module, module to agent. */
export function paymentKeys(
  local: Uint8Array,
  exporter: Uint8Array,
  mixed: Uint8Array,
  transactionId: Uint8Array,
) {
  const prk = extract(sha256, local, exporter);
  const info = concatBytes(ascii("florin/payment"), mixed, transactionId);
  const keys = [1, 2].map((n) => expand(sha256, prk, concatBytes(info, Uint8Array.of(n)), 32));
  return { prk, keys };
}

/** Every secret on the way from HPKE's Diffie-Hellman value to its key (RFC 9180 4.1, 5.1). */
export function hpkeSecrets(
  point: Uint8Array,
  enc: Uint8Array,
  recipient: Uint8Array,
  info: string,
): Uint8Array[] {
  const kem = Uint8Array.of(0x4b, 0x45, 0x4d, 0x00, 0x20);
  const suite = Uint8Array.of(0x48, 0x50, 0x4b, 0x45, 0x00, 0x20, 0x00, 0x01, 0x00, 0x03);
  const take = (id: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array) =>
    extract(sha256, concatBytes(ascii("HPKE-v1"), id, ascii(label), ikm), salt);
  const give = (
    id: Uint8Array,
    prk: Uint8Array,
    label: string,
    context: Uint8Array,
    size: number,
  ) =>
    expand(
      sha256,
      prk,
      concatBytes(Uint8Array.of(0, size), ascii("HPKE-v1"), id, ascii(label), context),
      size,
    );
  const agreed = take(kem, NOTHING, "eae_prk", point);
  const shared = give(kem, agreed, "shared_secret", concatBytes(enc, recipient), 32);
  const idHash = take(suite, NOTHING, "psk_id_hash", NOTHING);
  const infoHash = take(suite, NOTHING, "info_hash", ascii(info));
  const secret = take(suite, shared, "secret", NOTHING);
  const key = give(suite, secret, "key", concatBytes(Uint8Array.of(0), idHash, infoHash), 32);
  return [point, agreed, shared, secret, key];
}

/** The cipher of one record (layers 1 to 4). `id`: session tag, pay id, or nothing. */
export function recordCipher(
  key: Uint8Array,
  layer: number,
  direction: number,
  counter: number,
  type: number,
  id: Uint8Array,
) {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
  return chacha20poly1305(key, nonce, encodeCbor([1, layer, direction, counter, type, id]));
}
