// SPDX-License-Identifier: Apache-2.0
// What carries the link's bytes: a serial port or, for the simulator, a pair in this process
// (docs/link.md). A transport keeps order and may cut the stream anywhere; it may also lose, alter
// or invent bytes, which is what the link is for.

/** One end of a byte stream. */
export interface ByteTransport {
  /** Queues bytes for the other end; after a close it does nothing. The bytes are not kept. */
  write(bytes: Uint8Array): void;
  /** Registers the one receiver of bytes. Chunks are arbitrary; the receiver may keep them. */
  onBytes(receive: (bytes: Uint8Array) => void): void;
  /** Registers the one listener for the end of the stream, however it came. */
  onClose(closed: (reason: string) => void): void;
  /**
   * Registers the one listener for interruptions after which the stream goes on: a cable pulled out
   * and put back. Absent where there are none.
   */
  onReplugged?(replugged: () => void): void;
  /** Ends the stream at both ends. Safe to call twice. */
  close(): void;
}

/** One end of a pair in this process: hands bytes over at once, within the call to `write`. */
class InProcessEnd implements ByteTransport {
  private other: InProcessEnd | null = null;
  private receive: ((bytes: Uint8Array) => void) | null = null;
  private closed: ((reason: string) => void) | null = null;
  private isOpen = true;

  join(other: InProcessEnd): void {
    this.other = other;
  }

  write(bytes: Uint8Array): void {
    // A copy, as a wire would make: the writer may reuse its buffer.
    if (this.isOpen) this.other?.receive?.(bytes.slice());
  }

  onBytes(receive: (bytes: Uint8Array) => void): void {
    this.receive = receive;
  }

  onClose(closed: (reason: string) => void): void {
    this.closed = closed;
  }

  close(): void {
    this.end("closed");
    this.other?.end("closed by the other end");
  }

  private end(reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.closed?.(reason);
  }
}

/** Makes a connected pair of transports: what one end writes the other receives. */
export function inProcessPair(): [ByteTransport, ByteTransport] {
  const left = new InProcessEnd();
  const right = new InProcessEnd();
  left.join(right);
  right.join(left);
  return [left, right];
}
