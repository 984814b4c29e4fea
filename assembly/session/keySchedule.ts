// SPDX-License-Identifier: Apache-2.0
// From the secrets of a handshake to keys and ids (docs/protocol.cddl section 3; HKDF, RFC 5869).
// The patent XORs two random numbers; here they are mixed with a one-time key agreement, so that a
// device opened later does not give away earlier sessions.
import { Bytes, pointerOf } from "../codec/bytes";
import { hkdfExpand } from "../crypto/hkdf";
import { Label } from "./path";

/** Last byte of a key's info. */
export namespace KeyNumber {
  export const A_TO_B: u8 = 1;
  export const B_TO_A: u8 = 2;
  export const EXPORTER: u8 = 3;
}

/** "florin/session", the HPKE info of M2 and M3. */
export const SESSION_INFO: Bytes = [
  0x66, 0x6c, 0x6f, 0x72, 0x69, 0x6e, 0x2f, 0x73, 0x65, 0x73, 0x73, 0x69, 0x6f, 0x6e,
];
/** "florin/" and the names of the labels. */
const FLORIN: Bytes = [0x66, 0x6c, 0x6f, 0x72, 0x69, 0x6e, 0x2f];
const AGENT: Bytes = [0x61, 0x67, 0x65, 0x6e, 0x74];
const MODULE: Bytes = [0x6d, 0x6f, 0x64, 0x75, 0x6c, 0x65];
const PAIR: Bytes = [0x70, 0x61, 0x69, 0x72];
const BARE: Bytes = [0x62, 0x61, 0x72, 0x65];
/** "transaction" and "pay": what the ids are derived for. */
const TRANSACTION: Bytes = [0x74, 0x72, 0x61, 0x6e, 0x73, 0x61, 0x63, 0x74, 0x69, 0x6f, 0x6e];
const PAY: Bytes = [0x70, 0x61, 0x79];

const ID_SIZE: i32 = 16;
const info: usize = memory.data(96);
let used: i32 = 0;

function append(part: Bytes): void {
  memory.copy(info + <usize>used, pointerOf(part), <usize>part.length);
  used += part.length;
}

function labelName(label: u8): Bytes {
  if (label == Label.AGENT) return AGENT;
  if (label == Label.MODULE) return MODULE;
  return label == Label.PAIR ? PAIR : BARE;
}

/** key(number) of a session between `idA`, who began it, and `idB`; `prk` is 32 bytes. */
export function sessionKey(prk: usize, label: u8, idA: Bytes, idB: Bytes, number: u8): Bytes {
  used = 0;
  append(FLORIN);
  append(labelName(label));
  append(idA);
  append(idB);
  store<u8>(info + <usize>used, number);
  used += 1;
  const key = new StaticArray<u8>(32);
  hkdfExpand(prk, info, used, pointerOf(key), 32);
  return key;
}

function exportedId(exporter: Bytes, name: Bytes, number: u32): Bytes {
  used = 0;
  append(name);
  store<u32>(info + <usize>used, bswap(number));
  const id = new StaticArray<u8>(ID_SIZE);
  hkdfExpand(pointerOf(exporter), info, used + 4, pointerOf(id), ID_SIZE);
  return id;
}

/** The `number`th transaction id of an agents' session, from 0: 16 bytes. */
export function transactionIdOf(exporter: Bytes, number: u32): Bytes {
  return exportedId(exporter, TRANSACTION, number);
}

/** The `number`th pay id of a session, from 0: 16 bytes. */
export function payIdOf(exporter: Bytes, number: u32): Bytes {
  return exportedId(exporter, PAY, number);
}
