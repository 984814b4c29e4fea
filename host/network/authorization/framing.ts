// SPDX-License-Identifier: Apache-2.0
// Messages on a TCP stream: two bytes of length, most significant first, then the message.
import { MAX_MESSAGE_BYTES } from "./codec.ts";

const LENGTH_BYTES = 2;

/** Puts the length before a message. */
export function frame(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(LENGTH_BYTES + message.length);
  new DataView(framed.buffer).setUint16(0, message.length);
  framed.set(message, LENGTH_BYTES);
  return framed;
}

/** The messages that a piece of the stream completed. */
export interface Cut {
  readonly messages: readonly Uint8Array[];
  /** A length was out of range: where the next message begins is unknown, so hang up. */
  readonly broken: boolean;
}

/** Cuts a stream into messages again. It holds at most one unfinished message. */
export class FrameReader {
  private rest: Uint8Array = new Uint8Array(0);

  /** Takes the next piece of the stream, however the network cut it. */
  push(piece: Uint8Array): Cut {
    let bytes = new Uint8Array(this.rest.length + piece.length);
    bytes.set(this.rest);
    bytes.set(piece, this.rest.length);
    const messages: Uint8Array[] = [];
    while (bytes.length >= LENGTH_BYTES) {
      const length = (bytes[0]! << 8) | bytes[1]!;
      if (length === 0 || length > MAX_MESSAGE_BYTES) return { messages, broken: true };
      if (bytes.length < LENGTH_BYTES + length) break;
      messages.push(bytes.slice(LENGTH_BYTES, LENGTH_BYTES + length));
      bytes = bytes.subarray(LENGTH_BYTES + length);
    }
    this.rest = bytes.slice();
    return { messages, broken: false };
  }
}
