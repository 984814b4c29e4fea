// SPDX-License-Identifier: Apache-2.0
// Messages of channel 1 that load an image (docs/link.md, "Loading an image"), for both ends:
// BEGIN with the signed statement, DATA in order, END. Numbers are little-endian.

/** First byte of a request, repeated in its answer. */
export const UpdateRequest = { BEGIN: 5, DATA: 6, END: 7 } as const;

/** What a board says of a request: taken, or why not. */
export const UpdateStatus = {
  TAKEN: 0,
  /** The statement is malformed, or not of the signer whose images the board takes. */
  NOT_SIGNED: 1,
  /** Older than a version that has run here, or another image of the same version. */
  OLDER: 2,
  /** The channel's image has another name. */
  OTHER_NAME: 3,
  /** Another minimum version: its keys are others, and the purse would be left behind. */
  OTHER_PURSE: 4,
  TOO_LONG: 5,
  /** The board's images are part of its program, which its own tool loads. */
  BUILT_IN: 6,
  /** The bytes are not those that the statement names, or no image that this board can run. */
  DAMAGED: 7,
  /** No update has begun, or bytes are missing before these. */
  OUT_OF_ORDER: 8,
} as const;
export type UpdateStatus = (typeof UpdateStatus)[keyof typeof UpdateStatus];

/** Bytes of an image in one DATA request, except the last: whole words of flash in one frame. */
export const DATA_SIZE = 232;

export type UpdateMessage = { channel: number } & (
  | { request: typeof UpdateRequest.BEGIN; statement: Uint8Array }
  | { request: typeof UpdateRequest.DATA; offset: number; bytes: Uint8Array }
  | { request: typeof UpdateRequest.END }
);

export interface UpdateAnswer {
  request: number;
  channel: number;
  status: UpdateStatus;
  /** Where the image goes on; after END its size. */
  offset: number;
}

/** Bytes of an answer: request, channel, status, offset. */
const ANSWER_SIZE = 7;

export function encodeUpdate(message: UpdateMessage): Uint8Array {
  const { channel, request } = message;
  if (request === UpdateRequest.END) return Uint8Array.of(request, channel);
  if (request === UpdateRequest.BEGIN) {
    return Uint8Array.of(request, channel, ...message.statement);
  }
  const bytes = Uint8Array.of(request, channel, 0, 0, 0, 0, ...message.bytes);
  new DataView(bytes.buffer).setUint32(2, message.offset, true);
  return bytes;
}

/** The message in a request, or null for what is none. */
export function decodeUpdate(body: Uint8Array): UpdateMessage | null {
  const [request, channel = 0] = body;
  if (request === UpdateRequest.END) return body.length === 2 ? { request, channel } : null;
  if (request === UpdateRequest.BEGIN) {
    return body.length > 2 ? { request, channel, statement: body.slice(2) } : null;
  }
  if (request !== UpdateRequest.DATA || body.length < 7 || body.length > 6 + DATA_SIZE) return null;
  const offset = new DataView(body.buffer, body.byteOffset).getUint32(2, true);
  return { request, channel, offset, bytes: body.slice(6) };
}

export function encodeUpdateAnswer(answer: UpdateAnswer): Uint8Array {
  const bytes = Uint8Array.of(answer.request, answer.channel, answer.status, 0, 0, 0, 0);
  new DataView(bytes.buffer).setUint32(3, answer.offset, true);
  return bytes;
}

/** A board's answer, or null if it is malformed. */
export function decodeUpdateAnswer(body: Uint8Array): UpdateAnswer | null {
  if (body.length !== ANSWER_SIZE) return null;
  const [request = 0, channel = 0, status = 0] = body;
  if (!Object.values(UpdateStatus).includes(status as UpdateStatus)) return null;
  const offset = new DataView(body.buffer, body.byteOffset).getUint32(3, true);
  return { request, channel, status: status as UpdateStatus, offset };
}
