// SPDX-License-Identifier: Apache-2.0
// Keys under which a money module of a test world speaks with its agent (docs/protocol.cddl section
// 5): they follow from the pairing secret in its journal and from what passes in clear or under
// them. With these a message that is sealed for its agent can be told by its type.
import { chacha20, chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { expand, extract } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { encodeCbor } from "../trust/cbor.ts";
import { remember } from "./remembered.ts";

const KEY_SIZE = 32;
const NO_ID = new Uint8Array(0);
const PROTOCOL_VERSION = 1;
const LOCAL_LAYER = 3;
const FROM_AGENT = 0;
/** More than the heads of a message within a message take. */
const HEADS_SIZE = 64;

/**
 * Local keys of one boot: agent to module, module to agent, and what payments' keys are made of.
 */
export interface LocalKeys {
  fromAgent: Uint8Array;
  fromModule: Uint8Array;
  payments: Uint8Array;
}

const latin = (...parts: Uint8Array[]) => parts.map((part) => Buffer.from(part).toString("latin1"));

const locals = new Map<string, LocalKeys>();
const paymentKeys = new Map<string, Uint8Array>();

export function localKeys(
  pairing: Uint8Array,
  agentNonce: Uint8Array,
  moduleNonce: Uint8Array,
): LocalKeys {
  return remember(locals, latin(pairing, agentNonce, moduleNonce).join(), () => {
    const prk = extract(sha256, pairing, concatBytes(agentNonce, moduleNonce));
    const key = (number: number) =>
      expand(
        sha256,
        prk,
        concatBytes(utf8ToBytes("florin/local"), Uint8Array.of(number)),
        KEY_SIZE,
      );
    return { fromAgent: key(1), fromModule: key(2), payments: key(3) };
  });
}

/** Key (TA/MM) of one payment from module to agent (552, 556). */
export function paymentKey(
  local: LocalKeys,
  exporter: Uint8Array,
  ownRandom: Uint8Array,
  peerRandom: Uint8Array,
  transactionId: Uint8Array,
): Uint8Array {
  const name = latin(local.payments, exporter, ownRandom, peerRandom).join();
  return remember(paymentKeys, name, () => {
    const mixed = ownRandom.map((byte, index) => byte ^ peerRandom[index]!);
    const prk = extract(sha256, local.payments, exporter);
    const info = [utf8ToBytes("florin/payment"), mixed, transactionId, Uint8Array.of(2)];
    return expand(sha256, prk, concatBytes(...info), KEY_SIZE);
  });
}

/** 12 bytes: zeros and the record's counter, least significant byte first. */
function nonceOf(counter: number): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(counter), true);
  return nonce;
}

/** The beginning of what a module sealed under a key; it is believed to have sealed it so. */
export function beginningOf(key: Uint8Array, counter: number, box: Uint8Array): Uint8Array {
  return chacha20(key, nonceOf(counter), box.slice(0, HEADS_SIZE), undefined, 1);
}

/** What an agent sealed for its module; null where that was under other keys. */
export function openFromAgent(
  { fromAgent }: LocalKeys,
  counter: number,
  type: number,
  box: Uint8Array,
): Uint8Array | null {
  const aad = encodeCbor([PROTOCOL_VERSION, LOCAL_LAYER, FROM_AGENT, counter, type, NO_ID]);
  try {
    return chacha20poly1305(fromAgent, nonceOf(counter), aad).decrypt(box);
  } catch {
    return null;
  }
}
