// SPDX-License-Identifier: Apache-2.0
// The payloads of SYNC (docs/link.md, "SYNC"): the host's nonce, and the board's answer that tells
// what it is. Fixed fields, little-endian, because the smallest boards write them by hand.
import {
  type BoardInformation,
  LINK_VERSION,
  MESSAGE_LIMIT,
  type ModuleInformation,
} from "./protocol.ts";

export const NONCE_SIZE = 8;
const HASH_SIZE = 32;
const NAME_LIMIT = 24;
const FLAG_SIMULATED = 1;

/** The nonce of the SYNC that a board sends unasked when it starts. */
export const NO_NONCE = new Uint8Array(NONCE_SIZE);

/** The next nonce, as a little-endian number; never the zero that boards use unasked. */
export function nextNonce(nonce: Uint8Array): Uint8Array {
  const next = nonce.slice();
  const view = new DataView(next.buffer);
  view.setBigUint64(0, (view.getBigUint64(0, true) + 1n) & 0xffffffffffffffffn, true);
  if (sameBytes(next, NO_NONCE)) next[0] = 1;
  return next;
}

/** The host's SYNC: nonce, lowest and highest link version, message limit of the host. */
export function encodeSyncRequest(nonce: Uint8Array): Uint8Array {
  const payload = new Uint8Array(NONCE_SIZE + 4);
  payload.set(nonce);
  payload[NONCE_SIZE] = LINK_VERSION;
  payload[NONCE_SIZE + 1] = LINK_VERSION;
  new DataView(payload.buffer).setUint16(NONCE_SIZE + 2, MESSAGE_LIMIT, true);
  return payload;
}

/** The nonce of a host's SYNC, or null if it is malformed or of other versions. */
export function decodeSyncRequest(payload: Uint8Array): Uint8Array | null {
  if (payload.length !== NONCE_SIZE + 4) return null;
  const lowest = payload[NONCE_SIZE]!;
  const highest = payload[NONCE_SIZE + 1]!;
  if (lowest > LINK_VERSION || highest < LINK_VERSION) return null;
  const nonce = payload.slice(0, NONCE_SIZE);
  // The zero nonce is the board's own; in a host's SYNC it would look like a start of the board.
  return sameBytes(nonce, NO_NONCE) ? null : nonce;
}

/** The board's SYNC: the host's nonce, or NO_NONCE unasked, and the board's information. */
export function encodeSyncAnswer(nonce: Uint8Array, board: BoardInformation): Uint8Array {
  const bytes: number[] = [...nonce, LINK_VERSION, board.isSimulated ? FLAG_SIMULATED : 0];
  pushUint32(bytes, board.bootCounter);
  bytes.push(board.messageLimit & 0xff, board.messageLimit >> 8);
  pushName(bytes, board.boardName);
  bytes.push(board.modules.length);
  for (const module of board.modules) {
    if (module.imageHash.length !== HASH_SIZE) {
      throw new RangeError(`An image hash has ${HASH_SIZE} bytes, not ${module.imageHash.length}.`);
    }
    bytes.push(module.channel);
    pushUint32(bytes, module.starts);
    pushUint32(bytes, module.imageVersion);
    bytes.push(...module.imageHash);
    pushName(bytes, module.imageName);
  }
  return Uint8Array.from(bytes);
}

/** The answer's nonce and the board's information, or null if it is malformed. */
export function decodeSyncAnswer(
  payload: Uint8Array,
): { nonce: Uint8Array; board: BoardInformation } | null {
  const reader = new FieldReader(payload);
  const nonce = reader.bytes(NONCE_SIZE);
  const version = reader.uint(1);
  const flags = reader.uint(1);
  const bootCounter = reader.uint(4);
  const messageLimit = reader.uint(2);
  const boardName = reader.name();
  const count = reader.uint(1);
  const modules: ModuleInformation[] = [];
  for (let index = 0; index < count && !reader.failed; index += 1) {
    const channel = reader.uint(1);
    const starts = reader.uint(4);
    const imageVersion = reader.uint(4);
    const imageHash = reader.bytes(HASH_SIZE);
    modules.push({ channel, starts, imageVersion, imageHash, imageName: reader.name() });
  }
  if (reader.failed || !reader.atEnd() || version !== LINK_VERSION) return null;
  const isSimulated = (flags & FLAG_SIMULATED) !== 0;
  return { nonce, board: { isSimulated, bootCounter, messageLimit, boardName, modules } };
}

/** True if both have the same bytes. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

function pushUint32(bytes: number[], value: number): void {
  bytes.push(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24);
}

function pushName(bytes: number[], name: string): void {
  if (!/^[\x20-\x7e]{1,24}$/.test(name)) {
    throw new RangeError(`"${name}" must be 1 to ${NAME_LIMIT} ASCII characters to be a name.`);
  }
  bytes.push(name.length, ...new TextEncoder().encode(name));
}

/** Reads fields in order; once a field does not fit, it and all after it read as zero. */
class FieldReader {
  failed = false;
  private at = 0;
  private readonly payload: Uint8Array;

  constructor(payload: Uint8Array) {
    this.payload = payload;
  }

  atEnd(): boolean {
    return this.at === this.payload.length;
  }

  bytes(length: number): Uint8Array {
    if (this.at + length > this.payload.length) this.failed = true;
    if (this.failed) return new Uint8Array(length);
    this.at += length;
    return this.payload.slice(this.at - length, this.at);
  }

  uint(size: 1 | 2 | 4): number {
    return this.bytes(size).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  name(): string {
    const length = this.uint(1);
    if (length === 0 || length > NAME_LIMIT) this.failed = true;
    const name = this.failed ? "" : String.fromCharCode(...this.bytes(length));
    if (!/^[\x20-\x7e]*$/.test(name)) this.failed = true;
    return name;
  }
}
