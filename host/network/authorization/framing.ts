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

/** Cuts a stream into messages again. It holds at most one unfinished message. */
export class FrameReader {
  private rest: Uint8Array = new Uint8Array(0);

  /**
   * Takes the next piece of the stream and returns the messages it completes; undefined when a
   * length is out of range. Then the place of the next message is unknown: close the connection.
   */
  push(piece: Uint8Array): Uint8Array[] | undefined {
    let bytes = new Uint8Array(this.rest.length + piece.length);
    bytes.set(this.rest);
    bytes.set(piece, this.rest.length);
    const messages: Uint8Array[] = [];
    while (bytes.length >= LENGTH_BYTES) {
      const length = (bytes[0]! << 8) | bytes[1]!;
      if (length === 0 || length > MAX_MESSAGE_BYTES) return undefined;
      if (bytes.length < LENGTH_BYTES + length) break;
      messages.push(bytes.slice(LENGTH_BYTES, LENGTH_BYTES + length));
      bytes = bytes.subarray(LENGTH_BYTES + length);
    }
    this.rest = bytes.slice();
    return messages;
  }
}
