// SPDX-License-Identifier: Apache-2.0
// One frame of the link, `00 COBS( control channel id payload crc32 ) 00` (docs/link.md), and the
// reader that finds frames in a stream of bytes that may hold anything else.
import { cobsDecode, cobsEncode } from "./cobs.ts";
import { crc32 } from "./crc32.ts";
import {
  CHECKSUM_SIZE,
  FrameKind,
  HEADER_SIZE,
  LINK_VERSION,
  type LinkStatistics,
  PAYLOAD_LIMIT,
} from "./protocol.ts";

/** A frame after its checksum was found good. */
export interface Frame {
  kind: FrameKind;
  /** First and last frame of a message. */
  isFirst: boolean;
  isLast: boolean;
  /** Alternating bit of the channel and direction. */
  sequence: 0 | 1;
  channel: number;
  /** The host's request id, 0 to 65,535. */
  id: number;
  payload: Uint8Array;
}

const SMALLEST_FRAME = HEADER_SIZE + CHECKSUM_SIZE;
const LARGEST_FRAME = HEADER_SIZE + PAYLOAD_LIMIT + CHECKSUM_SIZE;
/** A decoded frame fits one run of COBS, which costs one byte. */
const LARGEST_ENCODED = LARGEST_FRAME + 1;
const LARGEST_KIND = FrameKind.CANCEL;

const FIRST_BIT = 0x04;
const LAST_BIT = 0x02;
const SEQUENCE_BIT = 0x01;

/** The bytes of one frame with a zero on each side. The payload is at most PAYLOAD_LIMIT bytes. */
export function encodeFrame(frame: Frame): Uint8Array {
  if (frame.payload.length > PAYLOAD_LIMIT) {
    throw new RangeError(
      `A frame holds ${PAYLOAD_LIMIT} payload bytes, not ${frame.payload.length}: split it.`,
    );
  }
  const plain = new Uint8Array(SMALLEST_FRAME + frame.payload.length);
  const view = new DataView(plain.buffer);
  plain[0] =
    (LINK_VERSION << 6) |
    (frame.kind << 3) |
    (frame.isFirst ? FIRST_BIT : 0) |
    (frame.isLast ? LAST_BIT : 0) |
    frame.sequence;
  plain[1] = frame.channel;
  view.setUint16(2, frame.id, true);
  plain.set(frame.payload, HEADER_SIZE);
  const checksumAt = HEADER_SIZE + frame.payload.length;
  view.setUint32(checksumAt, crc32(plain.subarray(0, checksumAt)), true);
  const encoded = cobsEncode(plain);
  // The zero in front ends whatever noise or boot text stands before the frame.
  const wire = new Uint8Array(encoded.length + 2);
  wire.set(encoded, 1);
  return wire;
}

/** The bytes of a frame that stands alone and is not sequenced. */
export function encodeSingle(
  kind: FrameKind,
  channel: number,
  id: number,
  payload: Uint8Array,
): Uint8Array {
  const isAlone = { isFirst: true, isLast: true, sequence: 0 } as const;
  return encodeFrame({ ...isAlone, kind, channel, id, payload });
}

/** The part of a stream that was read and is not yet a frame; plain data. */
export interface FrameReader {
  pending: Uint8Array;
  length: number;
  /** The frame is longer than any can be: skip to the next zero. */
  isSkipping: boolean;
}

export function newFrameReader(): FrameReader {
  return { pending: new Uint8Array(LARGEST_ENCODED), length: 0, isSkipping: false };
}

/** Takes bytes and gives the good frames in them; the rest is counted and dropped. */
export function readFrames(
  reader: FrameReader,
  bytes: Uint8Array,
  statistics: LinkStatistics,
): Frame[] {
  const frames: Frame[] = [];
  statistics.bytesReceived += bytes.length;
  for (const byte of bytes) {
    if (byte !== 0) {
      if (reader.length === LARGEST_ENCODED) reader.isSkipping = true;
      else reader.pending[reader.length++] = byte;
      continue;
    }
    if (reader.isSkipping) statistics.droppedLength += 1;
    else if (reader.length > 0) {
      const frame = decodeFrame(reader.pending.subarray(0, reader.length), statistics);
      if (frame !== null) frames.push(frame);
    }
    reader.length = 0;
    reader.isSkipping = false;
  }
  statistics.framesReceived += frames.length;
  return frames;
}

function decodeFrame(encoded: Uint8Array, statistics: LinkStatistics): Frame | null {
  const plain = cobsDecode(encoded);
  if (plain === null) {
    statistics.droppedCobs += 1;
    return null;
  }
  if (plain.length < SMALLEST_FRAME || plain.length > LARGEST_FRAME) {
    statistics.droppedLength += 1;
    return null;
  }
  const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
  const checksumAt = plain.length - CHECKSUM_SIZE;
  if (view.getUint32(checksumAt, true) !== crc32(plain.subarray(0, checksumAt))) {
    statistics.droppedChecksum += 1;
    return null;
  }
  const control = plain[0]!;
  const kind = (control >> 3) & 7;
  if (control >> 6 !== LINK_VERSION || kind > LARGEST_KIND) {
    statistics.droppedUnexpected += 1;
    return null;
  }
  return {
    kind: kind as FrameKind,
    isFirst: (control & FIRST_BIT) !== 0,
    isLast: (control & LAST_BIT) !== 0,
    sequence: (control & SEQUENCE_BIT) as 0 | 1,
    channel: plain[1]!,
    id: view.getUint16(2, true),
    payload: plain.slice(HEADER_SIZE, checksumAt),
  };
}

/** Statistics of an end that has seen nothing. */
export function newLinkStatistics(): LinkStatistics {
  return {
    bytesSent: 0,
    bytesReceived: 0,
    framesSent: 0,
    framesReceived: 0,
    retransmissions: 0,
    duplicates: 0,
    droppedLength: 0,
    droppedCobs: 0,
    droppedChecksum: 0,
    droppedUnexpected: 0,
  };
}
